/** Redis is emptied and taken away from a fleet under load; see `survive.ts` for what must hold afterwards. */
import { describe, test } from 'vitest';
import { seed, timeoutMs } from '../support/chaos.ts';
import { survive } from '../support/survive.ts';
import { flushes, redisAway } from '../support/troubles.ts';

describe(`seed ${seed}`, () => {
  test('Redis emptied again and again: no run is lost, nothing recorded is executed again', () => survive(flushes), timeoutMs);
  test('Redis away for seconds, and back empty: no run is lost, nothing recorded is executed again', () => survive(redisAway), timeoutMs);
});
