import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { durationWords, formatDuration, parseDuration, periodWords } from '../../../src/base/duration.ts';

describe('a duration', () => {
  test.each<[unknown, number]>([
    ['10s', 10_000],
    ['5m', 300_000],
    ['1 hour', 3_600_000],
    ['2 days', 172_800_000],
    ['1h30m', 5_400_000],
    ['1h 30m 5s', 5_405_000],
    ['1 day 2 hours', 93_600_000],
    ['250ms', 250],
    ['1.5s', 1_500],
    ['1 Week', 604_800_000],
    [' 3 min ', 180_000],
    ['0s', 0],
    [0, 0],
    [1500, 1_500],
    [0.4, 0],
    ['PT1M', 60_000],
    ['P1D', 86_400_000],
    ['P1W', 604_800_000],
    ['P1DT2H3M4S', 93_784_000],
    ['PT0.5S', 500],
    ['PT1,5S', 1_500],
  ])('%s is %d ms', (value, ms) => {
    expect(parseDuration(value)).toBe(ms);
  });

  test.each<[unknown]>([
    ...[
      '',
      ' ',
      'soon',
      '10',
      '10 s 5',
      '-1s',
      '1x',
      '30m1h',
      '1m1m',
      '5M',
      's',
      '1e3s',
      '1 s!',
      'P',
      'PT',
      'P1M',
      'P1Y',
      'PT1M1H',
      'p1d',
      '1..5s',
      '9'.repeat(99).concat('w'),
    ].map((text): [unknown] => [text]),
    [-1],
    [Number.NaN],
    [Number.POSITIVE_INFINITY],
    [1e300],
    [null],
    [undefined],
    [true],
    [{}],
    [['1s']],
    [10n],
  ])('%s is none', (value) => {
    expect(() => parseDuration(value)).toThrow(
      expect.objectContaining({
        code: 'DURATION_INVALID',
        message: expect.stringMatching(/is not a duration\. Write '250ms', '10s', .*'PT1M'/),
      }),
    );
  });

  test('the message names the value', () => {
    expect(() => parseDuration('soon')).toThrow(/^'soon' is not/);
    expect(() => parseDuration(-5)).toThrow(/^-5 is not/);
  });

  test('parts add up, with and without blanks', () => {
    const part = (max: number): fc.Arbitrary<number> => fc.integer({ min: 0, max });
    fc.assert(
      fc.property(part(99), part(99), part(99), part(9_999), part(9_999), fc.constantFrom('', ' '), (d, h, m, s, ms, gap) => {
        const text = `${d}${gap}d${gap}${h}h${gap}${m}m${gap}${s}${gap}s${gap}${ms}ms`;
        const total = (((d * 24 + h) * 60 + m) * 60 + s) * 1_000 + ms;
        expect(parseDuration(text)).toBe(total);
        expect(parseDuration(`P${d}DT${h}H${m}M${s}S`)).toBe(total - ms);
      }),
    );
  });

  test('any text is a whole number of milliseconds or refused with the code', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9.]{0,6} ?[a-zA-Z]{0,4}[0-9]{0,3}[a-z]{0,2}$/)), (text) => {
        try {
          const ms = parseDuration(text);
          expect(Number.isSafeInteger(ms) && ms >= 0).toBe(true);
        } catch (error) {
          expect(error).toMatchObject({ code: 'DURATION_INVALID' });
        }
      }),
    );
  });
});

describe('a duration for people', () => {
  test.each([
    [0, '0 ms'],
    [850, '850 ms'],
    [999.4, '999 ms'],
    [999.6, '1.0 s'],
    [1_234, '1.2 s'],
    [59_940, '59.9 s'],
    [59_960, '1 m 00 s'],
    [72_000, '1 m 12 s'],
    [3_599_600, '1 h 00 m'],
    [7_500_000, '2 h 05 m'],
    [86_390_000, '1 d 00 h'],
    [273_600_000, '3 d 04 h'],
    [-72_000, '-1 m 12 s'],
    [Number.NaN, '–'],
  ])('%d ms is %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});

describe('a duration that somebody chose', () => {
  test.each([
    [1_000, '1 second', 'second'],
    [30_000, '30 seconds', '30 seconds'],
    [3_600_000, '1 hour', 'hour'],
    [5_400_000, '1 h 30 m', '1 h 30 m'],
    [86_400_000, '1 day', 'day'],
    [2_592_000_000, '30 days', '30 days'],
    [250, '250 ms', '250 ms'],
    [0, '0 ms', '0 ms'],
  ])('%d ms reads %s, and every %s', (ms, words, period) => {
    expect(durationWords(ms)).toBe(words);
    expect(periodWords(ms)).toBe(period);
  });
});
