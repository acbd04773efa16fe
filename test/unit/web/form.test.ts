import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { errorsOfServer, readObject, readValues, startValues } from '../../../web/src/form/form-values.ts';
import { fieldsOf } from '../../../web/src/form/schema-fields.ts';

const schema = z.object({
  month: z.string().describe('Month to read'),
  pages: z.int().positive().default(100),
  share: z.number().min(0).max(1),
  dry: z.boolean().default(false),
  kind: z.enum(['full', 'delta']).optional(),
  level: z.union([z.literal('low'), z.literal(3)]),
  day: z.iso.date(),
  at: z.iso.datetime().nullable(),
  cities: z.array(z.string()).default(['Lisbon']),
  options: z.object({ deep: z.boolean() }).optional(),
});
const fields = fieldsOf(z.toJSONSchema(schema, { io: 'input' })) ?? [];
const names = fields.map(({ name }) => name);

describe('the form of a schema', () => {
  it('has a field of the right kind for each parameter', () => {
    expect(fields.map(({ name, kind, required, nullable }) => [name, kind, required, nullable])).toEqual([
      ['month', 'text', true, false],
      ['pages', 'integer', false, false],
      ['share', 'number', true, false],
      ['dry', 'boolean', false, false],
      ['kind', 'choice', false, false],
      ['level', 'choice', true, false],
      ['day', 'date', true, false],
      ['at', 'datetime', true, true],
      ['cities', 'texts', false, false],
      ['options', 'json', false, false],
    ]);
    expect(fields[0]?.description).toBe('Month to read');
    expect(fields[1]?.hint).toBe('whole number, over 0');
    expect(fields[2]?.hint).toBe('from 0 to 1');
    expect(fields[5]?.choices).toEqual(['low', 3]);
  });

  it('begins with the defaults, or with the parameters of an earlier run', () => {
    expect(startValues(fields)).toMatchObject({ month: '', pages: '100', dry: 'false', cities: ['Lisbon'], options: '' });
    expect(startValues(fields, { month: '01', level: 3, options: { deep: true }, at: null })).toMatchObject({
      month: '01',
      level: '3',
      options: '{\n  "deep": true\n}',
      at: '',
    });
  });

  it('gives parameters with the types of the schema, and leaves empty fields to their defaults', () => {
    const values = {
      ...startValues(fields),
      month: '01',
      share: '0.5',
      level: '3',
      day: '2026-03-08',
      options: '{"deep":true}',
      pages: '',
    };
    expect(readValues(fields, values)).toEqual({
      params: { month: '01', share: 0.5, dry: false, level: 3, day: '2026-03-08', at: null, cities: ['Lisbon'], options: { deep: true } },
    });
  });

  it('tells what is wrong at the field', () => {
    const values = { ...startValues(fields), pages: '1.5', share: 'x', level: '3', options: '{' };
    expect(readValues(fields, values)).toEqual({
      errors: {
        month: 'This is needed.',
        pages: 'This has to be a whole number.',
        share: 'This is no number.',
        day: 'This is needed.',
        options: expect.stringContaining('This is not JSON'),
      },
    });
  });

  it('puts what the server refuses at the field, the rest at the form', () => {
    const details = {
      issues: [
        { path: 'options.deep', message: 'Expected boolean' },
        { path: 'x', message: 'Unknown' },
        { path: '', message: 'No' },
        3,
        null,
      ],
    };
    expect(errorsOfServer(details, names)).toEqual({ options: 'deep: Expected boolean', '': 'x: Unknown; No' });
    expect(errorsOfServer(null, names)).toBeNull();
    expect(errorsOfServer({ issues: [] }, names)).toBeNull();
  });

  it('follows references, and gives up on what is no object', () => {
    const referring = {
      $ref: '#/$defs/all',
      $defs: {
        all: { type: 'object', properties: { a: { $ref: '#/$defs/n' }, b: { $ref: '#/$defs/b' } } },
        n: { type: 'number' },
        b: { $ref: '#/$defs/b' },
      },
    };
    expect(fieldsOf(referring)?.map(({ kind }) => kind)).toEqual(['number', 'json']);
    for (const other of [null, 3, {}, { type: 'array' }, { anyOf: [] }]) expect(fieldsOf(other)).toBeNull();
  });

  it('reads an object of parameters from JSON text', () => {
    expect(readObject(' {"a":1} ')).toEqual({ params: { a: 1 } });
    expect(readObject('')).toEqual({ params: {} });
    expect(readObject('[1]')).toEqual({ error: 'Parameters are an object: { "name": value }.' });
    expect(readObject('{')).toHaveProperty('error');
  });
});
