/**
 * The metrics of one process in Prometheus form, using prom-client: those of Batuta from the table, those of flows as declared,
 * and those of Node. Loaded only when needed.
 */
import { collectDefaultMetrics, Registry } from 'prom-client';
import { cutText } from '../../base/cut-text.ts';
import type { OwnMeasure, OwnMetric } from '../../model/own-metrics.ts';
import { AccumulatedMetric, type Series } from './accumulated.ts';
import { BoundedLabels } from './bounded-labels.ts';
import { catalog, durationBuckets, type MetricName, type MetricRow, type MetricSource } from './catalog.ts';

/** Node metrics whose names follow the conventions. */
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

/** How often the event loop is measured, ms; coarse, as measuring wakes the process. */
const eventLoopMs = 50;

/** Longest wait for a push gateway, ms. */
const pushMs = 5_000;

/** Node metrics, once per process: measuring the event loop cannot be stopped. */
let ofNode: Registry | null = null;

function nodeRegistry(): Registry {
  if (ofNode !== null) return ofNode;
  const all = new Registry();
  collectDefaultMetrics({ register: all, eventLoopMonitoringPrecision: eventLoopMs });
  // Only the lag since the last scrape.
  ofNode = new Registry();
  for (const name of nodeMetrics) {
    const metric = all.getSingleMetric(name);
    if (metric) ofNode.registerMetric(metric);
  }
  return ofNode;
}

/** One metric with its values; histograms have one per bucket, and for sum and count, by `metricName`. */
export interface ExposedFamily {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly values: readonly {
    readonly value: number;
    readonly labels: Readonly<Record<string, string | number>>;
    readonly metricName?: string | undefined;
  }[];
}

interface Entry {
  readonly metric: AccumulatedMetric;
  readonly labels: BoundedLabels;
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

  /** Exposes the metrics of these sources from now on, those without labels at 0. */
  declare(...sources: readonly MetricSource[]): void {
    for (const [name, row] of Object.entries(catalog)) if (sources.includes(row.from) && !this.#entries.has(name)) this.#make(name, row);
  }

  /** Adds to a counter or a gauge. @param labels in the order of the table */
  add(name: MetricName, by: number, ...labels: readonly string[]): void {
    const { metric, labels: bounded } = this.#entryOf(name);
    metric.seriesOf(bounded.bound(labels)).value += by;
  }

  /** Sets a gauge. */
  set(name: MetricName, value: number, ...labels: readonly string[]): void {
    const { metric, labels: bounded } = this.#entryOf(name);
    metric.seriesOf(bounded.bound(labels)).value = value;
  }

  /** Adds a value to a histogram. */
  observe(name: MetricName, value: number, ...labels: readonly string[]): void {
    const { metric, labels: bounded } = this.#entryOf(name);
    metric.observe(metric.seriesOf(bounded.bound(labels)), value);
  }

  /** Clears the series of gauges before they are read again: a queue that is gone must not keep its last value. */
  clear(...names: readonly MetricName[]): void {
    for (const name of names) this.#entries.get(name)?.metric.reset();
  }

  /** Takes a measurement of a flow. One that conflicts with an earlier declaration of its name is dropped. */
  measure({ metric: own, how, value, labels }: OwnMeasure): void {
    const { metric, labels: bounded } = this.#entries.get(own.name) ?? this.#makeOwn(own);
    if (metric.type !== own.type) return;
    const series: Series = metric.seriesOf(bounded.bound(labels));
    if (how === 'observe') metric.observe(series, value);
    else if (how === 'set') series.value = value;
    else series.value += value;
  }

  /** Values of a gauge or counter by their labels; for people and tests. */
  async values(name: string): Promise<readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[]> {
    const found = await this.#registry.getSingleMetric(name)?.get();
    return (found?.values ?? []).map(({ labels, value }) => ({ labels: labels as Record<string, string>, value }));
  }

  /** Names and kinds of all metrics, including those of flows and Node. */
  get names(): ReadonlyMap<string, string> {
    const all = [...this.#registry.getMetricsAsArray(), ...nodeRegistry().getMetricsAsArray()];
    return new Map(all.map((metric) => [metric.name, String(metric.type)]));
  }

  /** All metrics, as data. */
  async families(): Promise<readonly ExposedFamily[]> {
    const all = await Promise.all([this.#registry.getMetricsAsJSON(), nodeRegistry().getMetricsAsJSON()]);
    return all
      .flat()
      .map(({ name, help, type, values }) => ({ name, help, type: String(type), values: values as ExposedFamily['values'] }));
  }

  /** All metrics in Prometheus text format. */
  async text(): Promise<string> {
    const [own, node] = await Promise.all([this.#registry.metrics(), nodeRegistry().metrics()]);
    return `${own.trimEnd()}\n${node}`;
  }

  /** Without those of Node, which mean little once a process has ended, and whose help texts differ from those of a machine's exporter. */
  async ownText(): Promise<string> {
    return await this.#registry.metrics();
  }

  /**
   * Sends the same to a push gateway, replacing what was sent for that group before. The URL may contain user name and password.
   *
   * @throws Error if the gateway is unreachable or refuses
   */
  async push(url: string, groupings: Readonly<Record<string, string>>): Promise<void> {
    const address = new URL(url);
    const { username, password } = address;
    [address.username, address.password] = ['', ''];
    const base64 = (value: string): string => Buffer.from(value).toString('base64url');
    const group = Object.entries(groupings).map(([name, value]) => `/${name}@base64/${base64(value)}`);
    address.pathname = `${address.pathname.replace(/\/+$/, '')}/metrics/job/batuta${group.join('')}`;
    const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    const answer = await fetch(address, {
      method: 'PUT',
      headers: {
        'content-type': this.contentType,
        ...(username === '' ? {} : { authorization: `Basic ${Buffer.from(login).toString('base64')}` }),
      },
      body: await this.ownText(),
      signal: AbortSignal.timeout(pushMs),
    });
    if (!answer.ok) throw new Error(`The push gateway answered ${answer.status}: ${cutText(await answer.text(), 200, '…')}`);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  #entryOf(name: MetricName): Entry {
    return this.#entries.get(name) ?? this.#make(name, catalog[name]);
  }

  #makeOwn({ name, type, help, labels, buckets }: OwnMetric): Entry {
    return this.#make(name, { type, help, labels, buckets: buckets ?? durationBuckets });
  }

  #make(name: string, { type, help, labels, buckets = durationBuckets }: Omit<MetricRow, 'from'>): Entry {
    const metric = new AccumulatedMetric(name, { type, help, labels, buckets });
    this.#registry.registerMetric(metric.asMetric);
    const entry: Entry = { metric, labels: new BoundedLabels(this.#maxLabelValues) };
    this.#entries.set(name, entry);
    return entry;
  }
}
