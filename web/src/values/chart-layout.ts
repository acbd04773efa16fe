/** Positions of the lines, areas and bars of a chart. Pure. */
import { cutText } from '../../../src/base/cut-text.ts';
import type { ChartData } from '../../../src/model/chart.ts';

export interface DrawnChart {
  readonly series: readonly DrawnSeries[];
  /** Horizontal lines with their labels. */
  readonly marks: readonly { readonly y: number; readonly text: string }[];
  /** Labels below the axis, as many as fit. */
  readonly ticks: readonly { readonly x: number; readonly text: string; readonly anchor: 'start' | 'middle' | 'end' }[];
  /** Position of each place on the axis, px from the left. */
  readonly xs: readonly number[];
}

export interface DrawnSeries {
  readonly name: string;
  readonly line: string;
  /** For an area: closed at the zero line; else empty. */
  readonly area: string;
  readonly bars: readonly { readonly x: number; readonly y: number; readonly width: number; readonly height: number }[];
  /** Isolated points, which a line would not show. */
  readonly dots: readonly { readonly x: number; readonly y: number }[];
}

/** Minimum width of a label below the axis, px. */
const tickPx = 110;
const markCount = 4;

/** @param size of the plot, px; null if there is nothing to draw */
export function layChart(data: ChartData, { width, height }: { readonly width: number; readonly height: number }): DrawnChart | null {
  const values = data.series.flatMap((one) => one.values.filter((value): value is number => value !== null));
  if (values.length === 0 || width <= 0) return null;
  const spread = values.reduce(([least, most], value) => [Math.min(least, value), Math.max(most, value)] as const, [
    data.type === 'line' ? Number.POSITIVE_INFINITY : 0,
    data.type === 'line' ? Number.NEGATIVE_INFINITY : 0,
  ] as const);
  const { from, until, step } = niceRange(spread[0], spread[1]);
  const yOf = (value: number): number => height - shareOf(value, from, until) * height;
  const bandPx = width / Math.max(1, data.x.length);
  const isBanded = data.axis === 'category' || data.type === 'bar';
  const xs = isBanded ? data.x.map((_, at) => (at + 0.5) * bandPx) : scaled(data.x.map(Number), width);
  const marks = Array.from({ length: Math.round(until / step - from / step) + 1 }, (_, at) => {
    const value = Math.min(until, from + at * step);
    return { y: yOf(value), text: numberText(value) };
  });
  const series = data.series.map((one, at): DrawnSeries => {
    const points = one.values.map((value, place) => (value === null ? null : { x: xs[place] ?? 0, y: yOf(value) }));
    if (data.type === 'bar') {
      const barPx = Math.max(1, (bandPx * 0.76) / data.series.length);
      const bars = points.flatMap((point) => {
        if (point === null) return [];
        const zero = yOf(0);
        const left = point.x - (barPx * data.series.length) / 2 + at * barPx;
        return [{ x: left, y: Math.min(point.y, zero), width: Math.max(1, barPx - 1), height: Math.max(1, Math.abs(zero - point.y)) }];
      });
      return { name: one.name, line: '', area: '', bars, dots: [] };
    }
    const runs = runsOf(points);
    const line = runs.map((run) => `M${run.map(({ x, y }) => `${x.toFixed(1)} ${y.toFixed(1)}`).join('L')}`).join('');
    const area = data.type === 'area' ? runs.map((run) => closed(run, yOf(Math.max(from, 0)))).join('') : '';
    return { name: one.name, line, area, bars: [], dots: runs.flatMap((run) => (run.length === 1 ? run : [])) };
  });
  return { series, marks, ticks: ticksOf(data, xs, width), xs };
}

type Point = { readonly x: number; readonly y: number };

/** Stretches without a gap. */
function runsOf(points: readonly (Point | null)[]): Point[][] {
  const runs: Point[][] = [];
  let isOpen = false;
  for (const point of points) {
    if (point === null) isOpen = false;
    else if (isOpen) runs.at(-1)?.push(point);
    else {
      runs.push([point]);
      isOpen = true;
    }
  }
  return runs;
}

function closed(run: readonly Point[], zero: number): string {
  const [first, last] = [run[0], run.at(-1)];
  if (first === undefined || last === undefined) return '';
  const line = run.map(({ x, y }) => `L${x.toFixed(1)} ${y.toFixed(1)}`).join('');
  return `M${first.x.toFixed(1)} ${zero.toFixed(1)}${line}L${last.x.toFixed(1)} ${zero.toFixed(1)}Z`;
}

function scaled(places: readonly number[], width: number): readonly number[] {
  const [first = 0, last = 0] = [places[0], places.at(-1)];
  return places.map((place) => (last === first ? width / 2 : shareOf(place, first, last) * width));
}

/** Where between two bounds, 0 to 1. By halves if their distance is more than a number holds. */
function shareOf(value: number, from: number, until: number): number {
  return Number.isFinite(until - from) ? (value - from) / (until - from) : (value / 2 - from / 2) / (until / 2 - from / 2);
}

/** A range with round bounds. Its steps are not finer than its numbers are, or adding one would change nothing. */
function niceRange(least: number, most: number): { readonly from: number; readonly until: number; readonly step: number } {
  const largest = Math.max(Math.abs(most), Math.abs(least));
  const rough = Math.max(most / markCount - least / markCount || largest / markCount || 1 / markCount, largest * 2 ** -48, 1e-300);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 2.5, 5, 10].find((one) => one * power >= rough) ?? 10) * power;
  const from = Math.max(-Number.MAX_VALUE, Math.floor(least / step) * step);
  const until = Math.min(Number.MAX_VALUE, Math.ceil(most / step) * step);
  return { from, until: until === from ? from + step : until, step };
}

/** `1.2k`, `0.05`. */
export function numberText(value: number): string {
  const rounded = Number(value.toPrecision(6));
  if (Math.abs(rounded) < 10_000) return String(rounded);
  return new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 2 }).format(rounded);
}

/** A place on the axis, in words; times are UTC, dates only if all are at midnight. */
export function placeText({ axis, x }: Pick<ChartData, 'axis' | 'x'>, at: number): string {
  const place = x[at];
  if (axis !== 'time') return axis === 'number' ? numberText(Number(place)) : String(place ?? '');
  const isByDay = x.every((one) => Number(one) % 86_400_000 === 0);
  const date = new Date(Number(place));
  return Number.isNaN(date.getTime())
    ? ''
    : date
        .toISOString()
        .slice(0, isByDay ? 10 : 19)
        .replace('T', ' ');
}

function ticksOf(data: ChartData, xs: readonly number[], width: number): DrawnChart['ticks'] {
  const most = Math.max(2, Math.floor(width / tickPx));
  const last = data.x.length - 1;
  const wanted = Math.min(most, data.x.length);
  const places = [...new Set(Array.from({ length: wanted }, (_, at) => (wanted === 1 ? 0 : Math.round((at * last) / (wanted - 1)))))];
  return places.map((at) => {
    const x = xs[at] ?? 0;
    const text = placeText(data, at);
    return {
      x,
      text: data.axis === 'category' ? cutText(text, 18, '…') : text,
      anchor: x < 40 ? 'start' : x > width - 40 ? 'end' : 'middle',
    };
  });
}
