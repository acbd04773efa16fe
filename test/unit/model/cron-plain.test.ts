/** Plain cron expressions are computed by table; croner itself is the oracle. */
import { Cron } from 'croner';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { nextCron } from '../../../src/model/schedule/cron.ts';

const zones = ['UTC', 'America/New_York', 'Europe/Lisbon', 'Australia/Lord_Howe', 'Africa/Casablanca', 'Asia/Kolkata', 'Pacific/Apia'];

it('a cron expression ticks as croner says, near clock changes and far from them', { timeout: 300_000 }, () => {
  const field = (first: number, last: number, more: readonly string[] = []): fc.Arbitrary<string> => {
    const value = fc.integer({ min: first, max: last });
    return fc.oneof(
      { arbitrary: fc.constant('*'), weight: 4 },
      { arbitrary: value.map(String), weight: 3 },
      fc.integer({ min: 1, max: last - first }).map((by) => `*/${by}`),
      fc.tuple(value, value).map(([one, other]) => `${Math.min(one, other)}-${Math.max(one, other)}`),
      fc.constantFrom('*', ...more),
    );
  };
  const expression = fc.tuple(
    field(0, 59),
    field(0, 59),
    field(0, 23),
    field(1, 28, ['L', '15W', 'LW']),
    field(1, 12),
    field(0, 7, ['MON#2', 'FRIL']),
  );
  const instant = fc.integer({ min: Date.UTC(2009, 0, 1), max: Date.UTC(2035, 0, 1) });
  fc.assert(
    fc.property(expression, fc.constantFrom(...zones), instant, (parts, timezone, from) => {
      const text = parts.join(' ');
      const cron = new Cron(text, { timezone, mode: '5-or-6-parts', fixedTimeRule: 'no-wildcard' });
      let expected: number | null = from;
      let found: number | null = from;
      for (let at = 0; at < 5 && expected !== null && found !== null; at++) {
        expected = cron.nextRun(new Date(expected))?.getTime() ?? null;
        found = nextCron(text, timezone, found);
        expect(found, `${text} in ${timezone}`).toBe(expected);
      }
    }),
    { numRuns: 1_000 },
  );
});
