/**
 * The metrics of one process in the form of Prometheus, over prom-client: those of Batuta by the table, those of flows as they are declared,
 * and those of Node. Loaded late, when somebody wants them.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { OwnMeasure, OwnMetric } from '../../model/own-metrics.ts';
import { BoundedLabels } from './bounded-labels.ts';
import { catalog, durationBuckets, type MetricName, type MetricRow, type MetricSource } from './catalog.ts';

type Series = Counter.Internal | Gauge.Internal<string> | Histogram.Internal<string>;

/** Those of Node whose names keep to the conventions. */
const nodeMetrics = [
  'process_cpu_seconds_total',
  'process_start_time_seconds',
  'process_resident_memory_bytes',
  'process_open_fds',
  'nodejs_eventloop_lag_seconds',
  'nodejs_eventloop_lag_p50_seconds',
  'nodejs_eventloop_lag_p99_seconds',
  'nodejs_heap_size_total_bytes',
  'nodejs_heap_size_used_bytes',
  'nodejs_external_memory_bytes',
  'nodejs_gc_duration_seconds',
] as const;

/** How often the event loop is measured, ms; coarse, for measuring wakes the process. */
const eventLoopMs = 50;

/** Of Node, once for the process: what measures the event loop cannot be ended. */
let ofNode: Registry | null = null;

function nodeRegistry(): Registry {
  if (ofNode !== null) return ofNode;
  const all = new Registry();
  collectDefaultMetrics({ register: all, eventLoopMonitoringPrecision: eventLoopMs });
  // The lag since the last scrape alone.
  ofNode = new Registry();
  for (const name of nodeMetrics) {
    const metric = all.getSingleMetric(name);
    if (metric) ofNode.registerMetric(metric);
  }
  return ofNode;
}

interface Entry {
  readonly metric: Counter | Gauge | Histogram;
  readonly labels: BoundedLabels;
  readonly series: Map<readonly string[], Series>;
}

export class MetricRegistry {
  readonly #registry = new Registry();
  readonly #maxLabelValues: number;
  readonly #entries = new Map<string, Entry>();

  /** @param maxLabelValues distinct values of one label; further ones count as `other` */
  constructor(maxLabelValues: number) {
    this.#maxLabelValues = maxLabelValues;
    this.declare('every');
  }

  /** Has the metrics of these sources from now on, those without labels at 0. */
  declare(...sources: readonly MetricSource[]): void {
    for (const [name, row] of Object.entries(catalog)) if (sources.includes(row.from) && !this.#entries.has(name)) this.#make(name, row);
  }

  /** Adds to a counter or a gauge. @param labels in the order of the table */
  add(name: MetricName, by: number, ...labels: readonly string[]): void {
    (this.#seriesOf(name, labels) as Counter.Internal).inc(by);
  }

  /** Sets a gauge. */
  set(name: MetricName, value: number, ...labels: readonly string[]): void {
    (this.#seriesOf(name, labels) as Gauge.Internal<string>).set(value);
  }

  /** Puts a value into a histogram. */
  observe(name: MetricName, value: number, ...labels: readonly string[]): void {
    (this.#seriesOf(name, labels) as Histogram.Internal<string>).observe(value);
  }

  /** Forgets the series of gauges that are read anew: a queue that is gone is not to stay at its last value. */
  clear(...names: readonly MetricName[]): void {
    for (const name of names) {
      const entry = this.#entries.get(name);
      entry?.metric.reset();
      entry?.series.clear();
    }
  }

  /** Takes what a flow has measured. One that does not fit what was declared before under its name is left out. */
  measure({ metric, how, value, labels }: OwnMeasure): void {
    const entry = this.#entries.get(metric.name) ?? this.#makeOwn(metric);
    const kind = { counter: Counter, gauge: Gauge, histogram: Histogram }[metric.type];
    if (!(entry.metric instanceof kind)) return;
    const series = this.#series(entry, labels);
    if (how === 'observe') (series as Histogram.Internal<string>).observe(value);
    else if (how === 'set') (series as Gauge.Internal<string>).set(value);
    else (series as Counter.Internal).inc(value);
  }

  /** Values of a gauge or counter by their labels; for people, and for tests. */
  async values(name: string): Promise<readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[]> {
    const found = await this.#registry.getSingleMetric(name)?.get();
    return (found?.values ?? []).map(({ labels, value }) => ({ labels: labels as Record<string, string>, value }));
  }

  /** Names and kinds of all metrics, those of flows and Node included. */
  get names(): ReadonlyMap<string, string> {
    const all = [...this.#registry.getMetricsAsArray(), ...nodeRegistry().getMetricsAsArray()];
    return new Map(all.map((metric) => [metric.name, String(metric.type)]));
  }

  /** All of it as Prometheus reads it. */
  async text(): Promise<string> {
    const [own, node] = await Promise.all([this.#registry.metrics(), nodeRegistry().metrics()]);
    return `${own.trimEnd()}\n${node}`;
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  #seriesOf(name: MetricName, labels: readonly string[]): Series {
    return this.#series(this.#entries.get(name) ?? this.#make(name, catalog[name]), labels);
  }

  #series(entry: Entry, labels: readonly string[]): Series {
    const bounded = entry.labels.bound(labels);
    const known = entry.series.get(bounded);
    if (known !== undefined) return known;
    const series = (entry.metric as Counter<string>).labels(...bounded) as Series;
    entry.series.set(bounded, series);
    return series;
  }

  #makeOwn({ name, type, help, labels, buckets }: OwnMetric): Entry {
    return this.#make(name, { type, help, labels, buckets: buckets ?? durationBuckets });
  }

  #make(name: string, { type, help, labels, buckets = durationBuckets }: Omit<MetricRow, 'from'>): Entry {
    const base = { name, help, labelNames: [...labels], registers: [this.#registry] };
    const metric =
      type === 'counter' ? new Counter(base) : type === 'gauge' ? new Gauge(base) : new Histogram({ ...base, buckets: [...buckets] });
    const entry: Entry = { metric, labels: new BoundedLabels(this.#maxLabelValues), series: new Map() };
    this.#entries.set(name, entry);
    return entry;
  }
}
