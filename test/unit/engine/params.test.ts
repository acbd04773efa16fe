import { type } from 'arktype';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { FlowOptions } from 'batuta';
import { testFlow } from 'batuta/testing';
import { definitionOf } from '../../../src/define/definition.ts';
import { issueMessage } from '../../../src/engine/submit/issue-message.ts';
import { jsonSchemaOf } from '../../../src/engine/submit/json-schema.ts';
import { paramsFromText, validateParams } from '../../../src/engine/submit/params.ts';
import type { TaskContext } from 'batuta';
import { failing, makeFlow } from '../../support/make-flow.ts';

const flowWith = (params: FlowOptions['params']) =>
  makeFlow({ give: { does: (ctx: TaskContext) => ctx.params } }, params ? { params } : {});
const validated = (params: FlowOptions['params'], given: unknown): Promise<unknown> =>
  validateParams(definitionOf(flowWith(params)), given);
const fromText = (params: FlowOptions['params'], texts: Record<string, string>, given?: unknown): Promise<unknown> =>
  paramsFromText(definitionOf(flowWith(params)), given, texts);

const schemas = {
  zod: z.object({ month: z.string(), count: z.number().default(3) }),
  valibot: v.object({ month: v.string(), count: v.optional(v.number(), 3) }),
  arktype: type({ month: 'string', count: 'number = 3' }),
};

describe.each(Object.entries(schemas))('parameters with %s', (_, schema) => {
  test('are checked, and defaults filled in', async () => {
    expect((await testFlow(flowWith(schema), { month: '01' })).result).toEqual({ month: '01', count: 3 });
  });

  test('that do not fit are refused with every fault, before a run exists', async () => {
    await expect(testFlow(flowWith(schema), { month: 1, count: 'x' })).rejects.toMatchObject({
      code: 'PARAMS_INVALID',
      details: { issues: [expect.objectContaining({ path: 'month' }), expect.objectContaining({ path: 'count' })].toSorted(() => 0) },
    });
  });

  test('that are missing are named', async () => {
    await expect(validated(schema, {})).rejects.toMatchObject({ code: 'PARAMS_INVALID', message: expect.stringMatching(/month/) });
    await expect(validated(schema, undefined)).rejects.toMatchObject({ code: 'PARAMS_INVALID' });
  });

  test('that are unknown are refused with the nearest name', async () => {
    await expect(validated(schema, { month: '01', coun: 4 })).rejects.toMatchObject({
      code: 'PARAMS_INVALID',
      message: expect.stringContaining("'count'"),
    });
  });

  test('that are no object are refused', async () => {
    for (const given of ['text', 7, ['a'], true]) await expect(validated(schema, given)).rejects.toMatchObject({ code: 'PARAMS_INVALID' });
  });

  test('given as text become what the schema asks for', async () => {
    expect(await fromText(schema, { month: '01', count: '5' })).toEqual({ month: '01', count: 5 });
    expect(await fromText(schema, { count: '5' }, { month: '02', count: 1 })).toEqual({ month: '02', count: 5 });
  });
});

describe('parameters', () => {
  test('are coerced and changed as the schema says, once', async () => {
    const schema = z.object({ at: z.coerce.date(), tags: z.string().transform((text) => text.split(',')) });
    expect((await testFlow(flowWith(schema), { at: '2024-01-01', tags: 'a,b' })).result).toEqual({
      at: new Date('2024-01-01'),
      tags: ['a', 'b'],
    });
  });

  test('are checked by schemas that take their time', async () => {
    const schema = z.object({ name: z.string().refine(async (name) => name !== 'taken', 'is taken') });
    await expect(testFlow(flowWith(schema), { name: 'taken' })).rejects.toMatchObject({
      code: 'PARAMS_INVALID',
      message: expect.stringContaining('name: is taken'),
    });
    (await testFlow(flowWith(schema), { name: 'free' })).expectState('Completed');
  });

  test('a schema that throws is a refusal with its reason', async () => {
    await expect(validated(z.object({ a: z.string().transform(failing('cannot read it')) }), { a: 'x' })).rejects.toMatchObject({
      code: 'PARAMS_INVALID',
      message: expect.stringContaining('cannot read it'),
    });
  });

  test('a field that goes into another is no unknown one, also where the schema cannot say what it takes', async () => {
    const renamed = v.pipe(
      v.object({ from: v.string() }),
      v.transform(({ from }) => ({ start: from })),
    );
    expect(await validated(renamed, { from: 'a' })).toEqual({ start: 'a' });
    await expect(validated(renamed, { from: 'a', fron: 'b' })).rejects.toMatchObject({ code: 'PARAMS_INVALID' });
  });

  test('an open schema takes what it does not know', async () => {
    expect(await validated(z.looseObject({ a: z.string() }), { a: 'x', b: 1 })).toEqual({ a: 'x', b: 1 });
    expect(await validated(z.record(z.string(), z.number()), { a: 1 })).toEqual({ a: 1 });
  });

  test('without a schema are taken as they are; text that is JSON is read as JSON', async () => {
    expect((await testFlow(flowWith(undefined), { anything: new Date(0) })).result).toEqual({ anything: new Date(0) });
    expect(await fromText(undefined, { n: '5', s: 'five', list: '[1]', t: 'true' })).toEqual({ n: 5, s: 'five', list: [1], t: true });
  });

  test('that cannot be stored are refused with their path', async () => {
    await expect(testFlow(flowWith(undefined), { callback: () => 1 })).rejects.toMatchObject({
      code: 'RESULT_NOT_SERIALIZABLE',
      details: { path: 'callback' },
    });
  });

  test('the flow has a copy: what it changes in them changes nothing outside', async () => {
    const given = { list: [1] };
    await testFlow(makeFlow({ change: { does: (ctx: TaskContext) => void (ctx.params as typeof given).list.push(2) } }), given);
    expect(given).toEqual({ list: [1] });
  });
});

