/** Slots of runs: requested by tickets and by owners, and passed on to waiting runs. */
import type { Database, Connection } from '../connection.ts';
import { listed, listOf, terminalList, clockOf } from '../sql.ts';
import type { Owner, Run } from '../../model/run.ts';
import { maxSlots } from '../../model/slots.ts';
import { isTerminal, stateOf } from '../../model/state.ts';
import type { ClaimListener } from '../fleet/contract.ts';
import type { Ticketed } from '../leases/contract.ts';
import { claimable } from '../fleet/waiting.ts';
import { type Claim, hasOwner, ownerTextOf } from '../ownership.ts';
import { newRunValues, runOf, type RunRow, runTable } from '../tables.ts';
import { addTransitions } from '../runs/transitions.ts';
import type { LimitStore, SlotOutcome } from './contract.ts';
import { type Decision, decideSlots } from './slot-decisions.ts';
import {
  anyWaiter,
  type Contender,
  contenderColumns,
  declaredLimit,
  laneOf,
  lockLimit,
  slotHolders,
  slotRuns,
  slotWaiters,
  waitingQueues,
} from './slot-rows.ts';
import { cancelOthers, letWait, logDecisions, skipRun, stateAfter } from './slot-writes.ts';
import { insertText } from '../table.ts';
import { jsonText } from '../storable.ts';
import { ownerName } from '../read-json.ts';

/** Most runs of a limit that get their turn at once. */
const maxTurns = 1_000;
/**
 * Of these runs, none of which could be claimed as one without limit, claims those under a limit that may begin; the others wait or are
 * dropped. One transaction per limit. Reports which are missing.
 */
export async function claimUnderLimits(
  connection: Connection,
  ids: readonly string[],
  owner: Owner,
  leaseMs: number,
  listener: ClaimListener = {},
): Promise<readonly Run[]> {
  const asked = `id in ${listed(connection, 2)}`;
  const list = listOf([...new Set(ids)]);
  const settledRows = await connection.prepared<SettledRow>(
    `select id, case when ${claimable(connection, listener)} then concurrency_key end as key, flow, queue,
       case when ${claimable(connection, { ...listener, slots: maxSlots })} and not (${claimable(connection, listener)}) then slots end as slots,
       case when fair_key is not null and not (${claimable(connection, { ...listener, slots: maxSlots })}) then 1 end as fair, priority, state_type from runs
     where ${asked} and (concurrency_key is not null or not (${claimable(connection, listener)}))`,
    [connection.now(), list],
  );
  // The others had no row, or it was added after the claim.
  const settled = new Set(settledRows.map(({ id }) => id));
  for (const id of new Set(ids)) if (!settled.has(id)) listener.missing?.(id);
  for (const { id, flow, queue, slots } of settledRows) if (slots !== null) listener.heavy?.({ id, flow, queue, slots: Number(slots) });
  for (const { id, queue, priority, fair, state_type: type } of settledRows)
    if (fair !== null) listener.fair?.({ id, queue, priority: Number(priority), isCrashed: type === 'CRASHED' });
  for (const { id, key } of settledRows) if (key?.includes('\ufffd') === true) await mendKey(connection, id, key);
  const claimed: Run[] = [];
  for (const key of new Set(settledRows.map((one) => one.key))) {
    if (key === null) continue;
    const [runs, cancelled] = await connection.transaction(async (db) => {
      await lockLimit(db, key);
      const contenders = await db.query<Contender>(
        `select ${contenderColumns} from runs where concurrency_key = $3 and ${asked} and ${claimable(db, listener)} order by id`,
        [db.now(), list, key],
      );
      const decided = await decideSlots(db, key, contenders);
      const at = await clockOf(db);
      const told = await cancelOthers(db, decided, at);
      const taken: Run[] = [];
      for (const decision of decided.decisions) taken.push(...(await writeUnowned(db, decision, { owner, leaseMs, at })));
      await logDecisions(db, decided.decisions, at, null);
      return [taken, told] as const;
    });
    claimed.push(...runs);
    for (const run of cancelled) listener.cancelled?.(run);
  }
  return claimed;
}

