/** Large results: their pieces in the database, what is stored at which place, and moving them. */
import { parseRef, storePlace } from '../../model/result-ref.ts';
import type { Connection, Database } from '../connection.ts';
import { holderOf } from '../cache/kept-results.ts';
import { listed, listOf, lockInOrder, openList } from '../sql.ts';
import { jsonText } from '../storable.ts';
import type { ListedResult, ResultStore, ResultSum } from './contract.ts';

/** Open runs, or runs with open parents: they may have read where a result is stored, and ask for it later. */
const isOpen = `exists (select 1 from runs left join runs as parent on parent.id = runs.parent_run_id
  where runs.id = results.run_id and (runs.state_type in (${openList}) or parent.state_type in (${openList})))`;

/** See `ResultStore`. */
export function resultStore(connection: Connection): ResultStore {
  const { query } = connection;
  return {
    async writePart(key, part, bytes) {
      await query(
        `insert into result_chunks (run_id, name, part, data)
         select $1, $2, $3, $4 where exists (select 1 from runs where id = $1)
         on conflict (run_id, name, part) do update set data = excluded.data`,
        [...partsOf(key), part, bytes],
      );
    },
    async removeParts(key, part) {
      await query('delete from result_chunks where run_id = $1 and name = $2 and part >= $3', [...partsOf(key), part]);
    },
    readPart: (key, part) =>
      connection.blob('select data from result_chunks where run_id = $1 and name = $2 and part = $3', [...partsOf(key), part]),
    async size(key) {
      const [row] = await query<{ bytes: number | null }>(
        'select sum(length(data)) as bytes from result_chunks where run_id = $1 and name = $2',
        partsOf(key),
      );
      return row === undefined || row.bytes === null ? null : Number(row.bytes);
    },
    async sums() {
      const rows = await query<ResultSum>(
        `select place, count(*) as count, sum(bytes) as bytes
         from (select coalesce(max(place), '') as place, coalesce(max(bytes), 0) as bytes from results group by key) as each_once
         group by place order by place`,
      );
      return rows.map(({ place, count, bytes }) => ({ place, count: Number(count), bytes: Number(bytes) }));
    },
    movable: (place, after, limit) =>
      query<ListedResult>(
        `select key as locator, max(bytes) as bytes, max(sha256) as sha256 from results
         where key > $1 and coalesce(place, '') <> $2 and not ${isOpen} group by key order by key limit $3`,
        [after, place, limit],
      ),
    move: (moves) => connection.transaction((db) => moveIn(db, moves)),
    async leftBehind() {
      const rows = await query<{ key: string }>('select key from moved_results order by key limit 1000');
      return rows.map(({ key }) => key);
    },
    async forget(locators) {
      await query(`delete from moved_results where key in ${listed(connection, 1)}`, [listOf(locators)]);
    },
  };
}

/** Inside a transaction: removes the pieces of these locators, and unreferenced ones of deleted runs. */
export async function removeChunks(db: Database, runIds: readonly string[], locators: readonly string[]): Promise<void> {
  const keys = locators.map(parseRef).filter(({ place }) => place === storePlace);
  for (const { key } of keys) await db.query('delete from result_chunks where run_id = $1 and name = $2', partsOf(key));
  await db.query(
    `delete from result_chunks where run_id in ${listed(db, 1)}
     and not exists (select 1 from results where results.key = '${storePlace}' || result_chunks.run_id || '/' || result_chunks.name)`,
    [listOf(runIds)],
  );
}

/** `<run>/<name>`. */
function partsOf(key: string): [runId: string, name: string] {
  const at = key.indexOf('/');
  return [key.slice(0, at), key.slice(at + 1)];
}

async function moveIn(db: Database, moves: Parameters<ResultStore['move']>[0]): Promise<readonly string[]> {
  const { fragments, query } = db;
  const asked = listOf(moves.map(({ from }) => from));
  // Reopening a run waits for this, and then reads the new places of its results; nothing of a reopened run is moved.
  await query(`select id from runs where id in (select run_id from results where key in ${listed(db, 1)}) ${lockInOrder(db, 'runs')}`, [
    asked,
  ]);
  const rows = await query<{ key: string; run_id: string; is_open: number }>(
    `select key, run_id, case when ${isOpen} then 1 else 0 end as is_open from results where key in ${listed(db, 1)}`,
    [asked],
  );
  const open = new Set(rows.filter(({ is_open }) => is_open === 1).map(({ key }) => key));
  const found = new Set(rows.map(({ key }) => key));
  const moved = moves.filter(({ from }) => found.has(from) && !open.has(from));
  if (moved.length === 0) return [];
  const runIds = listOf([...new Set(rows.map(({ run_id }) => run_id))]);
  const pairs = jsonText(
    moved.map(({ from, to }) => {
      const { locator, place, bytes, sha256 } = parseRef(to);
      return [from, to, locator, place, bytes, sha256];
    }),
  );
  const list = fragments.list(1, {
    ...{ old_key: 'text', new_ref: 'text', new_key: 'text', new_place: 'text' },
    ...{ new_bytes: 'integer', new_sha256: 'text' },
  });
  for (const [table, owner, column] of naming)
    await query(
      `update ${table} set ${column} = moved.new_ref from ${list} as moved
       where ${owner} in ${listed(db, 2)} and ${column} is not null
         and (${column} = moved.old_key or substr(${column}, 1, length(moved.old_key) + 1) = moved.old_key || '#')`,
      [pairs, runIds],
    );
  await query(
    `update results set key = moved.new_key, place = moved.new_place, bytes = moved.new_bytes, sha256 = moved.new_sha256
     from ${list} as moved where results.key = moved.old_key`,
    [pairs],
  );
  await query(`insert into moved_results (key) select old_key from ${list} as moved where true on conflict (key) do nothing`, [pairs]);
  // A result that returns to its old locator must not be cleared there.
  await query(`delete from moved_results where key in (select new_key from ${list} as moved)`, [pairs]);
  return moved.map(({ from }) => from);
}

/** What references results: table, its counterpart of `results.run_id`, column of the reference. */
const naming = [
  ['task_runs', 'run_id', 'result_ref'],
  ['runs', 'id', 'result_ref'],
  ['artifacts', 'run_id', 'ref'],
  ['spread_tasks', 'run_id', 'inputs_ref'],
  ['cache_entries', `'${holderOf('')}' || id`, 'result_ref'],
] as const;
