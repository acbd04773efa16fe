/** The workers of the fleet, as they tell of themselves. */
import type { Connection } from '../connection.ts';
import type { StoredWorker, WorkerStore } from './contract.ts';
import { jsonText } from '../storable.ts';
import { readFields, readTexts } from '../read-json.ts';

interface WorkerRowStored {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly host: string;
  readonly pid: number;
  readonly queues: string;
  readonly concurrency: number;
  readonly flows: string;
  readonly started_at: number;
  readonly beat_at: number;
  readonly running: number;
  readonly lag_ms: number;
  readonly now: number;
}

const columns = ['id', 'name', 'version', 'host', 'pid', 'queues', 'concurrency', 'flows', 'started_at', 'running', 'lag_ms'] as const;

export function workerStore(connection: Connection): WorkerStore {
  const { query, fragments } = connection;
  const places = columns.map((_, index) => `$${index + 2}`).join(', ');
  const replaced = [...columns.slice(1), 'beat_at'].map((column) => `${column} = excluded.${column}`).join(', ');
  const beatText = `insert into workers (${columns.join(', ')}, beat_at) values (${places}, ${fragments.now(1)})
    on conflict (id) do update set ${replaced}`;
  return {
    async beat(worker) {
      await query(beatText, [
        connection.now(),
        worker.id,
        worker.name,
        worker.version,
        worker.host,
        worker.pid,
        jsonText(worker.queues),
        worker.concurrency,
        jsonText(worker.flows),
        worker.startedAt,
        worker.running,
        Math.round(worker.lagMs),
      ]);
    },
    async remove(id) {
      await query('delete from workers where id = $1', [id]);
    },
    async list() {
      const rows = await query<WorkerRowStored>(
        `select ${columns.join(', ')}, beat_at, ${fragments.now(1)} as now from workers order by name, started_at, id`,
        [connection.now()],
      );
      return rows.map(workerOf);
    },
    async prune(silentMs) {
      await query(`delete from workers where beat_at < ${fragments.now(1)} - $2`, [connection.now(), silentMs]);
    },
  };
}

function workerOf(row: WorkerRowStored): StoredWorker {
  return {
    id: row.id,
    name: row.name,
    version: row.version,
    host: row.host,
    pid: row.pid,
    queues: readTexts(row.queues),
    concurrency: row.concurrency,
    flows: readFields<Record<string, string>>(row.flows) ?? {},
    startedAt: row.started_at,
    beatAt: row.beat_at,
    running: row.running,
    lagMs: row.lag_ms,
    silentMs: Math.max(0, row.now - row.beat_at),
  };
}
