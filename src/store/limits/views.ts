/** Limits as people see them: slots, holders, waiters. Reads only. */
import type { Connection } from '../connection.ts';
import type { RunLimit, SlotRun, TagLimit, TagLimitView } from './contract.ts';
import { allWaiters, type Contender, declaredLimit, slotHolders, slotRuns } from './slot-rows.ts';
import { validSlot } from './task-lines.ts';
import { readConcurrency } from '../read-json.ts';

/** Most holders and most waiters listed of a limit. */
const maxListed = 100;

/** See `LimitStore.runLimit`. */
export async function runLimitOf(
  connection: Connection,
  name: string,
  of: { readonly flow: string; readonly deployment: string | null },
): Promise<RunLimit> {
  const { query } = connection;
  const declared = await declaredLimit(connection, name, of);
  const holders = await slotHolders(connection, name);
  const waiters = await allWaiters(connection, name, maxListed);
  const [count] =
    waiters.length < maxListed
      ? [{ waiting: waiters.length }]
      : await query<{ waiting: number }>(
          `select count(*) as waiting from ${slotRuns(connection, 'awaited')} where concurrency_key = $1 and state_name = 'AwaitingSlot'`,
          [name],
        );
  return {
    name,
    slots: declared?.limit ?? null,
    holders: holders.slice(0, maxListed).map(slotRunOf),
    waiters: waiters.map(slotRunOf),
    held: holders.length,
    waiting: Number(count?.waiting ?? 0),
  };
}

function slotRunOf({ id, name, since, started_at, slot_epoch, epoch }: Contender): SlotRun {
  return { runId: id, runName: name, sinceAt: slot_epoch === epoch ? (started_at ?? since) : since };
}

/** See `LimitStore.runLimits`. */
export async function runLimitsOf(connection: Connection): Promise<readonly RunLimit[]> {
  const { query } = connection;
  const inUse = await query<{ name: string; flow: string; deployment: string | null }>(
    `select concurrency_key as name, min(flow) as flow, min(deployment) as deployment from ${slotRuns(connection, 'held')}
       where slot_epoch is not null and owner is not null and state_type in ('SCHEDULED', 'PENDING', 'RUNNING', 'PAUSED', 'CANCELLING')
         and slot_epoch = epoch and concurrency_key is not null group by concurrency_key
     union
     select concurrency_key as name, min(flow) as flow, min(deployment) as deployment from ${slotRuns(connection, 'awaited')}
       where state_name = 'AwaitingSlot' and concurrency_key is not null group by concurrency_key`,
  );
  const declared = await query<{ kind: 'flow' | 'deployment'; name: string; concurrency: string }>(
    `select 'flow' as kind, name, concurrency from flows where concurrency is not null
     union all select 'deployment' as kind, name, concurrency from deployments where concurrency is not null`,
  );
  const limits = new Map<string, RunLimit>();
  for (const { kind, name, concurrency } of declared) {
    const { limit, key } = readConcurrency(concurrency);
    const base = `${kind}:${name.replaceAll(':', '%3A')}`;
    const isUsed = inUse.some((used) => used.name === base || used.name.startsWith(`${base}:`));
    if (!isUsed)
      limits.set(base, { name: key === null ? base : `${base}:${key}`, slots: limit, holders: [], waiters: [], held: 0, waiting: 0 });
  }
  for (const { name, flow, deployment } of inUse) limits.set(name, await runLimitOf(connection, name, { flow, deployment }));
  return [...limits.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** See `LimitStore.tagLimits`. */
export async function tagLimitsOf({ query }: Connection): Promise<readonly TagLimit[]> {
  const rows = await query<TagLimit>('select name, slots from limits order by name');
  return rows.map(({ name, slots }) => ({ name, slots: Number(slots) }));
}

interface SlotRow {
  readonly holder_id: string;
  readonly run_id: string;
  readonly run_name: string | null;
  readonly since: number;
  readonly total: number;
}

/** See `LimitStore.tagLimitViews`. */
export async function tagLimitViewsOf(connection: Connection): Promise<readonly TagLimitView[]> {
  const views: TagLimitView[] = [];
  for (const limit of await tagLimitsOf(connection)) {
    const holders = await slotRowsOf(connection, limit.name, 'held_since is not null', 'held_since');
    const waiters = await slotRowsOf(connection, limit.name, 'held_since is null', 'waiting_since');
    views.push({
      ...limit,
      holders: holders.map(slotTaskOf),
      waiters: waiters.map(slotTaskOf),
      held: Number(holders[0]?.total ?? 0),
      waiting: Number(waiters[0]?.total ?? 0),
    });
  }
  return views;
}

async function slotRowsOf({ query }: Connection, name: string, which: string, since: string): Promise<SlotRow[]> {
  return await query<SlotRow>(
    `select limit_slots.holder_id, limit_slots.run_id, runs.name as run_name, limit_slots.${since} as since, count(*) over () as total
     from limit_slots left join runs on runs.id = limit_slots.run_id
     where limit_slots.name = $1 and ${which} and ${validSlot} order by ${since}, holder_id limit $2`,
    [name, maxListed],
  );
}

function slotTaskOf({ holder_id, run_id, run_name, since }: SlotRow): TagLimitView['holders'][number] {
  return { taskRunId: holder_id, runId: run_id, runName: run_name ?? '', sinceAt: Number(since) };
}
