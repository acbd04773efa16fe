import { describe, expect, test } from 'vitest';
import { concurrencyKeyOf, fairKeyOf, limitName, rateSubmitted } from '../../../src/engine/limits/limit-key.ts';

const limited = (key: string | ((params: unknown) => string) | null) => ({ limit: 1, key, onConflict: 'queue' }) as const;
const keyOf = (key: Parameters<typeof limited>[0], params: unknown = {}) =>
  concurrencyKeyOf({ flow: { name: 'sync', concurrency: limited(key) }, params });

describe('the name of the limit a run is under', () => {
  test('a flow without a limit has none', () => {
    expect(concurrencyKeyOf({ flow: { name: 'sync', concurrency: null }, params: {} })).toBe(null);
  });

  test('it names the flow, and the key where there is one', () => {
    expect(keyOf(null)).toBe('flow:sync');
    expect(keyOf('{customer}', { customer: 'acme' })).toBe('flow:sync:acme');
    expect(keyOf('{range.from}', { range: { from: 3 } })).toBe('flow:sync:3');
    expect(keyOf((params) => (params as { id: string }).id.toUpperCase(), { id: 'x' })).toBe('flow:sync:X');
  });

  test('the limit of a deployment stands for that of its flow; one without a limit leaves the flow its own', () => {
    const flow = { name: 'sync', concurrency: limited(null) };
    const deployment = { name: 'sync-eu', concurrency: { limit: 2, key: '{customer}', onConflict: 'skip' } } as const;
    expect(concurrencyKeyOf({ flow, deployment, params: { customer: 'acme' } })).toBe('deployment:sync-eu:acme');
    expect(concurrencyKeyOf({ flow, deployment: { ...deployment, concurrency: null }, params: {} })).toBe('flow:sync');
  });

  test('a colon in the name of a flow is not taken for the beginning of a key', () => {
    const name = (flow: string, key: string | null) =>
      concurrencyKeyOf({ flow: { name: flow, concurrency: limited(key) }, params: { k: 'b' } });
    expect(name('a:b', null)).not.toBe(name('a', '{k}'));
  });

  test('a key that is far too long is cut, and stays apart from others', () => {
    const [a, b] = [keyOf('{k}', { k: `${'x'.repeat(5_000)}a` }), keyOf('{k}', { k: `${'x'.repeat(5_000)}b` })];
    expect(a).toHaveLength(300);
    expect(a).not.toBe(b);
  });

  test('a function that throws or gives no text is refused in a sentence', () => {
    const failing = () => {
      throw new Error('no such customer');
    };
    expect(() => keyOf(failing)).toThrow('The function concurrency.key threw: no such customer');
    expect(() => keyOf(() => undefined as never)).toThrow('The function concurrency.key must give a text, not undefined.');
    expect(() => keyOf(() => null as never)).toThrow('must give a text, not null.');
    expect(() => keyOf(() => ({}) as never)).toThrow('must give a text, not object.');
    expect([5, 5n, true].map((key) => keyOf(() => key as never))).toEqual(['flow:sync:5', 'flow:sync:5', 'flow:sync:true']);
    const cause = new Error('no such customer');
    const thrower = (thrown: unknown) => () => {
      throw thrown;
    };
    expect(() => keyOf(thrower('a text'))).toThrow('The function concurrency.key threw: a text');
    expect(() => keyOf(thrower(cause))).toThrow(expect.objectContaining({ code: 'OPTION_INVALID', cause }) as Error);
    expect(() => limitName('flow', 'sync', thrower(cause), {}, 'rateLimit.key')).toThrow('The function rateLimit.key threw');
  });

  test('a flow of which only the record is known has none yet where a function gives its key, and one where a template does', () => {
    const recorded = (byFunction: boolean, key: string | null) =>
      concurrencyKeyOf({ flow: { name: 'sync', concurrency: { limit: 1, key, onConflict: 'queue', byFunction } }, params: { k: 'a' } });
    expect([recorded(true, null), recorded(false, '{k}'), recorded(false, null)]).toEqual([null, 'flow:sync:a', 'flow:sync']);
  });

  test('one of just the longest length is kept whole', () => {
    const room = 300 - 'flow:sync:'.length;
    expect(keyOf('{k}', { k: 'x'.repeat(room) })).toBe(`flow:sync:${'x'.repeat(room)}`);
    expect(keyOf('{k}', { k: 'x'.repeat(room + 1) })).toMatch(/^flow:sync:x+~[0-9a-f]{16}$/);
  });
});

test('the key by which a run takes turns is made as that of a limit, without a name before it', () => {
  expect([fairKeyOf(null, {}), fairKeyOf('{customer}', { customer: 'acme' }), fairKeyOf(() => 'by function', {})]).toEqual([
    null,
    'acme',
    'by function',
  ]);
  expect(() => fairKeyOf(() => undefined as never, {})).toThrow('The function fairness.key must give a text, not undefined.');
});

test('the rate of a deployment is submitted with its run, with its key, and nothing where there is none', () => {
  const rateLimit = { limit: 1, perMs: 1_000, key: '{customer}' };
  expect(rateSubmitted({ name: 'sync', rateLimit }, { customer: 'acme' })).toEqual({ rate: 'deployment:sync:acme' });
  expect(rateSubmitted({ name: 'sync', rateLimit: { ...rateLimit, key: null } }, {})).toEqual({ rate: 'deployment:sync' });
  expect([rateSubmitted({ name: 'sync' }, {}), rateSubmitted({ name: 'sync', rateLimit: null }, {}), rateSubmitted(null, {})]).toEqual([
    {},
    {},
    {},
  ]);
});
