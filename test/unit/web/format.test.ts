import { expect, test } from 'vitest';
import {
  countText,
  dateTimeText,
  durationText,
  numberText,
  percentText,
  plural,
  relativeText,
  runningText,
} from '../../../web/src/parts/format.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

test.each([
  [0, '0 ms'],
  [340, '340 ms'],
  [4_250, '4.2 s'],
  [59_900, '59 s'],
  [minute, '1 m'],
  [72 * second, '1 m 12 s'],
  [3 * hour + 5 * minute, '3 h 5 m'],
  [52 * hour, '2 d 4 h'],
  [-5, '0 ms'],
  [null, '–'],
])('a duration of %s ms reads %s', (ms, text) => {
  expect(durationText(ms)).toBe(text);
});

test('what still runs counts whole seconds, so that it does not flicker', () => {
  expect([200, 1_900, 9_999, 61_500].map(runningText)).toEqual(['0 s', '1 s', '9 s', '1 m 1 s']);
});

test('times are relative within a day, in both directions, and absolute beyond it', () => {
  const now = Date.UTC(2026, 10, 22, 12);
  expect([-3 * minute, 42 * second, 0, -23 * hour].map((offset) => relativeText(now + offset, now))).toEqual([
    '3 min ago',
    'in 42 s',
    'now',
    '23 h ago',
  ]);
  expect(relativeText(now - 25 * hour, now)).toMatch(/^2[12] Nov \d\d:\d\d$/);
  expect(relativeText(now - 400 * 24 * hour, now)).toMatch(/2025 \d\d:\d\d$/);
});

test('an exact time has seconds, and the day where it is another', () => {
  const now = new Date(2026, 10, 22, 12).getTime();
  expect(dateTimeText(new Date(2026, 10, 22, 9, 5, 7).getTime(), now, true)).toBe('09:05:07');
  expect(dateTimeText(new Date(2026, 10, 20, 9, 5, 7).getTime(), now, true)).toBe('20 Nov 09:05:07');
});

test('a share is never rounded to all or nothing unless it is', () => {
  expect([1, 0.99999, 0.5, 0.0001, 0].map(percentText)).toEqual(['100 %', '99.9 %', '50 %', '0.1 %', '0 %']);
});

test('numbers have the same, with what follows the point', () => {
  expect([6_000, -1_234.5, 0.25, 1e7, 7].map(numberText)).toEqual(['6\u202f000', '-1\u202f234.5', '0.25', '10\u202f000\u202f000', '7']);
});

test('counts have thin spaces between thousands, and one is singular', () => {
  expect(countText(1_234_567)).toBe('1\u202f234\u202f567');
  expect([plural(1, 'run'), plural(12, 'run')]).toEqual(['1 run', '12 runs']);
});
