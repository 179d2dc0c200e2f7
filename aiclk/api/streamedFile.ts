/**
 * A file of known size whose bytes are read only while it is sent, so that a video never sits in memory. Forms read files
 * through `size` and `stream()` (axios formDataToStream.js; the same in Node's own fetch). It never sends more or fewer
 * bytes than its size: a server would wait for the rest.
 */
export class StreamedFile extends File {
	/** Bytes that are announced, and sent. */
	override readonly size: number;

	/** Why the last sending failed, as the end of a sentence; null if nothing failed. */
	failure: string | null = null;

	/**
	 * @param size in bytes
	 * @param open returns the bytes; called each time that a sending begins
	 */
	constructor(
		name: string,
		mimeType: string,
		size: number,
		private readonly open: () =>
			Iterable<Uint8Array> | Promise<Iterable<Uint8Array> | AsyncIterable<Uint8Array>>,
	) {
		super([], name, { type: mimeType });
		this.size = size;
	}

	override stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
		this.failure = null;
		return ReadableStream.from(this.read()) as ReadableStream<Uint8Array<ArrayBuffer>>;
	}

	private async *read(): AsyncGenerator<Uint8Array> {
		let sent = 0;
		try {
			for await (const bytes of await this.open()) {
				sent += bytes.length;
				if (sent > this.size) break;
				yield bytes;
			}
		} catch {
			this.failure = 'could not be read any more: n8n may have deleted it';
		}
		if (this.failure === null && sent !== this.size) {
			this.failure = `has changed since it was stored: ${sent > this.size ? 'more than ' : ''}${Math.min(sent, this.size)} of ${this.size} bytes were found`;
		}
		if (this.failure !== null) throw new Error(this.failure);
	}
}

/** Not base64: another character, white space within a line, or something behind the padding. */
const NOT_BASE64 = /[^\w+/=\s-]|\S[^\S\n]+\S|=\s*[^=\s]|={3}/;

/**
 * The size of base64 in either alphabet, also broken into lines, without decoding it: a file is decoded while it is sent.
 *
 * @returns in bytes; null for any other text, which would be sent as garbage
 */
export function sizeOfBase64(base64: string): number | null {
	const { length } = base64.replace(/[\s=]+/g, '');
	return NOT_BASE64.test(base64) || length % 4 === 1 ? null : Math.floor((length * 3) / 4);
}

/** MIME types whose file extension is not their second part. */
const EXTENSIONS: Record<string, string> = {
	'application/vnd.android.package-archive': 'apk',
	'image/jpeg': 'jpg',
	'image/svg+xml': 'svg',
	'text/plain': 'txt',
	'video/quicktime': 'mov',
	'video/x-msvideo': 'avi',
};

/**
 * The name under which a file is sent. A file without a name is named after its type, because AiClk goes by the extension.
 *
 * @param name as n8n has it, which may be missing or empty
 * @param extension as n8n has it, without a dot
 */
export function fileNameOf(name: unknown, extension: unknown, mimeType = ''): string {
	if (typeof name === 'string' && name.trim() !== '') return name;
	const type = mimeType.split(';')[0]?.trim().toLowerCase() ?? '';
	const known = EXTENSIONS[type] ?? /\/([a-z\d]+)$/.exec(type)?.[1];
	const ending = typeof extension === 'string' && extension !== '' ? extension : known;
	return ending === undefined ? 'file' : `file.${ending}`;
}
