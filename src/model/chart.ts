/** Charts: series over one axis, as a task gives them and as they are recorded and drawn. Pure. */
import { cutText } from '../base/cut-text.ts';
import { BatutaError } from '../base/errors.ts';

const chartTypes = ['line', 'area', 'bar'] as const;
export type ChartType = (typeof chartTypes)[number];
/** `time` places are epoch ms, UTC; `number` any numbers; `category` words, in the order in which they are given. */
export type ChartAxis = 'time' | 'number' | 'category';

/** More cannot be told apart by their colours. */
export const maxSeries = 12;

/** Series over one axis. */
export interface Chart {
  /** Default `line`. */
  readonly type?: ChartType;
  /** Places on the axis, one for each value of every series: dates, numbers, or words. */
  readonly x: readonly (Date | number | string)[];
  /** By name, 1 to 12: one value for each place of `x`; null where there is none. */
  readonly series: Readonly<Record<string, readonly (number | null)[]>>;
  /** Default: `time` for dates, `number` for numbers, `category` for words. Numbers are times (epoch ms) where it is `time`. */
  readonly axis?: ChartAxis;
  /** Of the values, such as `ms` or `€`. */
  readonly unit?: string;
}

/** A chart as it is recorded. */
export interface ChartData {
  readonly type: ChartType;
  readonly axis: ChartAxis;
  /** Ascending numbers, or words. */
  readonly x: readonly (number | string)[];
  readonly series: readonly { readonly name: string; readonly values: readonly (number | null)[] }[];
  readonly unit: string | null;
}

/** The chart as it is recorded: with numbers for dates, in ascending order. @throws BatutaError ARTIFACT_INVALID */
export function chartData(name: string, chart: Chart): ChartData {
  const refuse = (why: string): never => {
    throw new BatutaError('ARTIFACT_INVALID', `The chart '${name}' cannot be drawn: ${why}.`, { details: { artifact: name } });
  };
  if (typeof chart !== 'object' || chart === null) return refuse('it is no object { x, series }');
  const { type = 'line', x, series, unit } = chart;
  if (!chartTypes.includes(type)) return refuse(`its type is none of ${chartTypes.join(', ')}`);
  if (!Array.isArray(x)) return refuse('x is no list');
  if (typeof series !== 'object' || series === null) return refuse('series is no object of lists');
  if (unit !== undefined && typeof unit !== 'string') return refuse('its unit is no text');
  const all = Object.entries(series);
  if (all.length === 0 || all.length > maxSeries) return refuse(`it has ${all.length} series, and 1 to ${maxSeries} can be told apart`);
  const axis = axisOf(chart) ?? refuse('its axis is none of time, number, category');
  const places = x.map((place) => placeOf(place, axis) ?? refuse(`x holds ${shown(place)}, which is no place on an axis of ${axis}`));
  for (const [title, values] of all) {
    if (!Array.isArray(values) || values.length !== x.length)
      return refuse(`series '${title}' does not have ${x.length} values, one for each place of x`);
    const odd = values.find((value) => value !== null && (typeof value !== 'number' || !Number.isFinite(value)));
    if (odd !== undefined) return refuse(`series '${title}' holds ${shown(odd)}, which is neither a number nor null`);
  }
  const order = axis === 'category' ? null : ascending(places as number[]);
  const inOrder = <T>(list: readonly T[]): readonly T[] => (order === null ? list : order.map((at) => list[at] as T));
  return {
    type,
    axis,
    x: inOrder(places),
    series: all.map(([title, values]) => ({ name: title, values: inOrder(values) })),
    unit: unit ?? null,
  };
}

/** @throws BatutaError ARTIFACT_TOO_LARGE */
export function checkChartPoints(name: string, { x, series }: ChartData, maxPoints: number): void {
  const points = x.length * series.length;
  if (points <= maxPoints) return;
  throw new BatutaError(
    'ARTIFACT_TOO_LARGE',
    `The chart '${name}' has ${points} points, and ${maxPoints} are allowed (BATUTA_MAX_CHART_POINTS). Draw sums or samples instead.`,
    { details: { artifact: name, points, maxPoints } },
  );
}

/** What gives the same data again. */
export function chartOf({ type, axis, x, series, unit }: ChartData): Chart {
  const values = Object.fromEntries(series.map((one) => [one.name, one.values]));
  return { type, axis, x, series: values, ...(unit === null ? {} : { unit }) };
}

function axisOf({ axis, x }: Chart): ChartAxis | null {
  if (axis !== undefined) return ['time', 'number', 'category'].includes(axis) ? axis : null;
  if (x.some((place) => typeof place === 'string')) return 'category';
  return x.some((place) => place instanceof Date) ? 'time' : 'number';
}

function placeOf(place: unknown, axis: ChartAxis): number | string | null {
  if (axis === 'category') return typeof place === 'string' || typeof place === 'number' ? String(place) : null;
  const value = place instanceof Date ? place.getTime() : axis === 'time' && typeof place === 'string' ? Date.parse(place) : place;
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** The places in ascending order, by their positions; null where they are so already. */
function ascending(places: readonly number[]): readonly number[] | null {
  if (places.every((place, at) => at === 0 || (places[at - 1] ?? 0) <= place)) return null;
  return [...places.keys()].sort((a, b) => (places[a] ?? 0) - (places[b] ?? 0));
}

function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(cutText(value, 50)) : String(value);
}

/** Whether data that is recorded under the kind `chart` is whole: what was cut, or was written by others, is shown as it is. */
export function isChartData(data: unknown): data is ChartData {
  if (typeof data !== 'object' || data === null) return false;
  const { x, series } = data as Partial<ChartData>;
  return Array.isArray(x) && Array.isArray(series) && series.every((one) => Array.isArray(one?.values) && one.values.length === x.length);
}
