import fc from 'fast-check';

import { sanitize, shorten } from '../../../aiclk/util/sanitize';

describe('a text from the network', () => {
	it.each<[string, unknown, string]>([
		['stays as it is', 'access_token 无效，请重新获取', 'access_token 无效，请重新获取'],
		['goes onto one line', 'a\r\nb\u0000c\u2028d\u202ee', 'a b c d e'],
		['is trimmed', '  a  ', 'a'],
		['is cut', 'ab '.repeat(100), 'ab '.repeat(66) + 'ab'],
		['loses what is long enough to be a token', `token ${'a1'.repeat(16)}!`, 'token ***!'],
		['keeps a trace id', '776ac7ef9ccd2cb3', '776ac7ef9ccd2cb3'],
		['may be none', undefined, ''],
		['may be no text', { a: 1 }, ''],
	])('a text from the network %s', (_, text, expected) => {
		expect(sanitize(text)).toBe(expected);
	});

	it('loses every secret, wherever it stands', () => {
		expect(sanitize('s1 and s2s1', ['s1', 's2', ''])).toBe('*** and ******');
	});

	it('keeps what the user wrote, however long, and loses a secret even there', () => {
		const name = '8e9d31caced1c90be49ee170424e4550_autumn';
		const token = 'b2'.repeat(20);
		expect(sanitize(`${name}.png, ${token}`, [], `a ${name}.png`)).toBe(`${name}.png, ***`);
		expect(sanitize(`${name}.png`, [name], `${name}.png`)).toBe('***.png');
		expect(sanitize(`${name}x`, [], name)).toBe('***');
	});

	it('is never long, never of several lines, and never holds a secret', () => {
		const secrets = fc.string({ unit: fc.constantFrom('x', 'y', '$', '&'), minLength: 3 });
		const texts = fc.string({ unit: 'binary' });
		fc.assert(
			fc.property(secrets, texts, texts, (secret, before, after) => {
				const shown = sanitize(before + secret + after, [secret]);
				expect(shown.length).toBeLessThanOrEqual(200);
				expect(shown).not.toMatch(/\p{Cc}/u);
				expect(shown).not.toContain(secret);
			}),
		);
	});
});

describe('a value as errors show it', () => {
	it.each([
		['abc', 'abc'],
		[' a\n b ', 'a  b'],
		['x '.repeat(40), `${'x '.repeat(29)}x…`],
		['天'.repeat(61), `${'天'.repeat(59)}…`],
		['天'.repeat(60), '天'.repeat(60)],
		['a1'.repeat(20), '***'],
	])('%j is shown as %j', (value, shown) => {
		expect(shorten(value)).toBe(shown);
	});
});
