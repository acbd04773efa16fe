/**
 * Metrics that flows declare for Prometheus: counters, gauges and histograms under their own names. Pure; the process decides where they
 * go, by default nowhere.
 */
import { BatutaError } from '../base/errors.ts';

/** How a metric is declared. */
export interface OwnMetricOptions<L extends string = string> {
  /** What it counts, one sentence. Default the name. */
  readonly help?: string;
  /** Names of its labels, at most 10. Default none. */
  readonly labels?: readonly L[];
}

export interface OwnHistogramOptions<L extends string = string> extends OwnMetricOptions<L> {
  /** Upper bounds, rising, 1 to 50. Default: 5 ms to 12 hours, doubling, in seconds. */
  readonly buckets?: readonly number[];
}

/** A value per label; omitted if there are no labels. */
export type OwnLabels<L extends string> = [L] extends [never] ? [] : [labels: Readonly<Record<L, string | number | boolean>>];

export interface OwnCounter<L extends string = never> {
  /** @param by 0 or more. @throws BatutaError METRIC_INVALID */
  add(by: number, ...labels: OwnLabels<L>): void;
}

export interface OwnGauge<L extends string = never> {
  /** @throws BatutaError METRIC_INVALID */
  set(value: number, ...labels: OwnLabels<L>): void;
  /** @param by may be negative. @throws BatutaError METRIC_INVALID */
  add(by: number, ...labels: OwnLabels<L>): void;
}

export interface OwnHistogram<L extends string = never> {
  /** @throws BatutaError METRIC_INVALID */
  observe(value: number, ...labels: OwnLabels<L>): void;
}

/** Metrics that Prometheus scrapes; see the guide on monitoring. */
export interface OwnMetrics {
  /**
   * A sum that only grows. Its name is exposed with the suffix `_total`.
   *
   * @throws BatutaError METRIC_INVALID (the name, a label; another kind or other labels under that name)
   */
  counter<const L extends string = never>(name: string, options?: OwnMetricOptions<L>): OwnCounter<L>;
  /** A value that goes up and down. @throws BatutaError METRIC_INVALID */
  gauge<const L extends string = never>(name: string, options?: OwnMetricOptions<L>): OwnGauge<L>;
  /** A distribution of values. @throws BatutaError METRIC_INVALID */
  histogram<const L extends string = never>(name: string, options?: OwnHistogramOptions<L>): OwnHistogram<L>;
}

/** A metric as declared. Plain data: sent from threads to their process. */
export interface OwnMetric {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  /** Null: the default. */
  readonly buckets: readonly number[] | null;
}

/** One measurement. */
export interface OwnMeasure {
  readonly metric: OwnMetric;
  readonly how: 'add' | 'set' | 'observe';
  readonly value: number;
  /** In the order of the labels. */
  readonly labels: readonly string[];
}

const namePattern = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const maxNameChars = 200;
const maxLabels = 10;
const maxBuckets = 50;
const maxMetrics = 1_000;
/** Names reserved for Batuta and Node. */
const takenNames = /^(batuta|nodejs|process)_/;
const takenLabels = new Set(['le', 'quantile', 'job', 'instance']);

/** Declared in this thread, by name. */
const declared = new Map<string, OwnMetric>();

/** Declares metrics; each measurement goes to `report`. */
export function ownMetrics(report: (measure: OwnMeasure) => void): OwnMetrics {
  const declare = (type: OwnMetric['type'], given: string, options: OwnHistogramOptions = {}): ReporterOf => {
    const metric = known(checked(type, given, options));
    return (how, value, labels) => {
      if (!Number.isFinite(value)) refuse(metric.name, `was given ${String(value)}, which is no finite number.`);
      if (type === 'counter' && value < 0) refuse(metric.name, `is a counter, which ${value} would make smaller.`);
      report({ metric, how, value, labels: valuesOf(metric, labels) });
    };
  };
  return {
    counter(name, options) {
      const reporter = declare('counter', name, options);
      return { add: (by, ...[labels]) => reporter('add', by, labels) };
    },
    gauge(name, options) {
      const reporter = declare('gauge', name, options);
      return { set: (value, ...[labels]) => reporter('set', value, labels), add: (by, ...[labels]) => reporter('add', by, labels) };
    },
    histogram(name, options) {
      const reporter = declare('histogram', name, options);
      return { observe: (value, ...[labels]) => reporter('observe', value, labels) };
    },
  };
}

