/** PostgreSQL is restarted and taken away from a fleet under load; see `survive.ts` for what must hold afterwards. */
import { describe, test } from 'vitest';
import { seed, timeoutMs } from '../support/chaos.ts';
import { survive } from '../support/survive.ts';
import { postgresAway, postgresRestarts } from '../support/troubles.ts';

describe(`seed ${seed}`, () => {
  test(
    'PostgreSQL restarted again and again: no run is lost, nothing recorded is executed again',
    () => survive(postgresRestarts),
    timeoutMs,
  );
  test(
    'PostgreSQL crashed, and away for longer than a lease: no run is lost, nothing recorded is executed again',
    () => survive(postgresAway),
    timeoutMs,
  );
});
