/** Checks of what all processes share: database, ticket transport, schedules, queues and clocks. */
import type { Clock } from '../../base/clock.ts';
import { formatDuration } from '../../base/duration.ts';
import { programName } from '../../base/program-name.ts';
import { checkPostgres, checkRedis } from '../../broker/open.ts';
import { hasVersion } from '../../model/pin.ts';
import type { Store } from '../../store/store.ts';
import type { FleetReader } from '../fleet-figures.ts';
import { degraded, type HealthCheck, healthy, unhealthy } from './health.ts';

/** A longer round trip to the database or broker is slow, ms. */
const slowMs = 500;
/** Limits for schedules that are behind, ms. */
const lag = { degradedMs: 10_000, unhealthyMs: 60_000 };
/** Limits for clock differences, ms: leases and ticks use the clock of the database. */
const skew = { degradedMs: 2_000, unhealthyMs: 30_000 };
/** A delivery that has waited longer is reported, ms. */
const undeliveredMs = 300_000;
/** Most versions named. */
const mostNamed = 5;
/** Checking a broker opens a connection to it. */
const brokerKeepMs = 30_000;

export function databaseCheck(store: Store, clock: Clock): HealthCheck {
  return {
    name: 'database',
    mend: `See that the database runs and can be reached; ${programName()} doctor tells more.`,
    async check() {
      const startedAt = clock.monotonic();
      const version = await store.schemaVersion();
      const tookMs = clock.monotonic() - startedAt;
      const found = `${store.url}, schema version ${version}, answers in ${formatDuration(Math.round(tookMs))}`;
      return tookMs > slowMs ? degraded(found, 'See what keeps the database busy.') : healthy(found);
    },
  };
}

/** Redis with its policy and memory, or PostgreSQL; null if the database carries tickets. */
export function brokerCheck({
  redisUrl,
  brokerUrl,
}: {
  readonly redisUrl: string | null;
  readonly brokerUrl: string | null;
}): HealthCheck | null {
  const mend = 'See that it runs. Runs are recorded all the same and start once it is back.';
  if (redisUrl !== null)
    return {
      ...{ name: 'redis', mend, keepMs: brokerKeepMs, timeoutMs: 7_000 },
      async check() {
        const { url, version, evictionPolicy, latencyMs, warnings } = await checkRedis(redisUrl);
        const found = `${url}, version ${version}, maxmemory-policy ${evictionPolicy}, answers in ${formatDuration(Math.round(latencyMs))}`;
        if (warnings.length > 0) return degraded(found, warnings.join(' '));
        return latencyMs > slowMs ? degraded(found, 'See what keeps Redis busy, or how far away it is.') : healthy(found);
      },
    };
  if (brokerUrl !== null)
    return { name: 'broker', mend, keepMs: brokerKeepMs, timeoutMs: 7_000, check: async () => healthy(await checkPostgres(brokerUrl)) };
  return null;
}

export function schedulesCheck(store: Store): HealthCheck {
  return {
    name: 'schedules',
    async check() {
      const { now, at } = await store.ticks.nextTurn({ lookAheadMs: 0, withinMs: 0 });
      const behindMs = at === null ? 0 : Math.max(0, now - at);
      if (behindMs <= lag.degradedMs) return healthy('no tick is overdue');
      const found = `a tick has been due for ${formatDuration(behindMs)} without a run`;
      const mend = `Start a scheduler (${programName()} scheduler), or see why it is behind.`;
      return behindMs > lag.unhealthyMs ? unhealthy(found, mend) : degraded(found, mend);
    },
  };
}

export function queuesCheck(fleet: FleetReader): HealthCheck {
  return {
    name: 'queues',
    async check() {
      const { queues, workers } = await fleet.read();
      const alive = workers.filter(({ isAlive }) => isAlive).length;
      const left = queues.filter(({ waiting, workers: served }) => waiting > 0 && served === 0);
      const waits = queues.reduce((sum, { waiting }) => sum + waiting, 0);
      const all = `${alive} ${alive === 1 ? 'worker' : 'workers'}, ${waits} ${waits === 1 ? 'run waits' : 'runs wait'}`;
      const [first] = left;
      if (first === undefined) return healthy(all);
      const names = left.map(({ name, waiting }) => `${name} (${waiting} wait)`).join(', ');
      return degraded(`${all}; nobody serves ${names}`, `Start a worker: ${programName()} worker --queue ${first.name}`);
    },
  };
}

/** Whether runs pinned to a version can continue. */
export function versionsCheck({ pins }: Store, fleet: FleetReader): HealthCheck {
  return {
    name: 'versions',
    async check() {
      const pinned = await pins.underWay();
      const runs = pinned.reduce((sum, { runs: count }) => sum + count, 0);
      if (runs === 0) return healthy('no run under way is pinned to a version');
      const alive = (await fleet.read()).workers.filter(({ isAlive }) => isAlive);
      const left = pinned.filter((pin) => !alive.some(({ flows }) => hasVersion(flows, pin)));
      const [first] = left;
      if (first === undefined) return healthy(`${countOf(runs)} pinned, all to versions that workers have`);
      const more = left.length > mostNamed ? ` and ${left.length - mostNamed} more` : '';
      const names = left.slice(0, mostNamed).map(({ flow, version, runs: count }) => `${flow} ${version} (${countOf(count)})`);
      return degraded(
        `pinned to versions that no worker has: ${names.join(', ')}${more}`,
        `Start a worker with that version, or let them continue with any: ${programName()} runs unpin --flow ${first.flow} --pinned ${first.version}`,
      );
    },
  };
}

function countOf(runs: number): string {
  return runs === 1 ? '1 run' : `${runs} runs`;
}

/** Whether deliveries of alerts arrive. */
export function alertsCheck(store: Store): HealthCheck {
  return {
    name: 'alerts',
    async check() {
      const { pending, oldestAt, failedLately, now } = await store.alerts.outbox.state();
      const waitsMs = oldestAt === null ? 0 : now - oldestAt;
      const is = (one: string, many: string): string => `${pending} ${pending === 1 ? one : many}`;
      if (waitsMs <= undeliveredMs && failedLately === 0) return healthy(pending === 0 ? 'all are sent' : `${is('is', 'are')} being sent`);
      const waiting = pending === 0 ? [] : [`${is('waits', 'wait')} to be sent, the oldest for ${formatDuration(Math.max(0, waitsMs))}`];
      const found = [...waiting, ...(failedLately === 0 ? [] : [`${failedLately} given up within a day`])].join('; ');
      return degraded(
        found,
        `See what the receivers answer: ${programName()} alerts ls --all, ${programName()} alerts inspect <id>. A scheduler sends them.`,
      );
    },
  };
}

/** The clock of this machine against that of the database. On SQLite they are one. */
export function clockCheck(store: Store, clock: Clock): HealthCheck {
  return {
    name: 'clock',
    async check() {
      if (store.dialect === 'sqlite') return healthy('the database uses the clock of this machine');
      const before = clock.now();
      const { now } = await store.ticks.nextTurn({ lookAheadMs: 0, withinMs: 0 });
      const after = clock.now();
      const apartMs = now < before ? before - now : now > after ? now - after : 0;
      const found = `${apartMs === 0 ? 'as' : `${formatDuration(apartMs)} apart from`} the clock of the database`;
      const mend = 'Have both set by NTP: leases and ticks go by the clock of the database.';
      if (apartMs <= skew.degradedMs) return healthy(found);
      return apartMs > skew.unhealthyMs ? unhealthy(found, mend) : degraded(found, mend);
    },
  };
}
