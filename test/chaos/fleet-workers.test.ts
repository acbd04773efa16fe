/** Workers of a fleet that die and freeze under load; see `survive.ts` for what must hold afterwards. */
import { describe, test } from 'vitest';
import { seed, timeoutMs } from '../support/chaos.ts';
import { survive } from '../support/survive.ts';
import { freezes, kills } from '../support/troubles.ts';

describe(`seed ${seed}`, () => {
  test('a random worker killed every second: no run is lost, nothing recorded is executed again', () => survive(kills), timeoutMs);
  test('random workers frozen for two leases: no run is lost, nothing recorded is executed again', () => survive(freezes), timeoutMs);
});
