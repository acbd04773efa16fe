/** The workers of the fleet, as they report themselves. */
import type { Connection } from '../connection.ts';
import { readFields, readTexts } from '../read-json.ts';
import { describeTable, insertText, integer, json, replacedBy, text, time, type RowOf } from '../table.ts';
import type { WorkerStore } from './contract.ts';

const workerTable = describeTable('workers', {
  id: text,
  name: text,
  version: text,
  host: text,
  pid: integer,
  queues: json(readTexts),
  concurrency: integer,
  flows: json((value) => readFields<Record<string, string>>(value) ?? {}),
  started_at: time,
  running: integer,
  lag_ms: integer,
  beat_at: time,
});

export function workerStore(connection: Connection): WorkerStore {
  const { query, fragments } = connection;
  const beatAt = workerTable.columns.indexOf('beat_at');
  const beatText = insertText(workerTable).replace(`$${beatAt + 1})`, `${fragments.now(beatAt + 1)})`);
  return {
    async beat(worker) {
      const values = workerTable.values({ ...worker, lagMs: Math.round(worker.lagMs) });
      values[beatAt] = connection.now();
      await query(`${beatText} on conflict (id) do update set ${replacedBy(workerTable, 'id')}`, values);
    },
    async remove(id) {
      await query('delete from workers where id = $1', [id]);
    },
    async list() {
      const rows = await query<RowOf<typeof workerTable> & { readonly now: number }>(
        `select ${workerTable.list}, ${fragments.now(1)} as now from workers order by name, started_at, id`,
        [connection.now()],
      );
      return rows.map((row) => ({ ...workerTable.read(row), silentMs: Math.max(0, row.now - row.beat_at) }));
    },
    async prune(silentMs) {
      await query(`delete from workers where beat_at < ${fragments.now(1)} - $2`, [connection.now(), silentMs]);
    },
  };
}
