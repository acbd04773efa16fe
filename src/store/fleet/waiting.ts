/** Runs that wait for a worker: bulk insert, group claim, and the search for lost tickets. */
import type { Database, Connection } from '../connection.ts';
import { type LeasedWork, claimText, claimValues } from '../leases/leases.ts';
import { openList, listed, lockInOrder, listOf, terminalList } from '../sql.ts';
import { earlyMs } from '../../model/lease.ts';
import { newRunValues, runOf, transitionValues, type RunRow, runTable, transitionTable } from '../tables.ts';
import { letOthersIn } from '../../base/clock.ts';
import type { Owner, Run, Transition } from '../../model/run.ts';
import { type Value, columnsOf, describeTable, integerOrNull, textOrNull, timeOrNull } from '../table.ts';
import { addTransitions } from '../runs/transitions.ts';
import { insertExpiries } from '../expiry/expiry.ts';
import { lineUp } from '../fairness/fairness.ts';
import type { ClaimListener, InsertedRun, WaitingRun } from './contract.ts';
import { jsonText } from '../storable.ts';

/** Limits of one statement: rows, and the length of what they carry. */
const maxRows = 1_000;
const maxChars = 4_000_000;

/** A run as it is inserted to wait; `ticketed_at` comes from the clock of the database. */
const waitingTable = describeTable('runs', {
  ...runTable.described,
  ...{ idempotency_key: textOrNull, ticketed_at: timeOrNull, fair_waits: integerOrNull },
});

/** Runs as leased work. Runs that wait for a signal or for another run need no ticket. */
export const runWork: LeasedWork = {
  table: 'runs',
  isHeld: `owner is not null and state_type in (${openList})`,
  heldIndex: 'runs_owned',
  isTicketable: `owner is null and held is null and parked_for is null and state_type in ('SCHEDULED', 'PENDING', 'RUNNING', 'PAUSED')
    and state_name <> 'AwaitingSlot' and not (state_type = 'PAUSED' and due_at is null)`,
  ticketableIndex: 'runs_waiting',
  taken: '',
  waiting: '',
};

/** See `FleetStore.insertMany`. */
export async function insertWaiting(connection: Connection, rows: readonly WaitingRun[]): Promise<readonly InsertedRun[]> {
  const placed: InsertedRun[] = [];
  for (const chunk of chunksOf(rows)) {
    if (placed.length > 0) await letOthersIn();
    const [only, ...others] = chunk;
    const insert =
      connection.dialect === 'postgres' && only !== undefined && others.length === 0 && only.expiresAt == null && only.run.fairKey == null
        ? insertOne(connection, only)
        : connection.transaction((db) => insertChunk(db, chunk));
    placed.push(...(await insert));
  }
  return placed;
}

/** The same inside a transaction. */
export async function insertWithin(db: Database, rows: readonly WaitingRun[]): Promise<readonly InsertedRun[]> {
  const placed: InsertedRun[] = [];
  for (const chunk of chunksOf(rows)) placed.push(...(await insertChunk(db, chunk)));
  return placed;
}

function chunksOf(rows: readonly WaitingRun[]): WaitingRun[][] {
  const chunks: WaitingRun[][] = [];
  let chars = Infinity;
  for (const row of rows) {
    const last = chunks.at(-1);
    chars += row.run.params.length;
    if (last === undefined || last.length >= maxRows || chars > maxChars) {
      chunks.push([row]);
      chars = row.run.params.length;
    } else last.push(row);
  }
  return chunks;
}

/** A run submitted alone: its row and its transition in one round trip instead of four. */
async function insertOne(connection: Connection, row: WaitingRun): Promise<InsertedRun[]> {
  const { list, now } = connection.fragments;
  const { run, idempotencyKey } = row;
  const inserted = await connection.prepared<{ id: string }>(
    `with added as (
       insert into runs (${waitingTable.list})
       select ${pickedColumns(now(2))} from ${list(1, waitingTable.kinds)} as added on conflict do nothing returning id),
     logged as (
       insert into transitions (${transitionTable.list})
       select ${columnsOf(transitionTable, 'told')}
       from ${list(3, transitionTable.kinds)} as told join added on added.id = told.run_id)
     select id from added`,
    [jsonText([valuesOf(row)]), connection.now(), jsonText([transitionValues(firstTransition(row))])],
  );
  if (inserted.length > 0) return [{ id: run.id, inserted: true }];
  const standing = await standingRuns(connection, [row]);
  return [{ id: standing.get(keyOf(run.flow, idempotencyKey)) ?? run.id, inserted: false }];
}

function valuesOf({ run, idempotencyKey }: WaitingRun): Value[] {
  return [...newRunValues(run, null, null), idempotencyKey, null, run.fairKey == null ? null : 1];
}

function firstTransition({ run }: WaitingRun): Transition {
  return { runId: run.id, taskRunId: null, at: run.createdAt, ...run.state, attempt: run.attempt, owner: null };
}

