/** Monitoring: health and activity of the fleet, refreshed automatically, without Grafana. */
import { useQuery } from '@tanstack/react-query';
import { healthQuery } from '../../api/list-queries.ts';
import { countText, durationText } from '../../parts/format.ts';
import { Failed, LoadingRows } from '../../parts/notices.tsx';
import { Page, Panel } from '../../parts/page.tsx';
import { FigureTile } from './figure-tile.tsx';
import { HealthPanel } from './health-panel.tsx';
import style from './monitoring.module.css';
import { monitoringQuery, oldestMsOf, type Seen } from './monitoring-query.ts';

/** An event loop blocked for longer endangers leases and timeouts, ms. */
const longLagMs = 200;
const longScheduleLagMs = 10_000;
const mib = 1024 * 1024;

/** Health above, figures below. */
export function MonitoringPage() {
  const health = useQuery(healthQuery);
  const figures = useQuery(monitoringQuery);
  return (
    <Page title="Monitoring">
      {health.data !== undefined ? (
        <HealthPanel health={health.data} />
      ) : (
        <Panel title="Health">
          <Waiting what="The health of the fleet" query={health} />
        </Panel>
      )}
      <Panel title="Fleet" aside="since this tab was opened, 15 minutes at most">
        {figures.data === undefined ? <Waiting what="The figures of the fleet" query={figures} /> : <Tiles seen={figures.data} />}
      </Panel>
    </Page>
  );
}

function Tiles({ seen: { figures, series } }: { readonly seen: Seen }) {
  const { workers, limits, cache, server } = figures;
  const asked = cache.hits + cache.misses;
  return (
    <div className={style.tiles}>
      <FigureTile title="Waiting" value={countText(figures.waiting)} more={`${countText(figures.delayed)} later`} points={series.waiting} />
      <FigureTile
        title="Longest waiting"
        value={figures.oldestAt === null ? '–' : durationText(oldestMsOf(figures))}
        points={series.oldest}
      />
      <FigureTile title="Running" value={countText(figures.running)} points={series.running} />
      <FigureTile title="Came in, last minute" value={countText(figures.inLastMinute)} points={series.in} />
      <FigureTile title="Ended, last minute" value={countText(figures.outLastMinute)} points={series.out} />
      <FigureTile
        title="Slots of workers"
        value={`${workers.used}/${workers.places}`}
        more={`${workers.alive} ${workers.alive === 1 ? 'worker' : 'workers'}${workers.silent === 0 ? '' : `, ${workers.silent} silent`}`}
        points={series.used}
        isOdd={workers.silent > 0 || (workers.alive === 0 && figures.waiting > 0)}
      />
      <FigureTile
        title="Longest lag of a worker"
        value={durationText(workers.longestLagMs)}
        points={series.lag}
        isOdd={workers.longestLagMs > longLagMs}
      />
      <FigureTile
        title="Schedules behind"
        value={durationText(figures.scheduleLagMs)}
        points={series.schedule}
        isOdd={figures.scheduleLagMs > longScheduleLagMs}
      />
      <FigureTile
        title="Waiting for limits"
        value={countText(limits.waiting)}
        more={`${countText(limits.used)} ${limits.used === 1 ? 'slot' : 'slots'} held`}
        points={series.limits}
      />
      <FigureTile
        title="Values in the cache"
        value={countText(cache.entries)}
        more={asked === 0 ? 'never asked' : `${Math.round((100 * cache.hits) / asked)} % hits`}
        points={series.cache}
      />
      <FigureTile title="Streams of this server" value={countText(server.streams)} points={series.streams} />
      <FigureTile title="Memory of this server" value={`${Math.round(server.memoryBytes / mib)} MiB`} points={series.memory} />
      {server.database === null ? null : (
        <FigureTile
          title="Connections to PostgreSQL"
          value={`${server.database.active}/${server.database.most}`}
          more={server.database.waiting === 0 ? 'none wait' : `${server.database.waiting} wait`}
          points={series.connections}
          isOdd={server.database.waiting > 0}
        />
      )}
    </div>
  );
}

interface WaitingProps {
  readonly what: string;
  readonly query: { readonly error: unknown; readonly refetch: () => Promise<unknown> };
}

function Waiting({ what, query }: WaitingProps) {
  return query.error === null ? <LoadingRows rows={3} /> : <Failed what={what} error={query.error} retry={() => void query.refetch()} />;
}
