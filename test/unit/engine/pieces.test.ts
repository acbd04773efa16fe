import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { gathered, partsOf } from '../../../src/engine/results/pieces.ts';

describe('pieces that are gathered', () => {
  test.each([
    ['one that is large', [10_007]],
    ['many that are small', Array.from({ length: 400 }, () => 7)],
    ['both', [3, 0, 1_999, 2_000, 1, 999, 1_000, 5_501, 4]],
    ['exactly as much as is wanted', [1_000, 1_000]],
    ['nothing', []],
    ['nothing, in pieces', [0, 0]],
  ])('of %s are the same bytes, each of as many as are wanted and less than twice as many', async (_, lengths) => {
    const given = lengths.map((length) => randomBytes(length));
    const all: Buffer[] = [];
    for await (const piece of gathered(given, 1_000)) all.push(piece);
    expect(Buffer.concat(all).equals(Buffer.concat(given))).toBe(true);
    for (const [at, { length }] of all.entries()) {
      expect(length).toBeLessThan(2_000);
      expect(length).toBeGreaterThanOrEqual(at === all.length - 1 ? 1 : 1_000);
    }
  });
});

test('parts are all of one length but the last, whatever comes, and hold the same bytes until the one after the next', async () => {
  const property = fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 50 })), fc.integer({ min: 1, max: 40 }), async (given, bytes) => {
    const all: Buffer[] = [];
    let waiting: Buffer | null = null;
    for await (const part of partsOf(given, bytes)) {
      if (waiting !== null) all.push(Buffer.from(waiting));
      waiting = part;
    }
    if (waiting !== null) all.push(Buffer.from(waiting));
    expect(Buffer.concat(all)).toEqual(Buffer.concat(given));
    expect(all.slice(0, -1).every(({ length }) => length === bytes)).toBe(true);
    expect(all.every(({ length }) => length > 0 && length <= bytes)).toBe(true);
  });
  await fc.assert(property);
});
