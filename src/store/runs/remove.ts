/** Deleting runs with all that belongs to them: one by one, or by age. */
import type { Database, Connection } from '../connection.ts';
import { listed, listOf, openList, terminalList, runsBy, forUpdate } from '../sql.ts';
import { isTerminal, type StateType } from '../../model/state.ts';
import { removeOfRuns } from '../cache/entries.ts';
import { looseOf } from '../cache/kept-results.ts';
import { markStale } from '../figures/sums.ts';
import { removeChunks } from '../results/results.ts';
import type { PruneOptions, PruneReport, RemovedRuns } from '../store.ts';

const owned = [
  'task_runs',
  'transitions',
  'results',
  'logs',
  'artifacts',
  'resource_uses',
  'stream_positions',
  'emission_counts',
  'emissions',
  'run_pins',
  'signals',
  'inbox',
  'spread_tasks',
  'limit_slots',
  'owed_hooks',
  'rollbacks',
  'suspects',
] as const;

const pruneBatchRuns = 500;

/** Changes of runs that live events can go back to (SQLite; otherwise the transitions themselves serve). */
const keptRunEvents = 100_000;

/** How long after they were due calls gathered for a run are kept, since it may be closing just now, ms. */
const keptDebounceMs = 3_600_000;
/** Ends not yet read by a trigger or an alert stay as long as their runs, so that no pause of the schedulers loses one. */
const areRead = `(not exists (select 1 from runs where runs.id = run_events.run_id)
  or ((seq <= (select settled from end_places where reader = 'triggers')
      or not exists (select 1 from triggers join deployments on deployments.name = triggers.deployment
        where triggers.by_ends = 1 and deployments.paused_at is null))
    and (seq <= (select settled from end_places where reader = 'alerts')
      or not exists (select 1 from alert_rules where by_ends = 1 and paused_at is null))))`;

/** Runs of a list with their sub-flow runs, at any depth. `$1` is the list of ids. */
function familyOf({ fragments }: Database): string {
  return `with recursive family (id) as (
    select id from ${fragments.list(1, { id: 'text' })} as roots
    union
    select runs.id from runs join family on runs.parent_run_id = family.id
  )`;
}

/** See `RunStore.delete`. */
export async function deleteRun(connection: Connection, id: string, force: boolean): Promise<boolean> {
  return await connection.transaction(async (db) => {
    const [run] = await db.query<{ state_type: StateType }>(`select state_type from runs where id = $1 ${forUpdate(db)}`, [id]);
    if (run === undefined || (!force && !isTerminal(run.state_type))) return false;
    await deleteFamilies(db, [id], { areCounted: false });
    return true;
  });
}

/** See `Store.resultRefs`. */
export async function resultRefsOf(connection: Connection, runId: string): Promise<readonly string[]> {
  const rows = await connection.query<{ key: string }>(
    `${familyOf(connection)} select distinct key from results where run_id in (select id from family) order by key`,
    [listOf([runId])],
  );
  return rows.map(({ key }) => key);
}

/** See `Store.keptResults`. */
export async function keptResultsOf({ query, fragments }: Connection, keys: readonly string[]): Promise<readonly string[]> {
  if (keys.length === 0) return [];
  const rows = await query<{ key: string }>(
    `select key from ${fragments.list(1, { key: 'text' })} as asked where exists (select 1 from results where results.key = asked.key)`,
    [listOf(keys)],
  );
  return rows.map(({ key }) => key);
}

/** Which runs are pruned; `$1` is now for `by deployment`, otherwise the instant they ended before. */
type Expired = 'all' | 'not by deployment' | 'by deployment';