function pickedColumns(now: string): string {
  return waitingTable.columns.map((column) => (column === 'ticketed_at' ? now : column)).join(', ');
}

async function insertChunk(db: Database, rows: readonly WaitingRun[]): Promise<InsertedRun[]> {
  const { list, now } = db.fragments;
  const inserted = await db.query<{ id: string }>(
    `insert into runs (${waitingTable.list}) select ${pickedColumns(now(2))} from ${list(1, waitingTable.kinds)} as added
     where true on conflict do nothing returning id`,
    [jsonText([...rows].sort(byKeys).map(valuesOf)), db.now()],
  );
  const isNew = new Set(inserted.map(({ id }) => id));
  const fresh = rows.filter(({ run }) => isNew.has(run.id));
  await addTransitions(db, fresh.map(firstTransition));
  await insertExpiries(db, fresh);
  const fair = fresh.flatMap(({ run }) =>
    run.fairKey == null ? [] : [{ queue: run.queue ?? 'default', priority: run.priority ?? 0, key: run.fairKey }],
  );
  if (fair.length > 0) await lineUp(db, fair);
  if (fresh.length === rows.length) return rows.map(({ run }) => ({ id: run.id, inserted: true }));
  const standing = await standingRuns(db, rows);
  return rows.map(({ run, idempotencyKey }) =>
    isNew.has(run.id) ? { id: run.id, inserted: true } : { id: standing.get(keyOf(run.flow, idempotencyKey)) ?? run.id, inserted: false },
  );
}

/** In the same order everywhere: inserting the same keys or ticks in different orders would deadlock. */
function byKeys(a: WaitingRun, b: WaitingRun): number {
  if (a.idempotencyKey !== b.idempotencyKey) return (a.idempotencyKey ?? '') < (b.idempotencyKey ?? '') ? -1 : 1;
  return (a.run.scheduledFor ?? 0) - (b.run.scheduledFor ?? 0);
}

/** Ids of the runs that have the idempotency keys of these rows. */
async function standingRuns(db: Database, rows: readonly WaitingRun[]): Promise<ReadonlyMap<string, string>> {
  const keys = rows.flatMap(({ run, idempotencyKey }) => (idempotencyKey === null ? [] : [[run.flow, idempotencyKey]]));
  const found = await db.query<{ id: string; flow: string; key: string }>(
    `select runs.id, runs.flow, runs.idempotency_key as key from ${db.fragments.list(1, { flow: 'text', key: 'text' })} as asked
     join runs on runs.flow = asked.flow and runs.idempotency_key = asked.key`,
    [jsonText(keys)],
  );
  return new Map(found.map(({ id, flow, key }) => [keyOf(flow, key), id]));
}

function keyOf(flow: string, key: string | null): string {
  return jsonText([flow, key]);
}

/** Who claims: see `ClaimListener`. */
export type Claimant = Pick<ClaimListener, 'isAlone' | 'slots'>;

/**
 * Which runs a ticket may claim; `$1` is the instant. Runs on trial are left to a process that executes nothing else, runs that take
 * several places to workers with as many, runs that wait for their turn to `FairnessStore.pick`, and parked ones to `PinStore.unpark`.
 */
export function claimable({ fragments }: Pick<Connection, 'fragments'>, { isAlone = false, slots = 1 }: Claimant): string {
  const fits = slots === 1 ? 'slots is null' : `(slots is null or slots <= ${Math.trunc(slots)})`;
  return `${isAlone ? '' : `on_trial is null and fair_waits is null and ${fits} and `}state_type not in (${terminalList}) and owner is null and (due_at is null or due_at <= ${fragments.now(1)} + ${earlyMs})
    and not (state_type = 'PAUSED' and due_at is null) and held is null and parked_for is null`;
}

/**
 * See `FleetStore.claimMany`; runs without a limit. Locked in the order of ids, so that overlapping groups do not deadlock. Its commit does
 * not wait for the disk: the first flush of the owner makes the claim durable as well, and if the database has forgotten it before that,
 * the owner is refused by its name.
 */
export async function claimWaiting(
  connection: Connection,
  ids: readonly string[],
  owner: Owner,
  leaseMs: number,
  claimant: Claimant,
): Promise<ReadonlyMap<string, Run>> {
  if (ids.length === 0) return new Map();
  const which = `select id from runs where id in ${listed(connection, 4)} and concurrency_key is null and ${claimable(connection, claimant)}
    ${lockInOrder(connection, 'runs')}`;
  const where = `id in (${which}) and ${connection.fragments.unwaited}`;
  const rows = await connection.prepared<RunRow>(claimText(connection, runWork, where, runTable.list), [
    ...claimValues(connection, owner, leaseMs),
    listOf([...new Set(ids)]),
  ]);
  return new Map(rows.map((row) => [row.id, runOf(row)]));
}