type ReporterOf = (how: OwnMeasure['how'], value: number, labels: Readonly<Record<string, unknown>> | undefined) => void;

/** Repeats measurements made elsewhere. @throws BatutaError METRIC_INVALID */
export function measureAgain(metrics: OwnMetrics, { metric, how, value, labels }: OwnMeasure): void {
  const { name, help, type, buckets } = metric;
  const options = { help, labels: metric.labels, ...(buckets === null ? {} : { buckets }) };
  const given = Object.fromEntries(metric.labels.map((label, at) => [label, labels[at] ?? '']));
  if (type === 'histogram') metrics.histogram(name, options).observe(value, given);
  else if (type === 'counter') metrics.counter(name, options).add(value, given);
  else metrics.gauge(name, options)[how === 'set' ? 'set' : 'add'](value, given);
}

function checked(type: OwnMetric['type'], given: string, { help, labels = [], buckets }: OwnHistogramOptions): OwnMetric {
  const name = type === 'counter' && !String(given).endsWith('_total') ? `${given}_total` : given;
  if (typeof given !== 'string' || !namePattern.test(name) || name.length > maxNameChars)
    refuse(String(given), `is no name: use up to ${maxNameChars} letters, digits and _, and begin with a letter.`);
  if (takenNames.test(name)) refuse(name, 'begins with a name that is taken: batuta_, nodejs_ and process_ are not for flows.');
  if (!Array.isArray(labels) || labels.length > maxLabels) refuse(name, `takes a list of at most ${maxLabels} labels.`);
  for (const label of labels)
    if (typeof label !== 'string' || !namePattern.test(label) || label.startsWith('__') || takenLabels.has(label))
      refuse(name, `has the label ${JSON.stringify(label)}, which is no name for one.`);
  if (new Set(labels).size < labels.length) refuse(name, 'names a label twice.');
  if (buckets !== undefined && !areBounds(buckets)) refuse(name, `takes 1 to ${maxBuckets} rising numbers as buckets.`);
  return { type, name, help: oneLine(help ?? name), labels: [...labels], buckets: buckets ? [...buckets] : null };
}

/** The metric as first declared. */
function known(metric: OwnMetric): OwnMetric {
  const before = declared.get(metric.name);
  if (before === undefined) {
    if (declared.size >= maxMetrics) refuse(metric.name, `is one too many: a process takes ${maxMetrics}. Put what differs into a label.`);
    declared.set(metric.name, metric);
    return metric;
  }
  if (before.type !== metric.type) refuse(metric.name, `is a ${before.type} already.`);
  if (before.labels.join() !== metric.labels.join())
    refuse(metric.name, `has the labels ${before.labels.join(', ') || '(none)'} already; they must be the same everywhere.`);
  return before;
}

function valuesOf({ name, labels }: OwnMetric, given: Readonly<Record<string, unknown>> | undefined): string[] {
  const extra = Object.keys(given ?? {}).find((label) => !labels.includes(label));
  if (extra !== undefined) refuse(name, `was declared without the label '${extra}'.`);
  return labels.map((label) => {
    const value = given?.[label];
    if (value === undefined || value === null) refuse(name, `needs a value for the label '${label}'.`);
    return String(value);
  });
}

function areBounds(buckets: readonly unknown[]): boolean {
  if (!Array.isArray(buckets) || buckets.length === 0 || buckets.length > maxBuckets) return false;
  return buckets.every((bound, at) => typeof bound === 'number' && Number.isFinite(bound) && (at === 0 || bound > Number(buckets[at - 1])));
}

function oneLine(text: string): string {
  return String(text).replace(/\s+/g, ' ').trim();
}

function refuse(name: string, fault: string): never {
  throw new BatutaError('METRIC_INVALID', `The metric ${JSON.stringify(name)} ${fault}`, { details: { metric: name } });
}