/** See `Store.prune`. A sub-flow run goes with its parent, never before it. */
export async function pruneRuns(
  connection: Connection,
  before: number,
  { batch = pruneBatchRuns, signal, onBatch }: PruneOptions = {},
  expired: Expired = 'all',
): Promise<PruneReport> {
  const resultRefs: string[] = [];
  let runs = 0;
  while (signal?.aborted !== true) {
    const pruned = await connection.transaction((db) => pruneBatch(db, before, batch, expired));
    resultRefs.push(...pruned.resultRefs);
    runs += pruned.runIds.length;
    await onBatch?.(pruned);
    if (pruned.roots < batch) break;
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  await forgetDebounces(connection, before);
  if (expired === 'by deployment') return { runs, resultRefs };
  // A killed recorder leaves its mark; a living one has renewed it since.
  if (connection.dialect === 'postgres') await connection.query('delete from flush_marks where at < $1', [before]);
  else await connection.query(`delete from run_events where seq <= (select max(seq) from run_events) - $1 and ${areRead}`, [keptRunEvents]);
  return { runs, resultRefs };
}

/** Rows of calls whose run ended or was deleted without being begun; a call being added has moved its row into the future. */
async function forgetDebounces({ query }: Connection, before: number): Promise<void> {
  await query(
    `delete from debounces where due_at < $1
       and not exists (select 1 from runs where runs.id = debounces.run_id and runs.state_type in (${openList}))`,
    [before - keptDebounceMs],
  );
}

/** See `Store.expire`. */
export async function expireRuns(
  connection: Connection,
  { now, keepMs, ...options }: PruneOptions & { readonly now: number; readonly keepMs: number | null },
): Promise<PruneReport> {
  const ofDeployments = await pruneRuns(connection, now, options, 'by deployment');
  if (keepMs === null) return ofDeployments;
  const others = await pruneRuns(connection, now - keepMs, options, 'not by deployment');
  return { runs: ofDeployments.runs + others.runs, resultRefs: [...ofDeployments.resultRefs, ...others.resultRefs] };
}

/** By end time, so that old unended runs are not scanned. */
function expiredBy(expired: Expired): string {
  if (expired === 'by deployment') {
    return `id in (select old.id from deployments join runs as old on old.deployment = deployments.name
        and old.created_at < $1 - deployments.retention_ms and old.ended_at < $1 - deployments.retention_ms
      where deployments.retention_ms is not null)`;
  }
  const old = 'ended_at < $1';
  if (expired === 'all') return old;
  return `${old} and not exists (select 1 from deployments where deployments.name = runs.deployment and deployments.retention_ms is not null)`;
}

async function pruneBatch(
  db: Database,
  before: number,
  batch: number,
  expired: Expired,
): Promise<RemovedRuns & { readonly roots: number }> {
  const roots = await db.query<{ id: string }>(
    `select id from ${expired === 'by deployment' ? 'runs' : runsBy(db, 'runs_ended')} where ${expiredBy(expired)} and state_type in (${terminalList})
       and (parent_run_id is null or not exists (select 1 from runs as parent where parent.id = runs.parent_run_id))
     order by ended_at limit $2 ${db.dialect === 'sqlite' ? '' : 'for update skip locked'}`,
    [before, batch],
  );
  if (roots.length === 0) return { roots: 0, runIds: [], resultRefs: [] };
  const removed = await deleteFamilies(
    db,
    roots.map(({ id }) => id),
    { areCounted: true },
  );
  return { roots: roots.length, ...removed };
}

/** @param areCounted Whether the runs remain counted in the figures of their time. */
async function deleteFamilies(
  db: Database,
  roots: readonly string[],
  { areCounted }: { readonly areCounted: boolean },
): Promise<RemovedRuns> {
  const found = await db.query<{ id: string }>(`${familyOf(db)} select id from family`, [listOf(roots)]);
  const ids = listOf(found.map(({ id }) => id));
  // Before their tasks: an owner that is recording locks the run first, and either goes first or finds nothing left to write to.
  if (db.dialect === 'postgres') await db.query(`select id from runs where id in ${listed(db, 1)} order by id for update`, [ids]);
  if (!areCounted) await markStale(db, ids);
  const ofThese = listed(db, 1);
  const keys = await db.query<{ key: string }>(`select distinct key from results where run_id in ${ofThese}`, [ids]);
  for (const table of owned) await db.query(`delete from ${table} where run_id in ${ofThese}`, [ids]);
  const runs = await db.query<{ id: string }>(`delete from runs where id in ${ofThese} returning id`, [ids]);
  const cached = await removeOfRuns(db, ids);
  const resultRefs = await looseOf(db, [...keys.map(({ key }) => key), ...cached]);
  await removeChunks(
    db,
    runs.map(({ id }) => id),
    resultRefs,
  );
  return { runIds: runs.map(({ id }) => id), resultRefs };
}
