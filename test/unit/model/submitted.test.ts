import { describe, expect, test } from 'vitest';
import { forPeople, sensitivePathsIn, withSensitivePaths } from '../../../src/model/sensitive.ts';
import { submittedIn, withoutSubmitted, withSubmitted } from '../../../src/model/submitted.ts';
import { decodeValue, encodeValue } from '../../../src/model/values.ts';

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00';
const said = { traceparent, callerRunId: 'a "caller"}', refreshCache: true } as const;

describe('what stands beside parameters', () => {
  test.each([
    ['plain data', { city: 'Oslo' }, []],
    ['dates', { at: new Date(0) }, []],
    ['nothing', undefined, []],
    ['a field of its own name', { submitted: { traceparent: 'x' }, list: [1] }, []],
    ['sensitive fields', { key: 'k1', at: new Date(1) }, ['key']],
    ['sensitive fields and one of its name', { key: 'k1', submitted: said }, ['key', 'submitted.traceparent']],
  ])('is read again, and left out of the value, beside %s', (_, value, paths) => {
    const bare = withSensitivePaths(encodeValue(value, 'value') ?? 'null', paths);
    const text = withSubmitted(bare, said, paths);
    expect(submittedIn(text)).toEqual(said);
    expect(submittedIn(bare)).toEqual({});
    expect(decodeValue(text)).toEqual(value);
    expect(sensitivePathsIn(text)).toEqual(paths);
    expect(text.startsWith('{"json":')).toBe(true);
    expect(decodeValue(withoutSubmitted(text))).toEqual(value);
    expect(submittedIn(forPeople(text))).toEqual({});
    expect(withoutSubmitted(bare)).toBe(bare);
    if (value !== undefined) expect(withoutSubmitted(text)).toBe(bare);
  });

  test('changes nothing where nothing was said', () => {
    expect(withSubmitted('{"json":{"a":1}}', {})).toBe('{"json":{"a":1}}');
    expect(withSubmitted('null', {})).toBe('null');
  });

  test('is nothing where the text is no JSON, or none that was written here; of one with sensitive fields nothing is shown', () => {
    const text = withSubmitted(withSensitivePaths('{"json":{"key":"k1"}}', ['key']), said, ['key']);
    for (const broken of [text.slice(1), text.replace('{"traceparent"', '{traceparent"'), '{"json":{},"submitted":{"traceparent":"00']) {
      expect(submittedIn(broken)).toEqual({});
      expect(forPeople(text.slice(1))).not.toContain('k1');
    }
    expect(submittedIn('[{"json":1,"submitted":{}}]')).toEqual({});
  });
});
