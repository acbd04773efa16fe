/**
 * Values that runs emit while they run.
 *
 * Recording one locks the counter of its run until the transaction ends, so numbers become visible in order, even if the owner of a run and
 * the workers of its spread tasks write at the same time: a reader that has seen a number will never see a lower one.
 */
import { isTerminal, type StateType } from '../../model/state.ts';
import type { Connection, Database } from '../connection.ts';
import { limitOf } from '../lists/cursor.ts';
import { fittingLines } from '../lists/logs.ts';
import { claimKey, hasOwner, ownerTextOf } from '../ownership.ts';
import { listed, listOf, terminalList } from '../sql.ts';
import { jsonText } from '../storable.ts';
import { describeTable, insertListed, integer, type RowOf, text, textOrNull, time, type Value } from '../table.ts';
import { addResultKeys } from '../spread/write.ts';
import type { EmissionOutcome, EmissionStore, EmissionStream, EmissionWrite, StoredEmission } from './contract.ts';

/** Most bytes of text in one page. */
const pageBytes = 512 * 1024;
const mostRows = 1_000;

const emissionTable = describeTable('emissions', {
  run_id: text,
  seq: integer,
  stream: text,
  id: textOrNull,
  task_run_id: textOrNull,
  attempt: integer,
  at: time,
  value: textOrNull,
  ref: textOrNull,
});
const readTable = emissionTable.part(['seq', 'stream', 'task_run_id', 'attempt', 'at', 'value', 'ref']);
const countTable = describeTable('emission_counts', { run_id: text, newest: integer, bytes: integer });

interface Count {
  newest: number;
  bytes: number;
}

/** See `EmissionStore`. */
export function emissionStore(connection: Connection): EmissionStore {
  const { query } = connection;
  return {
    add: (writes, maxRunBytes) => connection.transaction((db) => addAll(db, writes, maxRunBytes)),
    async page(runId, stream, { after = 0, limit } = {}) {
      const most = limitOf(limit, mostRows, mostRows);
      const where = 'where run_id = $1 and stream = $2 and seq > $3';
      const sizes = await query<{ seq: number; bytes: number }>(
        `select seq, coalesce(octet_length(value), 0) as bytes from emissions ${where} order by seq limit $4`,
        [runId, stream, after, most],
      );
      const fitting = fittingLines(sizes, pageBytes);
      const last = sizes[fitting - 1];
      if (last === undefined) return { items: [], hasMore: false };
      const rows = await query<RowOf<typeof readTable>>(`select ${readTable.list} from emissions ${where} and seq <= $4 order by seq`, [
        runId,
        stream,
        after,
        last.seq,
      ]);
      return { items: rows.map((row): StoredEmission => readTable.read(row)), hasMore: fitting < sizes.length || sizes.length === most };
    },
    async streams(runId) {
      return await query<EmissionStream & Record<string, unknown>>(
        `select counted.stream, counted.count, counted.newest, emissions.at from
           (select stream, count(*) as count, max(seq) as newest from emissions where run_id = $1 group by stream) as counted
         join emissions on emissions.run_id = $1 and emissions.seq = counted.newest order by counted.stream`,
        [runId],
      );
    },
    async places(runIds) {
      const rows = await query<{ run_id: string; state_type: StateType; newest: number }>(
        `select runs.id as run_id, runs.state_type, coalesce(emission_counts.newest, 0) as newest
         from runs left join emission_counts on emission_counts.run_id = runs.id where runs.id in ${listed(connection, 1)}`,
        [listOf(runIds)],
      );
      return rows.map(({ run_id: runId, state_type: type, newest }) => ({ runId, newest, isOver: isTerminal(type) }));
    },
  };
}