/** What is known of a run that could not be claimed as one without limit. */
interface SettledRow {
  readonly id: string;
  /** Its limit, if it may be claimed otherwise. */
  readonly key: string | null;
  readonly flow: string;
  readonly queue: string;
  /** Set if a worker with that many places may claim it. */
  readonly slots: number | null;
  /** Set if its ticket is a right to a turn. */
  readonly fair: number | null;
  readonly priority: number;
  readonly state_type: string;
}

/** Invalid UTF-8, which an earlier version left in a key, is read as U+FFFD; compared as is, it would never be found again. */
async function mendKey({ query }: Connection, id: string, key: string): Promise<void> {
  await query('update runs set concurrency_key = $2 where id = $1', [id, key]);
}

async function writeUnowned(
  db: Database,
  decision: Decision,
  { owner, leaseMs, at }: { readonly owner: Owner; readonly leaseMs: number; readonly at: number },
): Promise<Run[]> {
  const { run, kind, message } = decision;
  if (kind === 'waits') await letWait(db, run, message, at, false);
  if (kind === 'skipped') await skipRun(db, run, message, at);
  if (kind !== 'taken') return [];
  const state = stateAfter(decision);
  const rows = await db.query<RunRow>(
    `update runs set epoch = epoch + 1, slot_epoch = epoch + 1, slot_since = null, lease_until = ${db.fragments.now(1)} + $2, owner = $3,
       state_type = $4, state_name = $5, state_message = $6
     where id = $7 and epoch = $8 and owner is null returning ${runTable.list}`,
    [db.now(), leaseMs, jsonText(owner), state.type, state.name, state.message, run.id, run.epoch],
  );
  return rows.map(runOf);
}

/** See `LimitStore.start`. */
export async function startUnderLimit(
  connection: Connection,
  run: Parameters<LimitStore['start']>[0],
  owner: Owner,
  leaseMs: number,
): Promise<SlotOutcome> {
  return await connection.transaction(async (db) => {
    await lockLimit(db, run.concurrencyKey);
    await db.query(insertText(runTable), newRunValues(run, owner, 0));
    await db.query(`update runs set lease_until = ${db.fragments.now(1)} + $2 where id = $3`, [db.now(), leaseMs, run.id]);
    await addTransitions(db, [{ runId: run.id, taskRunId: null, at: run.createdAt, ...run.state, attempt: run.attempt, owner: owner.id }]);
    return await askAsOwner(db, { runId: run.id, epoch: 1 }, run.concurrencyKey, owner.id);
  });
}

/** See `LimitStore.take`. */
export async function takeSlot(connection: Connection, claim: Claim): Promise<SlotOutcome> {
  return await connection.transaction(async (db) => {
    const [row] = await db.query<{ key: string | null }>('select concurrency_key as key from runs where id = $1', [claim.runId]);
    const key = row?.key ?? null;
    if (key === null) return row === undefined ? { kind: 'lost' } : { kind: 'taken', state: stateOf('PENDING'), cancelled: [] };
    await lockLimit(db, key);
    return await askAsOwner(db, claim, key, null);
  });
}

/** See `LimitStore.bind`. */
export async function bindToLimit(connection: Connection, claim: Claim, key: string): Promise<SlotOutcome> {
  return await connection.transaction(async (db) => {
    await lockLimit(db, key);
    const values = [key, claim.runId, claim.epoch, ownerTextOf(claim)];
    await db.query(`update runs set concurrency_key = $1 where id = $2 and epoch = $3 and ${hasOwner('$4')}`, values);
    return await askAsOwner(db, claim, key, null, true);
  });
}

