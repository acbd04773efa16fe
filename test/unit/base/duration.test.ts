import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatDuration, parseDuration } from '../../../src/base/duration.ts';
import { isBatutaError } from '../../../src/base/errors.ts';

test.each([
  ['250ms', 250],
  ['10s', 10_000],
  ['5m', 300_000],
  ['1 hour', 3_600_000],
  ['2 days', 172_800_000],
  ['1h30m', 5_400_000],
  ['1.5s', 1_500],
  ['2 Weeks', 1_209_600_000],
  [' 10s ', 10_000],
  ['PT1M', 60_000],
  ['P1D', 86_400_000],
  ['P1W', 604_800_000],
  ['P1DT2H3M4.5S', 93_784_500],
  ['PT0,5S', 500],
  [0, 0],
  [1_500, 1_500],
  [0.4, 0],
])('%j is %i ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each([
  '',
  '10',
  'ten seconds',
  '-5s',
  '5x',
  '30m1h',
  '1s1s',
  '5M',
  'P',
  'PT',
  'P1M',
  'P1Y',
  'PT1D',
  '10s!',
  '1e400s',
  -1,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  null,
  undefined,
  {},
  true,
])('%j is refused with a sentence that shows what to write', (value) => {
  try {
    parseDuration(value);
    expect.unreachable();
  } catch (error) {
    expect(isBatutaError(error, 'DURATION_INVALID')).toBe(true);
    expect(String(error)).toContain("'10s'");
  }
});

test('any text is either whole milliseconds from 0 or refused with its code', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9.]{0,5} ?[a-zA-Z]{0,4}[0-9]{0,3}[smhd]?$/)), (text) => {
      try {
        const ms = parseDuration(text);
        expect(Number.isSafeInteger(ms) && ms >= 0).toBe(true);
      } catch (error) {
        expect(isBatutaError(error, 'DURATION_INVALID')).toBe(true);
      }
    }),
  );
});

test.each([
  [0, '0 ms'],
  [850, '850 ms'],
  [999.6, '1.0 s'],
  [1_234, '1.2 s'],
  [59_960, '1 m 00 s'],
  [72_000, '1 m 12 s'],
  [3_599_600, '1 h 00 m'],
  [7_500_000, '2 h 05 m'],
  [86_400_000, '1 d 00 h'],
  [273_600_000, '3 d 04 h'],
  [-1_500, '-1.5 s'],
  [Number.NaN, '–'],
])('%d ms is shown as %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});
