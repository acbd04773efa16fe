import { describe, expect, test } from 'vitest';
import { concurrencyKeyOf } from '../../../src/engine/limits/limit-key.ts';

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
    expect(keyOf(() => 5 as never)).toBe('flow:sync:5');
  });
});