/** @param release hands the run back if it has to wait, so that a ticket brings it to a worker again */
async function askAsOwner(db: Database, claim: Claim, key: string, ownerId: string | null, release = false): Promise<SlotOutcome> {
  const [run] = await db.query<Contender>(`select ${contenderColumns} from runs where id = $1 and epoch = $2 and ${hasOwner('$3')}`, [
    claim.runId,
    claim.epoch,
    ownerTextOf(claim),
  ]);
  if (run === undefined || run.owner === null) return { kind: 'lost' };
  const standing = { type: run.state_type, name: run.state_name, message: run.state_message };
  if (run.slot_epoch === run.epoch || run.state_type === 'CANCELLING' || isTerminal(run.state_type))
    return { kind: 'taken', state: standing, cancelled: [] };
  // In line with those it will wait with.
  const asking = release ? { ...run, owner: null } : run;
  const decided = await decideSlots(db, key, [asking]);
  const [decision] = decided.decisions;
  if (decision === undefined) return { kind: 'lost' };
  const at = await clockOf(db);
  const cancelled = await cancelOthers(db, decided, at);
  const state = stateAfter(decision);
  if (decision.kind === 'waits') await letWait(db, run, decision.message, at, !release);
  if (decision.kind === 'skipped') await skipRun(db, run, decision.message, at);
  if (decision.kind === 'taken')
    await db.query(
      'update runs set slot_epoch = epoch, slot_since = null, state_type = $1, state_name = $2, state_message = $3 where id = $4 and epoch = $5',
      [state.type, state.name, state.message, claim.runId, claim.epoch],
    );
  await logDecisions(db, [decision], at, ownerId ?? ownerOf(run));
  return { kind: decision.kind, state, cancelled };
}

function ownerOf({ owner }: Contender): string | null {
  return owner === null ? null : ownerName(owner);
}

/** See `LimitStore.mayTake`. */
export async function maySlotBeTaken(connection: Connection, runId: string): Promise<boolean> {
  const { query } = connection;
  const [run] = await query<Contender>(
    `select ${contenderColumns} from runs where id = $1 and concurrency_key is not null and state_type not in (${terminalList})`,
    [runId],
  );
  // Gone, ended or without a limit: asking tells.
  if (run === undefined || run.concurrency_key === null) return true;
  const declared = await declaredLimit(connection, run.concurrency_key, run);
  if (declared === null) return true;
  const free = declared.limit - (await slotHolders(connection, run.concurrency_key)).length;
  if (free <= 0) return false;
  const first = await slotWaiters(connection, run.concurrency_key, laneOf(run), free);
  return first.length < free || first.some(({ id }) => id === runId);
}

/** See `LimitStore.nextRuns`. */
export async function nextRunsOfLimits(
  connection: Connection,
  { key, ticketedBeforeMs }: Parameters<LimitStore['nextRuns']>[0],
): Promise<readonly Ticketed[]> {
  const next: Ticketed[] = [];
  for (const one of key === null ? await limitsWaitedFor(connection) : [key])
    next.push(...(await nextRunsOf(connection, one, ticketedBeforeMs)));
  return next;
}

async function nextRunsOf(connection: Connection, key: string, ticketedBeforeMs: number): Promise<readonly Ticketed[]> {
  // Under the lock: a run that is just being refused is visible only once that is done.
  return await connection.transaction(async (db) => {
    await lockLimit(db, key);
    const first = await anyWaiter(db, key);
    if (first === null) return [];
    const declared = await declaredLimit(db, key, first);
    const free = declared === null ? maxTurns : Math.min(maxTurns, declared.limit - (await slotHolders(db, key)).length);
    if (free <= 0) return [];
    const turns: string[] = [];
    for (const queue of await waitingQueues(db, key)) turns.push(...(await slotWaiters(db, key, queue, free)).map(({ id }) => id));
    if (turns.length === 0) return [];
    return await db.query<Ticketed>(
      `update runs set ticketed_at = ${db.fragments.now(1)}
       where id in ${listed(db, 2)} and owner is null and state_name = 'AwaitingSlot'
         and coalesce(ticketed_at, 0) <= ${db.fragments.now(1)} - $3
       returning id, epoch, queue, priority, due_at as "dueAt"`,
      [db.now(), listOf(turns), ticketedBeforeMs],
    );
  });
}

/** Limits for which unowned runs wait: one step through the index for each, however many wait. */
async function limitsWaitedFor(connection: Connection): Promise<string[]> {
  const waiting = `${slotRuns(connection, 'awaited')} where state_name = 'AwaitingSlot'`;
  const rows = await connection.query<{ key: string | null }>(
    `with recursive keys (key) as (
       select min(concurrency_key) from ${waiting}
       union all
       select (select min(concurrency_key) from ${waiting} and concurrency_key > keys.key) from keys where keys.key is not null
     ) select key from keys where key is not null`,
  );
  return rows.flatMap(({ key }) => key ?? []);
}
