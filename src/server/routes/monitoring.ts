/** The figures of the Monitoring page: a substitute for Prometheus. */
import { toWire } from '../../client/wire.ts';
import type { Monitoring } from '../../client/fleet-client.ts';
import { FleetReader } from '../../monitor/fleet-figures.ts';
import type { App, RouteParts } from '../parts.ts';

export function monitoringRoutes(app: App, { client, clock, live }: RouteParts): void {
  const { store, settings } = client.engine.services;
  const fleet = new FleetReader({ store, clock, leaseMs: settings.leaseMs });
  const description = 'Figures of the fleet, at most some seconds old, and of this server.';
  app.get('/api/monitoring', { schema: { description, tags: ['health'] } }, async () => {
    const [figures, turn] = await Promise.all([fleet.read(), store.ticks.nextTurn({ lookAheadMs: 0, withinMs: 0 })]);
    const alive = figures.workers.filter(({ isAlive }) => isAlive);
    const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
    const oldest = figures.queues.flatMap(({ oldestAt }) => oldestAt ?? []);
    const monitoring: Monitoring = {
      at: figures.at,
      waiting: sum(figures.queues.map(({ waiting }) => waiting)),
      delayed: sum(figures.queues.map(({ delayed }) => delayed)),
      running: sum(figures.queues.map(({ running }) => running)),
      oldestAt: oldest.length === 0 ? null : Math.min(...oldest),
      inLastMinute: sum(figures.queues.map(({ inLastMinute }) => inLastMinute)),
      outLastMinute: sum(figures.queues.map(({ outLastMinute }) => outLastMinute)),
      scheduleLagMs: turn.at === null ? 0 : Math.max(0, turn.now - turn.at),
      workers: {
        alive: alive.length,
        silent: figures.workers.length - alive.length,
        places: sum(alive.map(({ concurrency }) => concurrency)),
        used: sum(alive.map(({ running }) => running)),
        longestLagMs: Math.max(0, ...alive.map(({ lagMs }) => lagMs)),
      },
      limits: {
        used: sum(figures.limits.map(({ held }) => held)),
        waiting: sum([...figures.limits, ...figures.rates].map(({ waiting }) => waiting)),
      },
      cache: { entries: figures.cache.entries, bytes: figures.cache.bytes, hits: figures.cache.hits, misses: figures.cache.misses },
      server: { streams: live.count, memoryBytes: process.memoryUsage.rss(), database: store.poolUse() },
    };
    return toWire(monitoring);
  });
}

export function metricRoutes(app: App, { metrics }: RouteParts): void {
  const description = 'Metrics of this process and figures of the fleet, in the text format of Prometheus.';
  app.get('/metrics', { schema: { description, tags: ['monitoring'] } }, async (_request, reply) => {
    const read = await metrics();
    return await reply
      .header('content-type', read.contentType)
      .header('cache-control', 'no-store')
      .send(await read.text());
  });
}
