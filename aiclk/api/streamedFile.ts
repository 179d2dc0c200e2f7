/**
 * A file of known size whose bytes are read only while it is sent, so that a video never sits in memory. Forms read files
 * through `size` and `stream()` (axios formDataToStream.js; the same in Node's own fetch).
 */
export class StreamedFile extends File {
	/** Bytes that `open` will give. */
	override readonly size: number;

	/**
	 * @param size in bytes
	 * @param open gives the bytes; called once, when the sending begins
	 */
	constructor(
		name: string,
		mimeType: string,
		size: number,
		private readonly open: () => Promise<AsyncIterable<Uint8Array> | Iterable<Uint8Array>>,
	) {
		super([], name, { type: mimeType });
		this.size = size;
	}

	override stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
		const { open } = this;
		return ReadableStream.from(
			(async function* () {
				for await (const bytes of await open()) yield bytes as Uint8Array<ArrayBuffer>;
			})(),
		);
	}
}
