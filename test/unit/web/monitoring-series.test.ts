import { expect, test } from 'vitest';
import { linePath, shownMs, withPoint } from '../../../web/src/pages/monitoring/series.ts';

test('points older than what is shown are dropped, and one of the same moment takes the place of the last', () => {
  const points = [
    { at: 0, value: 1 },
    { at: 1_000, value: 2 },
  ];
  expect(withPoint(points, { at: 1_000, value: 3 })).toEqual([points[0], { at: 1_000, value: 3 }]);
  expect(withPoint(points, { at: shownMs + 500, value: 4 })).toEqual([points[1], { at: shownMs + 500, value: 4 }]);
});

test('the line ends at the right, its top is the most there was, and nothing is a line at the bottom', () => {
  const at = 10 * shownMs;
  const points = [
    { at: at - shownMs, value: 5 },
    { at: at - shownMs / 2, value: 0 },
    { at, value: 10 },
  ];
  expect(linePath(points, 100, 20)).toBe('M0,10 L50,20 L100,0');
  expect(linePath(points.slice(1), 100, 20)).toBe('M0,20 L100,0');
  expect(
    linePath(
      [
        { at: at - 15_000, value: 1 },
        { at, value: 1 },
      ],
      100,
      20,
    ),
  ).toBe('M75,0 L100,0');
  expect(linePath([{ at, value: 0 }], 100, 20)).toBe('M96,20 L100,20');
  expect(linePath([], 100, 20)).toBe('');
});
