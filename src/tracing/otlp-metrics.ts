/** Metrics of the registry in the form OpenTelemetry exporters take. Counters and histograms are cumulative, as in Prometheus. */
import type { HrTime } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import { AggregationTemporality, DataPointType, type MetricData, type ResourceMetrics } from '@opentelemetry/sdk-metrics';
import type { MetricFamily } from './exporter-protocol.ts';

/** Times are UTC epoch ms: start of the counters, and now. */
export interface MetricsFrame {
  readonly resource: Resource;
  readonly version: string;
  readonly since: number;
  readonly at: number;
}

export function resourceMetricsOf(families: readonly MetricFamily[], { resource, version, since, at }: MetricsFrame): ResourceMetrics {
  const times = { startTime: hrTime(since), endTime: hrTime(at) };
  const metrics = families.filter(({ values }) => values.length > 0).map((family) => dataOf(family, times));
  return { resource, scopeMetrics: [{ scope: { name: 'batuta', version }, metrics }] };
}

interface Times {
  readonly startTime: HrTime;
  readonly endTime: HrTime;
}

/** `ValueType.DOUBLE`; the enum of the API is not worth loading. */
const double = 1;

function dataOf(family: MetricFamily, times: Times): MetricData {
  const { name, help, type, values } = family;
  const descriptor = { name, description: help, unit: unitOf(name), valueType: double };
  if (type === 'histogram')
    return {
      descriptor,
      aggregationTemporality: AggregationTemporality.CUMULATIVE,
      dataPointType: DataPointType.HISTOGRAM,
      dataPoints: histogramPoints(family, times),
    };
  const dataPoints = values.map(({ value, labels }) => ({ ...times, attributes: labels, value }));
  const shared = { descriptor, aggregationTemporality: AggregationTemporality.CUMULATIVE, dataPoints };
  return type === 'counter'
    ? { ...shared, dataPointType: DataPointType.SUM, isMonotonic: true }
    : { ...shared, dataPointType: DataPointType.GAUGE };
}

function histogramPoints({ name, values }: MetricFamily, times: Times) {
  const series = new Map<string, { labels: Record<string, string | number>; bounds: [number, number][]; sum: number; count: number }>();
  for (const { value, labels, metricName } of values) {
    const { le, ...own } = labels;
    const key = JSON.stringify(own);
    const one = series.get(key) ?? { labels: own, bounds: [], sum: 0, count: 0 };
    series.set(key, one);
    if (metricName === `${name}_sum`) one.sum = value;
    else if (metricName === `${name}_count`) one.count = value;
    else if (le !== '+Inf') one.bounds.push([Number(le), value]);
  }
  return [...series.values()].map(({ labels, bounds, sum, count }) => {
    // Prometheus buckets are cumulative, those of OTLP are not.
    const upTo = [...bounds.map(([, total]) => total), count];
    return {
      ...times,
      attributes: labels,
      value: {
        buckets: { boundaries: bounds.map(([bound]) => bound), counts: upTo.map((total, at) => total - (upTo[at - 1] ?? 0)) },
        ...{ sum, count },
      },
    };
  });
}

function unitOf(name: string): string {
  return name.includes('_seconds') ? 's' : name.includes('_bytes') ? 'By' : '';
}

function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1_000);
  return [seconds, Math.round((ms - seconds * 1_000) * 1e6)];
}