describe('a union', () => {
  const at = z.union([z.number(), z.object({ from: z.string(), to: z.union([z.string(), z.boolean()]) })]);

  test('that does not fit says what each of its forms says, unions within it included', async () => {
    await expect(validated(z.object({ at }), { at: { from: 'a', to: 1 } })).rejects.toMatchObject({
      code: 'PARAMS_INVALID',
      message:
        'The parameters do not fit flow made: at: It fits none of 2 forms: (1) Invalid input: expected number, received object; ' +
        '(2) to: It fits none of 2 forms: (1) Invalid input: expected string, received number; (2) Invalid input: expected boolean, received number.',
      details: { issues: [{ path: 'at', message: expect.stringMatching(/^It fits none of 2 forms: /) }] },
    });
  });

  test('of zod 3 is explained as well, and one of many forms is cut', async () => {
    const branch = (name: string): object => ({ issues: [{ message: `expected ${name}`, path: ['kind'] }] });
    const zod3 = { message: 'Invalid input', path: ['at'], unionErrors: Array.from({ length: 8 }, (_, form) => branch(`${form}`)) };
    expect(issueMessage(zod3)).toBe(
      `It fits none of 8 forms: ${[0, 1, 2, 3, 4, 5].map((form) => `(${form + 1}) kind: expected ${form}`).join('; ')}; and 2 more`,
    );
  });

  test('with a discriminator names what it may be', async () => {
    const schema = z.object({ at: z.discriminatedUnion('kind', [z.object({ kind: z.literal('a') }), z.object({ kind: z.literal('b') })]) });
    await expect(validated(schema, { at: { kind: 'c' } })).rejects.toThrow(/at\.kind: Invalid discriminator value\. Expected 'a' \| 'b'/);
  });
});

describe('a field that JSON cannot say', () => {
  const schema = z.object({
    day: z.date(),
    big: z.bigint().default(5n),
    rates: z.map(z.string(), z.number()).optional(),
    names: z.set(z.string()).optional(),
    list: z
      .string()
      .transform((text) => text.split(','))
      .default(['a', 'b']),
    n: z.number().default(3),
  });

  test('takes no other field of the form away, and a date is one', () => {
    expect(jsonSchemaOf(schema)).toMatchObject({
      properties: {
        day: { type: 'string', format: 'date-time', 'x-type': 'date' },
        big: { 'x-type': 'bigint', 'x-default': '5' },
        rates: { 'x-type': 'map' },
        names: { 'x-type': 'set' },
        list: { type: 'string', 'x-default': '["a","b"]' },
        n: { type: 'number', default: 3 },
      },
      required: ['day'],
    });
  });

  test('may be written as JSON', async () => {
    const given = { day: '2026-03-01T00:00:00Z', big: '12345678901234567890', rates: { a: 1 }, names: ['x'] };
    expect(await validated(schema, given)).toEqual({
      day: new Date('2026-03-01T00:00:00Z'),
      big: 12345678901234567890n,
      rates: new Map([['a', 1]]),
      names: new Set(['x']),
      list: ['a', 'b'],
      n: 3,
    });
    await expect(validated(schema, { day: 'soon' })).rejects.toMatchObject({ code: 'PARAMS_INVALID' });
    await expect(validated(schema, { day: '2026-03-01', big: 'many' })).rejects.toMatchObject({ code: 'PARAMS_INVALID' });
  });
});
