/** Charts: series over one axis, as tasks pass them and as they are recorded and drawn. Pure. */
import { cutText } from '../base/cut-text.ts';
import { BatutaError } from '../base/errors.ts';

const chartTypes = ['line', 'area', 'bar'] as const;
export type ChartType = (typeof chartTypes)[number];
/** `time`: epoch ms, UTC; `number`: any numbers; `category`: words, in the given order. */
export type ChartAxis = 'time' | 'number' | 'category';

/** More could not be told apart by colour. */
export const maxSeries = 12;

/** Series over one axis. */
export interface Chart {
  /** Default `line`. */
  readonly type?: ChartType;
  /** Places on the axis, one for each value of every series: dates, numbers, or words. */
  readonly x: readonly (Date | number | string)[];
  /** By name, 1 to 12: one value, or null, for each place of `x`. */
  readonly series: Readonly<Record<string, readonly (number | null)[]>>;
  /** Default: `time` for dates, `number` for numbers, `category` for words. With `time`, numbers are epoch ms. */
  readonly axis?: ChartAxis;
  /** Of the values, such as `ms` or `€`. */
  readonly unit?: string;
}

/** A chart as recorded. */
export interface ChartData {
  readonly type: ChartType;
  readonly axis: ChartAxis;
  /** Ascending numbers, or words. */
  readonly x: readonly (number | string)[];
  readonly series: readonly { readonly name: string; readonly values: readonly (number | null)[] }[];
  readonly unit: string | null;
}

/** The chart as recorded: dates as numbers, in ascending order. @throws BatutaError ARTIFACT_INVALID */
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
  const places = Array.from(
    x,
    (place) => placeOf(place, axis) ?? refuse(`x holds ${shown(place)}, which is no place on an axis of ${axis}`),
  );
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

/** Input for the same data. */
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

/** The places in ascending order, as indexes; null if they are in order. */
function ascending(places: readonly number[]): readonly number[] | null {
  if (places.every((place, at) => at === 0 || (places[at - 1] ?? 0) <= place)) return null;
  return [...places.keys()].sort((a, b) => (places[a] ?? 0) - (places[b] ?? 0));
}

function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(cutText(value, 50)) : String(value);
}

/** Whether data recorded under the kind `chart` is complete: cut or foreign data is shown as is. */
export function isChartData(data: unknown): data is ChartData {
  if (typeof data !== 'object' || data === null) return false;
  const { x, series } = data as Partial<ChartData>;
  return Array.isArray(x) && Array.isArray(series) && series.every((one) => Array.isArray(one?.values) && one.values.length === x.length);
}
