/**
 * A metric whose values are plain numbers, converted to prom-client's form when read. prom-client's own metrics look up each series
 * by a string built from its labels for every value: with a few values per task, that was a fifth of the time of short tasks.
 */
import type { Metric } from 'prom-client';
import type { MetricRow } from './catalog.ts';

/** One set of labels of a metric. For a histogram `value` is the sum. */
export interface Series {
  value: number;
  count: number;
  /** By bucket, not cumulative; the last is beyond all bounds. Empty if there are no buckets. */
  readonly counts: number[];
  readonly labels: Readonly<Record<string, string>>;
}

interface ExposedValue {
  readonly value: number;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly sharedLabels?: Readonly<Record<string, string>>;
  readonly metricName?: string;
}

export class AccumulatedMetric {
  readonly name: string;
  readonly help: string;
  readonly type: MetricRow['type'];
  /** How prom-client would aggregate several processes; unused. */
  readonly aggregator = 'sum';
  readonly #labelNames: readonly string[];
  readonly #buckets: readonly number[];
  /** By the array of their values, which is the same object each time. */
  readonly #series = new Map<readonly string[], Series>();

  constructor(name: string, { type, help, labels, buckets = [] }: Omit<MetricRow, 'from'>) {
    this.name = name;
    this.help = help;
    this.type = type;
    this.#labelNames = labels;
    this.#buckets = type === 'histogram' ? buckets : [];
    this.reset();
  }

  /** In the form a prom-client registry takes. */
  get asMetric(): Metric {
    return this as unknown as Metric;
  }

  /** @param values label values, in order: the same array for the same values, as `BoundedLabels` returns them */
  seriesOf(values: readonly string[]): Series {
    const key = this.#labelNames.length === 0 ? noLabels : values;
    return this.#series.get(key) ?? this.#make(key);
  }

  observe(series: Series, value: number): void {
    const bounds = this.#buckets;
    let at = 0;
    while (at < bounds.length && value > (bounds[at] as number)) at++;
    series.counts[at] = (series.counts[at] ?? 0) + 1;
    series.count++;
    series.value += value;
  }

  /** Clears all values; without labels it is 0. */
  reset(): void {
    this.#series.clear();
    if (this.#labelNames.length === 0) this.#make(noLabels);
  }

  /** Whole labels with each value. */
  async get(): Promise<object> {
    const values = this.#values().map(({ labels, sharedLabels, ...rest }) => ({ ...rest, labels: { ...labels, ...sharedLabels } }));
    return { ...this.#described, values };
  }

  /** Shared labels separately, so that their text is made once. */
  async getForPromString(): Promise<object> {
    return { ...this.#described, values: this.#values() };
  }

  get #described(): object {
    const { name, help, type, aggregator } = this;
    return { name, help, type, aggregator };
  }

  #make(values: readonly string[]): Series {
    const labels = Object.fromEntries(this.#labelNames.map((name, at) => [name, values[at] ?? '']));
    const counts = this.type === 'histogram' ? [...this.#buckets.map(() => 0), 0] : [];
    const series: Series = { value: 0, count: 0, counts, labels };
    this.#series.set(values, series);
    return series;
  }

  #values(): ExposedValue[] {
    const all = [...this.#series.values()];
    return this.type === 'histogram' ? all.flatMap((one) => this.#valuesOf(one)) : all.map(({ value, labels }) => ({ value, labels }));
  }

  #valuesOf({ value, count, counts, labels: sharedLabels }: Series): ExposedValue[] {
    const { name } = this;
    let total = 0;
    const buckets = [...this.#buckets, '+Inf'].map((le, at) => {
      total += counts[at] ?? 0;
      return { metricName: `${name}_bucket`, labels: { le }, sharedLabels, value: total };
    });
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels: {}, sharedLabels, value },
      { metricName: `${name}_count`, labels: {}, sharedLabels, value: count },
    ];
  }
}

/** Label values of a metric without labels. */
const noLabels: readonly string[] = [];
