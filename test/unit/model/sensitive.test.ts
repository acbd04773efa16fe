/** Which fields a schema marks, and values with and without them. */
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { jsonSchemaOf } from '../../../src/engine/submit/json-schema.ts';
import { forPeople, maskedParams, sensitivePathsOf, sensitiveValuesIn, withSensitivePaths } from '../../../src/model/sensitive.ts';
import { decodeValue, encodeValue } from '../../../src/model/values.ts';

const card = z.object({ number: z.string().meta({ sensitive: true }), holder: z.string() });
const schema = z.object({
  password: z.string().min(3).meta({ sensitive: true }),
  born: z.date().meta({ sensitive: true }).optional(),
  main: card.optional(),
  cards: z.array(card).default([]),
  headers: z.record(z.string(), z.string().meta({ sensitive: true })).optional(),
  either: z.union([z.number(), z.object({ pin: z.number().meta({ sensitive: true }) })]).optional(),
  name: z.string().default('x'),
});

const value = {
  password: 'hunter2',
  born: new Date(0),
  since: new Date(1),
  main: { number: '4111 1111', holder: 'Ada' },
  cards: [{ number: '4222', holder: 'Bea' }],
  headers: { a: 'alpha' },
  either: { pin: 7777 },
  name: 'x',
};
const paths = sensitivePathsOf(jsonSchemaOf(schema));
const text = withSensitivePaths(encodeValue(value, 'value') ?? '', paths);

describe('sensitive fields', () => {
  test('are found at any depth: in objects, lists, records, unions, behind defaults and references', () => {
    expect([...paths].sort()).toEqual(['born', 'cards.*.number', 'either.pin', 'headers.*', 'main.number', 'password']);
    expect(
      sensitivePathsOf({
        properties: { a: { writeOnly: true }, b: { $ref: '#/$defs/c' } },
        $defs: { c: { properties: { d: { 'x-sensitive': true } } } },
      }),
    ).toEqual(['a', 'b.d']);
    expect(sensitivePathsOf(jsonSchemaOf(z.object({ a: z.string() })))).toEqual([]);
    expect(sensitivePathsOf(null)).toEqual([]);
  });

  test('stand beside the value, which code reads as it was, and are masked for people', () => {
    expect(decodeValue(text)).toEqual(value);
    expect(decodeValue(forPeople(text))).toEqual({
      ...value,
      password: '[redacted]',
      born: '[redacted]',
      main: { number: '[redacted]', holder: 'Ada' },
      cards: [{ number: '[redacted]', holder: 'Bea' }],
      headers: { a: '[redacted]' },
      either: { pin: '[redacted]' },
    });
    expect([...sensitiveValuesIn(text)].sort()).toEqual(['1970-01-01T00:00:00.000Z', '4111 1111', '4222', '7777', 'alpha', 'hunter2']);
  });

  test('a text without any, or that only looks so, is left as it is', () => {
    for (const other of [
      'null',
      '{"json":{"a":["b"]}}',
      '{"json":{"a":",\\"sensitive\\":[\\"b\\"]}"}}',
      '{"json":["x,\\"sensitive\\":["]}',
    ]) {
      expect(forPeople(other)).toBe(other);
      expect(sensitiveValuesIn(other)).toEqual([]);
    }
  });

  test('names show none of them, and names of limits tell one from another', () => {
    const params = { password: 'hunter2', other: 1 };
    expect(maskedParams(params, ['password'], 'mask')).toEqual({ password: '[redacted]', other: 1 });
    const keys = ['hunter2', 'hunter3', 'hunter2'].map(
      (password) => (maskedParams({ password }, ['password'], 'hash') as typeof params).password,
    );
    expect(keys[0]).toBe(keys[2]);
    expect(keys[0]).not.toBe(keys[1]);
    expect(keys.join()).not.toContain('hunter');
    expect(maskedParams({ a: null }, ['a', 'b.c'], 'mask')).toEqual({ a: null });
  });
});
