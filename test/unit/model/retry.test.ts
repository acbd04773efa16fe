import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { noRetry, type RetryPolicy, retryDelayMs } from '../../../src/model/retry.ts';

const policy = (changes: Partial<RetryPolicy>): RetryPolicy => ({ ...noRetry, retries: 10, ...changes });
const waits = (given: Partial<RetryPolicy>, failures: number): number[] =>
  Array.from({ length: failures }, (_, at) => retryDelayMs(policy(given), at + 1, new Error('x'), () => 0.5));

describe('retryDelayMs', () => {
  test('a fixed delay stays the same', () => {
    expect(waits({ delayMs: 250 }, 4)).toEqual([250, 250, 250, 250]);
  });

  test('the last value of a list repeats', () => {
    expect(waits({ delayMs: [10, 200, 3_000] }, 5)).toEqual([10, 200, 3_000, 3_000, 3_000]);
    expect(waits({ delayMs: [] }, 2)).toEqual([0, 0]);
  });

  test('an exponential delay doubles up to its bound', () => {
    expect(waits({ delayMs: 100, backoff: 'exponential', maxDelayMs: 1_000 }, 6)).toEqual([100, 200, 400, 800, 1_000, 1_000]);
  });

  test('a function is given the failed attempt and its error', () => {
    const seen: unknown[] = [];
    const delayMs = (attempt: number, error: unknown): number => {
      seen.push(attempt, (error as Error).message);
      return attempt * 7;
    };
    expect(waits({ delayMs }, 2)).toEqual([7, 14]);
    expect(seen).toEqual([1, 'x', 2, 'x']);
  });

  const anyPolicy = fc.record({
    retries: fc.nat(20),
    delayMs: fc.oneof(
      fc.double({ min: 0, max: 1e9, noNaN: true }),
      fc.array(fc.double({ min: 0, max: 1e9, noNaN: true }), { maxLength: 5 }),
    ),
    backoff: fc.constantFrom('fixed' as const, 'exponential' as const),
    maxDelayMs: fc.option(fc.nat(1_000_000), { nil: null }),
    jitter: fc.double({ min: 0, max: 1, noNaN: true }),
    retryIf: fc.constant(null),
  });
  const anyRandom = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

  test('a wait is whole, finite, at least 0 and never above its bound, whatever the policy', () => {
    fc.assert(
      fc.property(anyPolicy, fc.integer({ min: 1, max: 2_000 }), anyRandom, (given, failures, random) => {
        const ms = retryDelayMs(given, failures, null, () => random);
        expect(Number.isSafeInteger(ms) || ms < 1e300).toBe(true);
        expect(ms).toBeGreaterThanOrEqual(0);
        expect(ms).toBe(Math.round(ms));
        if (given.maxDelayMs !== null) expect(ms).toBeLessThanOrEqual(given.maxDelayMs);
      }),
    );
  });

  test('jitter stays within its share of the wait', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1_000_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        anyRandom,
        (delayMs, jitter, random) => {
          const ms = retryDelayMs(policy({ delayMs, jitter }), 1, null, () => random);
          expect(ms).toBeGreaterThanOrEqual(Math.floor(delayMs * (1 - jitter)));
          expect(ms).toBeLessThanOrEqual(Math.ceil(delayMs * (1 + jitter)));
        },
      ),
    );
  });

  test('jitter is spread evenly over its share: the least at 0, the plain wait in the middle, the most towards 1', () => {
    const wait = (random: number, jitter = 0.5): number => retryDelayMs(policy({ delayMs: 1_000, jitter }), 1, null, () => random);
    expect([wait(0), wait(0.25), wait(0.5), wait(0.75), wait(1)]).toEqual([500, 750, 1_000, 1_250, 1_500]);
    expect([wait(0, 0), wait(1, 0)]).toEqual([1_000, 1_000]);
  });

  test('a function that gives no number makes no wait', () => {
    for (const given of [Number.NaN, Number.POSITIVE_INFINITY, -5]) expect(waits({ delayMs: () => given }, 1)).toEqual([0]);
  });
});
