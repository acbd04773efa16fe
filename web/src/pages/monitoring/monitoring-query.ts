/** Polls the figures, and keeps past ones as long as the tab is open, across page changes. */
import { queryOptions } from '@tanstack/react-query';
import { get } from '../../api/http.ts';
import type { Figures } from '../../api/wire-types.ts';
import { type Point, withPoint } from './series.ts';

/** Poll interval, ms. */
const everyMs = 5_000;

/** Names of figures drawn as lines. */
export type SeriesName =
  | 'waiting'
  | 'oldest'
  | 'running'
  | 'in'
  | 'out'
  | 'used'
  | 'lag'
  | 'schedule'
  | 'limits'
  | 'cache'
  | 'streams'
  | 'memory'
  | 'connections';

export interface Seen {
  readonly figures: Figures;
  readonly series: Readonly<Record<SeriesName, readonly Point[]>>;
}

let seen: Seen['series'] | null = null;

/** Figures of the fleet and of the server, with past values. */
export const monitoringQuery = queryOptions({
  queryKey: ['monitoring'],
  queryFn: async ({ signal }): Promise<Seen> => {
    const figures = await get<Figures>('/monitoring', undefined, signal);
    seen = withFigures(seen, figures, Date.now());
    return { figures, series: seen };
  },
  refetchInterval: everyMs,
});

/** How long the longest waiting run has been due, ms; 0 if none waits. */
export function oldestMsOf({ at, oldestAt }: Figures): number {
  return oldestAt === null ? 0 : Math.max(0, Date.parse(at) - Date.parse(oldestAt));
}

function withFigures(before: Seen['series'] | null, figures: Figures, at: number): Seen['series'] {
  const { workers, limits, cache, server } = figures;
  const values: Readonly<Record<SeriesName, number>> = {
    waiting: figures.waiting,
    oldest: oldestMsOf(figures),
    running: figures.running,
    in: figures.inLastMinute,
    out: figures.outLastMinute,
    used: workers.used,
    lag: workers.longestLagMs,
    schedule: figures.scheduleLagMs,
    limits: limits.waiting,
    cache: cache.entries,
    streams: server.streams,
    memory: server.memoryBytes,
    connections: server.database?.active ?? 0,
  };
  const names = Object.keys(values) as SeriesName[];
  return Object.fromEntries(
    names.map((name) => [name, withPoint(before?.[name] ?? [], { at, value: values[name] })]),
  ) as unknown as Seen['series'];
}
