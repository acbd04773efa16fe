import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readJson } from '../../../src/server/read-json.ts';

const refuse = (): never => {
  throw new Error('too much');
};
const read = (text: string, pieceBytes: number): Promise<unknown> =>
  readJson(
    Buffer.from(text),
    { parse: (piece) => JSON.parse(piece) as unknown, maxDepth: 100, maxContainers: 500_000, pieceBytes },
    refuse,
  );

function parsed(text: string): { readonly value: unknown } | 'no JSON' {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return 'no JSON';
  }
}

const bodies = fc.record(
  { runs: fc.array(fc.jsonValue({ maxDepth: 3 })), flow: fc.string(), ids: fc.array(fc.integer()) },
  { requiredKeys: [] },
);

test('what is read in pieces is what a parser makes of the whole', async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(bodies, fc.jsonValue()), fc.integer({ min: 1, max: 30 }), async (value, pieceBytes) => {
      const text = JSON.stringify(value);
      expect(await read(text, pieceBytes)).toEqual(JSON.parse(text));
    }),
    { numRuns: 500 },
  );
});

test('what is no JSON in one piece is none in several', async () => {
  const edit = fc.record({ at: fc.nat(), what: fc.constantFrom('', ',', '[', ']', '{', '}', '"', ':', '\\', ' ', '1') });
  await fc.assert(
    fc.asyncProperty(bodies, edit, async (value, { at, what }) => {
      const whole = JSON.stringify(value);
      const place = at % (whole.length + 1);
      const text = whole.slice(0, place) + what + whole.slice(place + 1);
      const pieces = await read(text, 3).then(
        (made) => ({ value: made }),
        () => 'no JSON',
      );
      expect(pieces).toEqual(parsed(text));
    }),
    { numRuns: 2_000 },
  );
});

test.each([
  '{"runs":[1,2,3,4,5,6],"runs":[]}',
  '{"runs":[1,2,3,4,5,6],"runs":7}',
  '{"runs":[],"runs":[1,2,3,4,5,6]}',
  '{"runs":[1,2,3,4,5,6],"\\u0072uns":[9]}',
  '{"runs":[1,2,3,4,5,6],"ids":[1,2,3,4,5,6]}',
  '{"a\\"b":[1,2,3,4,5,6]}',
])('a name that comes twice, and lists beside each other, are as a parser has them: %s', async (text) => {
  expect(await read(text, 2)).toEqual(JSON.parse(text));
});

test('others get their turns while a body of 16 MiB is read', async () => {
  const item = `{"params":{"a":[],"text":"${'x'.repeat(70)}"}}`;
  const text = `{"flow":"hello","runs":[${Array.from({ length: 160_000 }, () => item).join(',')}]}`;
  let turns = 0;
  let isDone = false;
  const others = (async () => {
    while (!isDone) {
      await new Promise((resolve) => setImmediate(resolve));
      turns++;
    }
  })();
  const body = (await read(text, 256 * 1024)) as { readonly runs: readonly unknown[] };
  isDone = true;
  await others;
  expect(body.runs).toHaveLength(160_000);
  expect(turns).toBeGreaterThan(100);
});
