/** Values that somebody sends, honest and hostile. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeValue } from '../../../src/model/values.ts';
import { givenValue } from '../../../src/server/values.ts';

/** As a client sends it. */
function sent(value: unknown): unknown {
  return JSON.parse(encodeValue(value, 'value') ?? '');
}

/** A field whose name is a path, a number, or something that all objects inherit. */
const name = fc.constantFrom('a', 'b.c', 'd\\e', 'toString', 'length', '0', '', 'values');
const leaf = fc.oneof(
  fc.jsonValue({ maxDepth: 1 }),
  fc.constant(undefined),
  fc.constant(Number.NaN),
  fc.constant(-0),
  fc.bigInt(),
  fc.date({ noInvalidDate: true }),
  fc.constant(/a+/giu),
  fc.constant(new URL('https://example.org/?a=1')),
  fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  fc.float32Array(),
);
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.dictionary(name, tie('tree'), { maxKeys: 4, noNullPrototype: true }),
    fc.array(fc.tuple(tie('tree'), tie('tree')), { maxLength: 3 }).map((pairs) => new Map(pairs)),
    fc.array(tie('tree'), { maxLength: 3 }).map((items) => new Set(items)),
    tie('tree').map((one) => [one, { again: one }, new Map([[one, one]])]),
    // The stack of a sender is not taken over, so there is none here beyond its first line.
    tie('tree').map((cause) => Object.assign(new TypeError('broken', { cause }), { stack: 'TypeError: broken' })),
  ),
}));

describe('a value in the form of superjson', () => {
  test('comes back as it was sent, however it is nested', () => {
    fc.assert(
      fc.property(tree, (value) => {
        const text = encodeValue(value, 'value');
        if (text === null) return;
        expect(encodeValue(givenValue(JSON.parse(text)), 'value')).toBe(text);
      }),
      { numRuns: 300 },
    );
  });

  test('may hold itself, and one object twice', () => {
    const inner: Record<string, unknown> = { at: new Date(5) };
    inner['self'] = inner;
    const map = new Map<string, unknown>([['inner', inner]]);
    map.set('map', map);
    const whole: Record<string, unknown> = { x: { inner }, inner, map };
    whole['whole'] = whole;
    const read = givenValue(sent(whole)) as typeof whole & { readonly x: { readonly inner: unknown } };
    expect(read.x.inner).toBe(read['inner']);
    expect(read['whole']).toBe(read);
    const [readInner, readMap] = [read['inner'] as typeof inner, read['map'] as typeof map];
    expect(readInner['self']).toBe(readInner);
    expect(readInner['at']).toEqual(new Date(5));
    expect(readMap.get('map')).toBe(readMap);
    expect(readMap.get('inner')).toBe(readInner);
  });

  const bombs: Readonly<Record<string, unknown>> = {
    'a list of billions of places': { json: [1], meta: { values: { 4294967294: ['undefined'] }, v: 1 } },
    'a list made long by its length': { json: { a: 4e9, b: [] }, meta: { referentialEqualities: { a: ['b.length'] }, v: 1 } },
    'a buffer of gigabytes': { json: { length: 4e9 }, meta: { values: [['custom', 'Buffer']] } },
    'an array of gigabytes': { json: 4e9, meta: { values: [['typed-array', 'Uint8Array']] } },
    'a text that doubles with each level': {
      json: { a: [0, 0], b: [0, 0], c: [0, 0] },
      meta: { referentialEqualities: { a: ['b.0', 'b.1'], b: ['c.0', 'c.1'] } },
    },
    'copies that were not sent': { json: { a: ['long'], b: [null, null] }, meta: { referentialEqualities: { a: ['b.0', 'b.1'] } } },
    'a number of a million digits': { json: '9'.repeat(1_000_000), meta: { values: ['bigint'] } },
    'a change of what all objects inherit': { json: { a: 1 }, meta: { referentialEqualities: { a: ['toString.call'] } } },
    'a change of the prototype': { json: { a: 1 }, meta: { referentialEqualities: { a: ['constructor.prototype.x'] } } },
    'a function': { json: { a: 1 }, meta: { referentialEqualities: { toString: ['a'] } } },
    'a class': { json: {}, meta: { values: [['class', 'Object']] } },
    'a type that objects inherit': { json: 'a', meta: { values: ['toString'] } },
    'an error of odd fields': { json: { name: {}, message: [] }, meta: { values: ['Error'] } },
    'a date that is none': { json: 'x', meta: { values: ['Date'] } },
    'a map of no pairs': { json: ['ab'], meta: { values: ['map'] } },
    'no description': { json: 1, meta: 'x' },
  };
  test.each(Object.entries(bombs))('is refused when it asks for %s', (_name, bomb) => {
    expect(() => givenValue(bomb)).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }));
  });
});
