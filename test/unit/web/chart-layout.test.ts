import { expect, test } from 'vitest';
import { chartData } from '../../../src/model/chart.ts';
import { layChart } from '../../../web/src/values/chart-layout.ts';

const size = { width: 400, height: 200 };

test('a line has a gap where a value is missing, and a dot for what stands alone', () => {
  const drawn = layChart(chartData('a', { x: [0, 1, 2, 3, 4], series: { n: [0, 10, null, 5, null] } }), size);
  expect(drawn?.series[0]?.line).toBe('M0.0 200.0L100.0 0.0M300.0 100.0');
  expect(drawn?.series[0]?.dots).toEqual([{ x: 300, y: 100 }]);
  expect(drawn?.marks.map(({ text }) => text)).toEqual(['0', '2.5', '5', '7.5', '10']);
});

test('bars stand on the zero line, also below it, side by side', () => {
  const drawn = layChart(chartData('a', { type: 'bar', x: ['a', 'b'], series: { n: [10, -10], m: [5, null] } }), size);
  const [n, m] = drawn?.series ?? [];
  expect(n?.bars.map(({ y, height }) => [y, height])).toEqual([
    [0, 100],
    [100, 100],
  ]);
  expect([m?.bars.length, (m?.bars[0]?.x ?? 0) - (n?.bars[0]?.x ?? 0)]).toEqual([1, 76]);
});

test('equal values, one value and no values are drawn, or said to be none', () => {
  expect(layChart(chartData('a', { x: [1, 2], series: { n: [3, 3] } }), size)?.series[0]?.line).toMatch(/^M0.0 \d/);
  expect(layChart(chartData('a', { x: [1], series: { n: [0] } }), size)?.series[0]?.dots).toHaveLength(1);
  expect(layChart(chartData('a', { x: [], series: { n: [] } }), size)).toBeNull();
  expect(layChart(chartData('a', { x: [1], series: { n: [null] } }), size)).toBeNull();
});

test.each([
  ['whose distance is more than a number holds', [Number.MAX_VALUE, -Number.MAX_VALUE, 0]],
  ['large, of both signs', [1e308, -1e308, 1e-300]],
  ['finer apart than steps that change them', [1.7e18, 1.7e18 + 256]],
  ['that differ by the least there is', [1e16, 1e16 + 2]],
  ['as small as there are', [0, 5e-324]],
])('values and places %s are drawn, with a few marks', (_what, numbers) => {
  for (const type of ['line', 'area', 'bar'] as const) {
    const drawn = layChart(chartData('a', { type, x: numbers, series: { n: numbers } }), size);
    expect(drawn?.marks.length).toBeGreaterThanOrEqual(2);
    expect(drawn?.marks.length).toBeLessThanOrEqual(12);
    const [series] = drawn?.series ?? [];
    expect(`${series?.line} ${series?.area}`).not.toMatch(/NaN|Infinity/);
    const all = [
      ...(drawn?.xs ?? []),
      ...(drawn?.marks ?? []).map(({ y }) => y),
      ...(series?.bars ?? []).flatMap(({ y, height }) => [y, height]),
    ];
    expect(all.every((px) => px >= -1 && px <= 401)).toBe(true);
  }
});
