import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lines } from 'batuta/streams';

/** Of each encoding: characters with their bytes, and bytes that are none. */
const encodings: Record<string, { readonly characters: Record<string, readonly number[]>; readonly broken: readonly number[] }> = {
  'utf-8': {
    characters: { a: [0x61], '\n': [0x0a], ä: [0xc3, 0xa4], '€': [0xe2, 0x82, 0xac], '😀': [0xf0, 0x9f, 0x98, 0x80] },
    broken: [0xff],
  },
  'utf-16le': {
    characters: { a: [0x61, 0], '\n': [0x0a, 0], 愀: [0x00, 0x61], '😀': [0x3d, 0xd8, 0x00, 0xde], '\uFEFF': [0xff, 0xfe] },
    broken: [0x00, 0xdc],
  },
  'utf-16be': {
    characters: { a: [0, 0x61], '\n': [0, 0x0a], 愀: [0x61, 0x00], '😀': [0xd8, 0x3d, 0xde, 0x00], '\uFEFF': [0xfe, 0xff] },
    broken: [0xdc, 0x00],
  },
  shift_jis: { characters: { a: [0x61], '\n': [0x0a], あ: [0x82, 0xa0], ｱ: [0xb1] }, broken: [0xff] },
  'euc-jp': { characters: { a: [0x61], '\n': [0x0a], あ: [0xa4, 0xa2] }, broken: [0xff] },
  gb18030: { characters: { a: [0x61], '\n': [0x0a], 你: [0xc4, 0xe3], ä: [0x81, 0x30, 0x8a, 0x31] }, broken: [0xff] },
};

/** The lines that are given, and the error. */
async function read(pieces: readonly Uint8Array[], encoding: string): Promise<{ given: string[]; error: unknown }> {
  const given: string[] = [];
  try {
    for await (const line of lines(pieces, { encoding })) given.push(line);
    return { given, error: null };
  } catch (error) {
    return { given, error };
  }
}

test.each(Object.keys(encodings))(
  'all text before invalid bytes is given, and their place is exact, however the bytes are cut: %s',
  async (encoding) => {
    const { characters, broken } = encodings[encoding] as (typeof encodings)[string];
    const text = fc.array(fc.constantFrom(...Object.keys(characters)), { maxLength: 400 });
    await fc.assert(
      fc.asyncProperty(text, text, fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1 }), async (before, after, sizes) => {
        // The first mark is removed as one of byte order.
        const good = ['a', ...before, '\n'];
        const bytesOf = (of: readonly string[]): Buffer => Buffer.from(of.flatMap((character) => [...(characters[character] ?? [])]));
        const bytes = Buffer.concat([bytesOf(good), Buffer.from(broken), bytesOf([...after, '\n', 'a'])]);
        const pieces: Buffer[] = [];
        for (let at = 0, next = 0; at < bytes.length; next++) {
          const size = sizes[next % sizes.length] ?? 1;
          pieces.push(bytes.subarray(at, at + size));
          at += size;
        }
        const { given, error } = await read(pieces, encoding);
        const whole = good.join('').split('\n').slice(0, -1);
        expect(given).toEqual(whole);
        expect(error).toMatchObject({ code: 'RECORD_INVALID', details: { bytes: bytesOf(good).length, line: whole.length + 1 } });
      }),
      { numRuns: 150 },
    );
  },
);
