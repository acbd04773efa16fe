/** Reads of limits on runs: who holds a slot, who waits for one, and how many there are. */
import type { Database, Connection } from '../connection.ts';
import type { Concurrency } from '../../model/deployment.ts';
import type { StateName, StateType } from '../../model/state.ts';
import { openList } from '../sql.ts';
import { readConcurrency } from '../read-json.ts';

/** What decides about the slot of a run. */
export interface Contender {
  readonly id: string;
  readonly name: string;
  readonly flow: string;
  readonly deployment: string | null;
  readonly queue: string;
  readonly priority: number;
  readonly since: number;
  readonly epoch: number;
  readonly slot_epoch: number | null;
  readonly owner: string | null;
  readonly attempt: number;
  readonly started_at: number | null;
  readonly state_type: StateType;
  readonly state_name: StateName;
  readonly state_message: string | null;
  readonly concurrency_key: string | null;
}

/** Rank of a run that asks again after it had begun: behind all that wait. */
export const justNow = Number.MAX_SAFE_INTEGER;
/** Since when it waits: its creation, or its scheduled instant if later; one that returns after it had begun waits since its return. */
const since = `coalesce(slot_since, case when started_at is not null then ${justNow} when scheduled_for > created_at then scheduled_for
  else created_at end)`;
export const contenderColumns = `id, name, flow, deployment, queue, priority, ${since} as since, epoch, slot_epoch, owner, attempt, started_at,
  state_type, state_name, state_message, concurrency_key`;

/** A run that holds the slot of its limit. */
const holding = `slot_epoch is not null and owner is not null and state_type in (${openList}) and slot_epoch = epoch`;

/** The line a run waits in, as in the index of migration 19: its queue; null if it waits in its process. */
const line = 'case when owner is null then queue end';

/** SQLite keeps no statistics, so the index is named. */
export function slotRuns({ dialect }: Pick<Connection, 'dialect'>, which: 'held' | 'awaited'): string {
  return dialect === 'sqlite' ? `runs indexed by runs_slot_${which}` : 'runs';
}

/** A waiting run that can be given a slot: unowned, or its owner is alive. `$1` is the instant. */
export function awaiting({ fragments }: Database): string {
  return `state_name = 'AwaitingSlot' and (owner is null or lease_until > ${fragments.now(1)})`;
}

/** Inside a transaction: nobody else decides about slots of this limit until it ends. SQLite has locked all already. */
export async function lockLimit({ dialect, query }: Database, key: string): Promise<void> {
  if (dialect === 'postgres') await query('select pg_advisory_xact_lock(hashtextextended($1, 7236018))', [key]);
}

/** How many runs may be active, and what happens to the others; null if nothing declares the limit any more. */
export async function declaredLimit(
  { query }: Database,
  key: string,
  { flow, deployment }: Pick<Contender, 'flow' | 'deployment'>,
): Promise<Concurrency | null> {
  const isDeployments = key.startsWith('deployment:');
  const [row] = await query<{ concurrency: string | null }>(
    `select concurrency from ${isDeployments ? 'deployments' : 'flows'} where name = $1`,
    [isDeployments ? (deployment ?? '') : flow],
  );
  return row === undefined || row.concurrency === null ? null : readConcurrency(row.concurrency);
}

/** Slot holders, oldest first. */
export async function slotHolders(db: Database, key: string): Promise<Contender[]> {
  return await db.query<Contender>(
    `select ${contenderColumns} from ${slotRuns(db, 'held')} where concurrency_key = $1 and ${holding}
     order by coalesce(started_at, created_at), id`,
    [key],
  );
}

/** Next waiters in a lane, in order. @param lane queue of unowned runs; null: runs that wait in their processes */
export async function slotWaiters(db: Database, key: string, lane: string | null, limit: number): Promise<Contender[]> {
  return await db.query<Contender>(
    `select ${contenderColumns} from ${slotRuns(db, 'awaited')}
     where concurrency_key = $2 and ${awaiting(db)} and ${lane === null ? `${line} is null` : `${line} = $4`}
     order by priority desc, slot_since, id limit $3`,
    lane === null ? [db.now(), key, limit] : [db.now(), key, limit, lane],
  );
}

/** Waiters for a slot of the limit, longest waiting first. */
export async function allWaiters(db: Database, key: string, limit: number): Promise<Contender[]> {
  return await db.query<Contender>(
    `select ${contenderColumns} from ${slotRuns(db, 'awaited')} where concurrency_key = $2 and ${awaiting(db)}
     order by slot_since, id limit $3`,
    [db.now(), key, limit],
  );
}

/** An unowned run that waits for a slot of the limit, to find what may declare the limit; null if there is none. */
export async function anyWaiter(db: Database, key: string): Promise<Pick<Contender, 'flow' | 'deployment'> | null> {
  const [row] = await db.query<Pick<Contender, 'flow' | 'deployment'>>(
    `select flow, deployment from ${slotRuns(db, 'awaited')}
     where concurrency_key = $1 and state_name = 'AwaitingSlot' and ${line} is not null order by ${line} limit 1`,
    [key],
  );
  return row ?? null;
}

/** The queues in which unowned runs wait for a slot of the limit: one step through the index for each, however many wait. */
export async function waitingQueues(db: Database, key: string): Promise<readonly string[]> {
  const first = (beyond: string): string =>
    `(select ${line} from ${slotRuns(db, 'awaited')}
      where concurrency_key = $1 and state_name = 'AwaitingSlot' and ${line} ${beyond} order by ${line} limit 1)`;
  const rows = await db.query<{ queue: string }>(
    `with recursive lines (queue) as (
       select ${first('is not null')} union all select ${first('> lines.queue')} from lines where lines.queue is not null
     ) select queue from lines where queue is not null`,
    [key],
  );
  return rows.map(({ queue }) => queue);
}

/** Its lane: runs of one queue share one, runs that wait in their processes share another. */
export function laneOf({ owner, queue }: Contender): string | null {
  return owner === null ? queue : null;
}

/** Order of turns. */
export function compareTurns(a: Contender, b: Contender): number {
  return b.priority - a.priority || a.since - b.since || (a.id < b.id ? -1 : Number(a.id > b.id));
}
