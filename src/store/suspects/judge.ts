/**
 * Who is charged with a lost process, decided in the transaction that takes back what it had.
 *
 * What it held at the first look is remembered, because leases of one process end one after another: a run that is found last would
 * look as if it had been alone.
 */
import type { Owner } from '../../model/run.ts';
import type { Connection, Query } from '../connection.ts';
import { openList, runsBy } from '../sql.ts';
import { ownerName } from '../read-json.ts';
import { jsonText } from '../storable.ts';
import { lossesBeforeTrial, markTrials } from './suspects.ts';

/** How long it is remembered what a lost process held, ms. */
const rememberedMs = 86_400_000;
/** Said of a process that executed something alone when nobody could tell what ended it. */
const unseen = 'it executed nothing else, and its lease ended';
/** Losses alone that prove it when there were others in company before. */
const provingLosses = 2;

/** A run or spread task run whose owner is lost. */
export interface Lost {
  readonly id: string;
  readonly runId: string;
  /** JSON of the `Owner`. */
  readonly owner: string;
  /** Losses that counted so far. */
  readonly recoveries: number;
  readonly leaseUntil: number | null;
}

export interface Judgement {
  /** Whether the loss counts as a recovery. */
  readonly counts: boolean;
  /** Whether that was one too many. */
  readonly crashes: boolean;
  /** Owners it has lost, this one included. */
  readonly losses: number;
  /** What was seen of the lost process, null when nothing was. */
  readonly seen: string | null;
}

interface LostOwner {
  readonly held: number;
  /** Spread tasks that it held. */
  readonly tasks: number;
  /** When it was last heard of as a worker; null when it was not. */
  readonly beatAt: number | null;
  readonly culprit: string | null;
  readonly seen: string | null;
}

interface SuspectRow {
  readonly id: string;
  readonly shared: number;
  readonly alone: number;
}

const nothingKnown: LostOwner = { held: 1, tasks: 1, beatAt: null, culprit: null, seen: null };

/** Judges each of these by its id, and keeps what follows for their next owners. */
export async function judgeLosses(
  connection: Connection,
  query: Query,
  lost: readonly Lost[],
  maxRecoveries: number,
): Promise<ReadonlyMap<string, Judgement>> {
  if (lost.length === 0) return new Map();
  const owners = new Map<string, LostOwner>();
  for (const owner of new Set(lost.map((one) => one.owner))) owners.set(owner, await lookAtOwner(connection, query, owner));
  const before = await suspectRows(connection, query, lost);
  const judged = new Map<string, Judgement>();
  const rows: (string | number)[][] = [];
  const marks: { id: string; isOnTrial: boolean }[] = [];
  for (const { id, runId, owner, recoveries, leaseUntil } of lost) {
    const { held, tasks, beatAt, culprit, seen } = owners.get(owner) ?? nothingKnown;
    // It lives, but could not renew its leases for a while.
    const isAlive = beatAt !== null && leaseUntil !== null && beatAt > leaseUntil;
    const { shared, alone } = before.get(id) ?? { shared: 0, alone: recoveries };
    const wasAlone = held <= 1 && (id === runId || tasks <= 1);
    const isCharged = culprit === null ? wasAlone && !isAlive : culprit === id;
    const isShared = culprit === null && !isCharged && !isAlive;
    const losses = Math.max(recoveries, shared + alone) + 1;
    const isProven = isCharged && (shared === 0 || alone + 1 >= provingLosses);
    judged.set(id, {
      counts: isCharged,
      crashes: maxRecoveries === 0 || (isProven && losses > maxRecoveries),
      losses,
      seen: seen ?? (culprit === id ? unseen : null),
    });
    if (!isCharged && !isShared) continue;
    rows.push([id, runId, shared + (isShared ? 1 : 0), alone + (isCharged ? 1 : 0), ownerName(owner)]);
    marks.push({ id, isOnTrial: culprit === id || losses >= lossesBeforeTrial });
  }
  await markTrials(connection, query, marks);
  await keepSuspects(connection, query, rows);
  return judged;
}

/** Those of whom nothing more will be heard; without those that execute something alone and whose end is still to be told. */
export async function withoutExpected(connection: Connection, owners: readonly Owner[]): Promise<readonly Owner[]> {
  if (owners.length === 0) return owners;
  const rows = await connection.query<{ owner: string }>('select owner from lost_owners where culprit is not null and seen is null');
  const expected = new Set(rows.map(({ owner }) => owner));
  return owners.filter(({ id }) => !expected.has(id));
}

/**
 * Notes what the owner holds now, unless more was noted before. A run, its sub-flows and their spread tasks are one: where nothing else was
 * held, the run was alone.
 */
async function lookAtOwner(connection: Connection, query: Query, owner: string): Promise<LostOwner> {
  const runs = await query<{ id: string; parent: string | null }>(
    `select id, parent_run_id as parent from ${runsBy(connection, 'runs_owned')} where owner is not null and state_type in (${openList}) and owner = $1`,
    [owner],
  );
  const tasks = await query<{ run_id: string }>(`select run_id from spread_tasks where stage = 'held' and owner = $1`, [owner]);
  const ids = new Set(runs.map(({ id }) => id));
  const roots = runs.filter(({ parent }) => parent === null || !ids.has(parent)).length;
  const strange = new Set(tasks.map((task) => task.run_id).filter((id) => !ids.has(id)));
  const now = connection.fragments.now(1);
  await query(`delete from lost_owners where at < ${now} - ${rememberedMs}`, [connection.now()]);
  const [noted] = await query<Omit<LostOwner, 'beatAt'>>(
    `insert into lost_owners (owner, held, tasks, at) values ($2, $3, $4, ${now})
     on conflict (owner) do update set held = case when excluded.held > lost_owners.held then excluded.held else lost_owners.held end,
       tasks = case when excluded.tasks > lost_owners.tasks then excluded.tasks else lost_owners.tasks end
     returning held, tasks, culprit, seen`,
    [connection.now(), ownerName(owner), roots + strange.size, tasks.length],
  );
  const [worker] = await query<{ beat_at: number }>('select beat_at from workers where id = $1', [ownerName(owner)]);
  return { ...nothingKnown, ...noted, beatAt: worker?.beat_at ?? null };
}

async function suspectRows(connection: Connection, query: Query, lost: readonly Lost[]): Promise<ReadonlyMap<string, SuspectRow>> {
  const rows = await query<SuspectRow>(
    `select id, shared, alone from suspects where id in (select id from ${connection.fragments.list(1, { id: 'text' })} as lost)`,
    [jsonText(lost.map(({ id }) => [id]))],
  );
  return new Map(rows.map((row) => [row.id, row]));
}

async function keepSuspects(connection: Connection, query: Query, rows: readonly (readonly (string | number)[])[]): Promise<void> {
  if (rows.length === 0) return;
  const types = { id: 'text', run_id: 'text', shared: 'integer', alone: 'integer', last_owner: 'text' } as const;
  await query(
    `insert into suspects (id, run_id, shared, alone, last_owner)
     select id, run_id, shared, alone, last_owner from ${connection.fragments.list(1, types)} as judged where true
     on conflict (id) do update set shared = excluded.shared, alone = excluded.alone, last_owner = excluded.last_owner`,
    [jsonText(rows)],
  );
}
