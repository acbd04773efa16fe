/** Opens the metrics of a process. Their dependencies are loaded only then, so that a process without them starts no slower. */
import type { Clock } from '../base/clock.ts';
import type { Metrics } from './metrics/metrics.ts';

export type { MeasuredPart, Metrics } from './metrics/metrics.ts';

/** @param maxLabelValues distinct values of one label; further ones count as `other` */
export async function openMetrics(clock: Clock, maxLabelValues: number): Promise<Metrics> {
  const { makeMetrics } = await import('./metrics/metrics.ts');
  return makeMetrics(clock, maxLabelValues);
}
