/**
 * Decides who is blamed for a lost process, in the transaction that takes back what it held.
 *
 * What it held at the first check is remembered, because the leases of a process end one after another: a run found last would seem to have
 * been alone.
 */
import type { Database, Connection } from '../connection.ts';
import { judgeLoss, type Judgement, type LostOwner, type LostWork, type Suspicion } from '../../model/lease.ts';
import { describeTable, insertListed, integer, replacedBy, text } from '../table.ts';
import { listed, listOf, openList, runsBy } from '../sql.ts';
import { ownerName } from '../read-json.ts';
import { jsonText } from '../storable.ts';
import { markTrials } from '../suspects/suspects.ts';

/** How long what a lost process held is remembered, ms. */
const rememberedMs = 86_400_000;
/** Work whose owner is lost. */
export interface Lost extends LostWork {
  /** JSON of the `Owner`. */
  readonly owner: string;
}

interface SuspectRow extends Suspicion {
  readonly id: string;
}

const nothingKnown: LostOwner = { held: 1, tasks: 1, beatAt: null, culprit: null, seen: null };

/** Judges each of these by its id, and keeps the outcome for their next owners. */
export async function judgeLosses(db: Database, lost: readonly Lost[], maxRecoveries: number): Promise<ReadonlyMap<string, Judgement>> {
  if (lost.length === 0) return new Map();
  const owners = new Map<string, LostOwner>();
  for (const owner of new Set(lost.map((one) => one.owner))) owners.set(owner, await lookAtOwner(db, owner));
  const before = await suspectRows(db, lost);
  const judged = new Map<string, Judgement>();
  for (const one of lost) judged.set(one.id, judgeLoss(one, owners.get(one.owner) ?? nothingKnown, before.get(one.id), maxRecoveries));
  const suspects = lost.flatMap(({ id, runId, owner }) => {
    const suspicion = judged.get(id)?.suspicion ?? null;
    return suspicion === null ? [] : [{ id, runId, lastOwner: ownerName(owner), ...suspicion }];
  });
  await markTrials(db, suspects);
  await keepSuspects(db, suspects);
  return judged;
}

/** Names of processes that execute something alone and whose end their starters have yet to report. */
export async function expectedOwners(connection: Connection): Promise<ReadonlySet<string>> {
  const rows = await connection.query<{ owner: string }>('select owner from lost_owners where culprit is not null and seen is null');
  return new Set(rows.map(({ owner }) => owner));
}

/**
 * Records what the owner holds now, unless more is recorded. A run, its sub-flows and their spread tasks count as one: if nothing else was
 * held, the run was alone.
 */
async function lookAtOwner(db: Database, owner: string): Promise<LostOwner> {
  const runs = await db.query<{ id: string; parent: string | null }>(
    `select id, parent_run_id as parent from ${runsBy(db, 'runs_owned')} where owner is not null and state_type in (${openList}) and owner = $1`,
    [owner],
  );
  const tasks = await db.query<{ run_id: string }>(`select run_id from spread_tasks where stage = 'held' and owner = $1`, [owner]);
  const ids = new Set(runs.map(({ id }) => id));
  const roots = runs.filter(({ parent }) => parent === null || !ids.has(parent)).length;
  const strange = new Set(tasks.map((task) => task.run_id).filter((id) => !ids.has(id)));
  const now = db.fragments.now(1);
  await db.query(`delete from lost_owners where at < ${now} - ${rememberedMs}`, [db.now()]);
  const [noted] = await db.query<Omit<LostOwner, 'beatAt'>>(
    `insert into lost_owners (owner, held, tasks, at) values ($2, $3, $4, ${now})
     on conflict (owner) do update set held = case when excluded.held > lost_owners.held then excluded.held else lost_owners.held end,
       tasks = case when excluded.tasks > lost_owners.tasks then excluded.tasks else lost_owners.tasks end
     returning held, tasks, culprit, seen`,
    [db.now(), ownerName(owner), roots + strange.size, tasks.length],
  );
  const [worker] = await db.query<{ beat_at: number }>('select beat_at from workers where id = $1', [ownerName(owner)]);
  return { ...nothingKnown, ...noted, beatAt: worker?.beat_at ?? null };
}

async function suspectRows(db: Database, lost: readonly Lost[]): Promise<ReadonlyMap<string, SuspectRow>> {
  const rows = await db.query<SuspectRow>(`select id, shared, alone from suspects where id in ${listed(db, 1)}`, [
    listOf(lost.map(({ id }) => id)),
  ]);
  return new Map(rows.map((row) => [row.id, row]));
}

const suspectTable = describeTable('suspects', { id: text, run_id: text, shared: integer, alone: integer, last_owner: text });

async function keepSuspects(
  { fragments, query }: Database,
  suspects: readonly (Suspicion & { readonly id: string; readonly runId: string; readonly lastOwner: string })[],
): Promise<void> {
  if (suspects.length === 0) return;
  await query(`${insertListed(suspectTable, fragments, 1)} on conflict (id) do update set ${replacedBy(suspectTable, 'id', 'run_id')}`, [
    jsonText(suspects.map(suspectTable.values)),
  ]);
}
