/** What of an answer is left when its payloads are taken out. */
import { expect, test } from 'vitest';
import { z } from 'zod';
import { hidePayloads } from '../../../src/server/hide-payloads.ts';
import { digestOf, noPayload, replaced, runNameBy, word } from '../../../src/server/schemas/payloads.ts';

test('what has no mark is hidden, whatever holds it', () => {
  const schema = z.strictObject({
    id: word,
    text: z.string(),
    number: z.number(),
    unknown: z.unknown(),
    list: z.array(z.string()),
    fields: z.record(z.string(), word),
    values: z.record(word, z.unknown()),
    nothing: z.string().nullable(),
    value: z.strictObject({ json: z.unknown(), meta: z.unknown().optional() }).nullable(),
    either: z.union([z.strictObject({ json: z.unknown() }), z.strictObject({ text: z.string() })]).nullable(),
    date: z.date().transform(String).nullable(),
  });
  const data = {
    ...{ id: 'a', text: 'x', number: 7, unknown: { x: 1 }, list: ['x'], fields: { x: 'y' }, values: { y: 'x' }, nothing: 'x' },
    ...{ value: { json: 'x', meta: 'x' }, either: { text: 'x' }, date: new Date(0), unnamed: 'x' },
  };
  expect(hidePayloads(schema, data)).toEqual({
    ...{
      id: 'a',
      text: '[hidden]',
      number: 0,
      unknown: null,
      list: [],
      fields: {},
      values: {},
      nothing: null,
      value: null,
      either: null,
      date: null,
    },
  });
});

test('what has a mark, and what the code fixes, is left as it is', () => {
  const schema = z.strictObject({
    state: z.enum(['on', 'off']),
    isDone: z.boolean(),
    kind: z.literal('run'),
    marked: noPayload(z.unknown()),
    counts: z.record(word, noPayload(z.number())),
    by: z.array(z.strictObject({ id: word, name: runNameBy('id') })),
    one: z.union([z.strictObject({ id: word }), z.strictObject({ text: z.string(), state: z.enum(['on']) })]),
    note: word.nullable().optional(),
  });
  const data = { state: 'on', isDone: true, kind: 'run', marked: [{ any: 1 }], counts: { a: 1 }, one: { text: 'x', state: 'on' } };
  expect(hidePayloads(schema, { ...data, by: [{ id: '0123456789', name: 'x' }] })).toEqual({
    ...data,
    by: [{ id: '0123456789', name: 'run-23456789' }],
    one: { text: '[hidden]', state: 'on' },
  });
});

test('a mark is of one field: the schema that it was made of has none', () => {
  const shared = z.string();
  const schema = z.strictObject({ open: noPayload(shared), closed: shared, other: replaced(shared, () => 'instead').describe('told') });
  expect(hidePayloads(schema, { open: 'x', closed: 'x', other: 'x' })).toEqual({ open: 'x', closed: '[hidden]', other: 'instead' });
});

test('data of another form than the schema says is hidden as well', () => {
  const schema = z.strictObject({ items: z.array(z.strictObject({ id: word })), of: z.strictObject({ id: word }).nullable() });
  expect(hidePayloads(schema, { items: 'x', of: ['x'] })).toEqual({ items: [], of: null });
  expect(hidePayloads(z.union([z.strictObject({ id: word }), z.literal('a')]), 'x')).toBe(null);
});

test('a digest tells values apart and is the same each time', () => {
  expect(digestOf('a')).toBe(digestOf('a'));
  expect(digestOf('a')).not.toBe(digestOf('b'));
});
