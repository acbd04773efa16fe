/** The metrics of a server: its own, measured from the first request for them, or those of the surrounding program. */
import { measuredPart } from '../client/monitoring.ts';
import { type Metrics, openMetrics } from '../monitor/open-metrics.ts';
import type { LiveEvents } from './events/live-events.ts';
import type { AppOptions, Monitored } from './parts.ts';

const usualMonitored: Monitored = { metricsLabelValues: 200, redisUrl: null, brokerUrl: null };

export interface ServerMetrics {
  read(): Promise<Metrics>;
  stop(): void;
}

export function serverMetrics(
  { client, clock, metrics, monitored = usualMonitored }: Pick<AppOptions, 'client' | 'clock' | 'metrics' | 'monitored'>,
  live: LiveEvents,
): ServerMetrics {
  let leave = (): void => undefined;
  let opened: Promise<Metrics> | null = null;
  let isOver = false;
  const open = async (): Promise<Metrics> => {
    const own = metrics ?? (await openMetrics(clock, monitored.metricsLabelValues));
    const collect = (): void => own.registry.set('batuta_live_connections', live.count);
    if (!isOver) leave = own.join(measuredPart({ client, config: monitored, role: 'server', collect }));
    return own;
  };
  if (metrics !== undefined) opened = open();
  return {
    read: () => (opened ??= open()),
    stop() {
      isOver = true;
      leave();
    },
  };
}