async function addAll(db: Database, writes: readonly EmissionWrite[], maxRunBytes: number): Promise<readonly EmissionOutcome[]> {
  const runIds = [...new Set(writes.map(({ emission }) => emission.runId))].toSorted();
  const counts = await lockCounts(db, runIds);
  const held = await heldOf(db, writes);
  const known = await knownOf(db, writes);
  const rows: Value[][] = [];
  const changed = new Set<string>();
  const outcomes = writes.map(({ claim, emission }): EmissionOutcome => {
    const count = counts.get(emission.runId);
    if (count === undefined || !held.has(heldKey(claim))) return 'refused';
    const { runId, id } = emission;
    if (id !== null && known.has(id)) return 'kept';
    if (count.bytes + emission.bytes > maxRunBytes) return 'full';
    count.bytes += emission.bytes;
    count.newest++;
    changed.add(runId);
    if (id !== null) known.add(id);
    rows.push(emissionTable.values({ ...emission, seq: count.newest }));
    return 'kept';
  });
  if (rows.length === 0) return outcomes;
  await db.query(insertListed(emissionTable, db.fragments, 1), [jsonText(rows)]);
  for (const [at, { emission }] of writes.entries())
    if (emission.ref !== null && outcomes[at] === 'kept')
      await addResultKeys(db, emission.runId, [{ ref: emission.ref, taskRunId: emission.taskRunId }], emission.at);
  await db.query(
    `update emission_counts set newest = given.newest, bytes = given.bytes from ${db.fragments.list(1, countTable.kinds)} as given
     where emission_counts.run_id = given.run_id`,
    [jsonText([...changed].map((runId) => [runId, counts.get(runId)?.newest ?? 0, counts.get(runId)?.bytes ?? 0]))],
  );
  return outcomes;
}

/** In the order of the ids, so that two writing for the same runs do not deadlock. Deleted runs have none. */
async function lockCounts(db: Database, runIds: readonly string[]): Promise<Map<string, Count>> {
  const counts = new Map<string, Count>();
  const ids = listOf(runIds);
  await db.query(
    `insert into emission_counts (run_id, newest, bytes) select id, 0, 0 from runs where id in ${listed(db, 1)} order by id
     ${db.dialect === 'sqlite' ? '' : 'for key share'} on conflict (run_id) do nothing`,
    [ids],
  );
  const rows = await db.query<RowOf<typeof countTable>>(
    `select ${countTable.list} from emission_counts where run_id in ${listed(db, 1)} order by run_id ${db.dialect === 'sqlite' ? '' : 'for update'}`,
    [ids],
  );
  for (const { run_id: runId, newest, bytes } of rows) counts.set(runId, { newest, bytes });
  return counts;
}

/** The keys of claims that hold, of open runs. */
async function heldOf(db: Database, writes: readonly EmissionWrite[]): Promise<ReadonlySet<string>> {
  const claims = new Map(writes.map(({ claim }) => [heldKey(claim), claim]));
  const list = db.fragments.list(1, { held_id: 'text', held_epoch: 'integer', held_owner: 'text' });
  const [runs, tasks]: [Value[][], Value[][]] = [[], []];
  for (const claim of claims.values())
    if ('runId' in claim) runs.push([claim.runId, claim.epoch, ownerTextOf(claim)]);
    else tasks.push([claim.taskRunId, claim.epoch, null]);
  const held: HeldClaim[] = [];
  if (runs.length > 0)
    held.push(
      ...(await db.query<HeldClaim>(
        `select runs.id, runs.epoch, given.held_owner as owner from ${list} as given join runs on runs.id = given.held_id and runs.epoch = given.held_epoch
         where ${hasOwner('given.held_owner')} and runs.state_type not in (${terminalList})`,
        [jsonText(runs)],
      )),
    );
  if (tasks.length > 0)
    held.push(
      ...(await db.query<HeldClaim>(
        `select spread_tasks.id, spread_tasks.epoch, null as owner from ${list} as given
         join spread_tasks on spread_tasks.id = given.held_id and spread_tasks.epoch = given.held_epoch
         join runs on runs.id = spread_tasks.run_id
         where spread_tasks.stage = 'held' and runs.state_type not in (${terminalList})`,
        [jsonText(tasks)],
      )),
    );
  return new Set(held.map(({ id, epoch, owner }) => `${id}:${epoch} ${owner ?? ''}`));
}

interface HeldClaim {
  readonly id: string;
  readonly epoch: number;
  readonly owner: string | null;
}

function heldKey(claim: EmissionWrite['claim']): string {
  return `${claimKey(claim)} ${ownerTextOf(claim) ?? ''}`;
}

/** Ids of values that may be sent again and are already recorded. */
async function knownOf(db: Database, writes: readonly EmissionWrite[]): Promise<Set<string>> {
  const asked = writes.flatMap(({ emission: { runId, id } }) => (id === null ? [] : [[runId, id]]));
  if (asked.length === 0) return new Set();
  const rows = await db.query<{ id: string }>(
    `select emissions.id from ${db.fragments.list(1, { known_run: 'text', known_id: 'text' })} as given
     join emissions on emissions.run_id = given.known_run and emissions.id = given.known_id`,
    [jsonText(asked)],
  );
  return new Set(rows.map(({ id }) => id));
}
