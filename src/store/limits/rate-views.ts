/** Rates as people see them: how much of each is used, who waits until when. Reads only. */
import type { Connection } from '../connection.ts';
import { type Rate, unkeyedRateName } from '../../model/rate.ts';
import { clockOf, openList } from '../sql.ts';
import { readRate } from '../read-json.ts';
import type { RateView, RateWait, RateWaiter } from './rate-contract.ts';

/** Most waiters listed of a rate. */
const maxListed = 100;
/** Most rates with a key that are listed, most recently used first. */
const maxWindows = 1_000;

type Standing = Pick<RateView, 'used' | 'nextAt' | 'waiting' | 'waiters'>;
const unused: Standing = { used: 0, nextAt: null, waiting: 0, waiters: [] };

/** See `RateStore.tagRates`. */
export async function tagRatesOf({ query }: Connection): Promise<readonly (Rate & { readonly name: string })[]> {
  const rows = await query<{ name: string; starts: number; per_ms: number; key: string | null }>(
    'select name, starts, per_ms, key from rates order by name',
  );
  return rows.map(({ name, starts, per_ms, key }) => ({ name, limit: Number(starts), perMs: Number(per_ms), key }));
}

/** See `RateStore.views`. */
export async function rateViews(connection: Connection): Promise<readonly RateView[]> {
  const { query } = connection;
  const at = await clockOf(connection);
  const used = await query<{ name: string; base: string; starts: number; per_ms: number }>(
    `select name, base, starts, per_ms from rate_windows order by touched_at desc limit ${maxWindows}`,
  );
  const declared = new Map((await declaredRates(connection)).map(({ name, ...rate }) => [name, rate]));
  const unkeyed = new Map<string, Standing>();
  const views: RateView[] = [];
  for (const { name, base, starts, per_ms } of used) {
    const rate = declared.get(base);
    const { limit, perMs } = rate ?? { limit: Number(starts), perMs: Number(per_ms) };
    const standing = await standingOf(connection, name, { limit, perMs }, at);
    if (rate !== undefined && name === unkeyedRateName(base)) unkeyed.set(base, standing);
    else if (standing.waiting > 0 || (standing.used > 0 && rate !== undefined))
      views.push({ name, base, limit, perMs, key: null, ...standing });
  }
  for (const [base, rate] of declared) views.push({ ...rate, name: base, base, ...(unkeyed.get(base) ?? unused) });
  return views.sort((a, b) => (a.name === b.name ? (a.base < b.base ? -1 : 1) : a.name < b.name ? -1 : 1));
}

async function declaredRates(connection: Connection): Promise<(Rate & { readonly name: string })[]> {
  const rows = await connection.query<{ kind: string; name: string; rate: string }>(
    `select 'flow' as kind, name, rate_limit as rate from flows where rate_limit is not null
     union all select 'deployment' as kind, name, rate_limit as rate from deployments where rate_limit is not null`,
  );
  return [...rows.map(({ kind, name, rate }) => ({ name: `${kind}:${name}`, ...readRate(rate) })), ...(await tagRatesOf(connection))];
}

async function standingOf(
  { query }: Connection,
  name: string,
  { limit, perMs }: Pick<Rate, 'limit' | 'perMs'>,
  at: number,
): Promise<Standing> {
  const [count] = await query<{ used: number; first: number | null }>(
    'select count(*) as used, min(likely_at) as first from rate_starts where name = $1 and at >= $2',
    [name, at - perMs],
  );
  const waiters = await query<{
    id: string;
    run_id: string;
    run_name: string;
    task: string | null;
    since_at: number;
    next_at: number;
    total: number;
  }>(
    `select rate_waits.id, run_id, runs.name as run_name, task, since_at, next_at, count(*) over () as total
     from rate_waits join runs on runs.id = run_id and runs.state_type in (${openList})
     where rate_waits.name = $1 order by rate_waits.priority desc, since_at, rate_waits.id limit $2`,
    [name, maxListed],
  );
  const used = Number(count?.used ?? 0);
  const first = count?.first ?? null;
  return {
    used,
    nextAt: used < limit || first === null ? null : Math.max(at, Number(first) + perMs + 1),
    waiting: Number(waiters[0]?.total ?? 0),
    waiters: waiters.map(
      ({ id, run_id, run_name, task, since_at, next_at }): RateWaiter => ({
        runId: run_id,
        runName: run_name,
        taskRunId: task === null ? null : id,
        sinceAt: Number(since_at),
        nextAt: Number(next_at),
      }),
    ),
  };
}

/** See `RateStore.waitsOf`. */
export async function rateWaitsOf({ query }: Connection, runId: string): Promise<readonly RateWait[]> {
  const rows = await query<{ name: string; starts: number; per_ms: number; task: string | null; count: number; next_at: number }>(
    `select rate_waits.name, rate_windows.starts, rate_windows.per_ms, task, count(*) as count, min(next_at) as next_at
     from rate_waits join rate_windows on rate_windows.name = rate_waits.name where run_id = $1
     group by rate_waits.name, rate_windows.starts, rate_windows.per_ms, task order by min(next_at), rate_waits.name`,
    [runId],
  );
  return rows.map(({ name, starts, per_ms, task, count, next_at }) => ({
    ...{ name, limit: Number(starts), perMs: Number(per_ms), task },
    ...{ count: Number(count), nextAt: Number(next_at) },
  }));
}
