/** Live events, read by their numbers over a connection. */
import { listOf, listed } from '../sql.ts';
import type { StateName, StateType } from '../../model/state.ts';
import type { Connection } from '../connection.ts';
import { logOf, type LogRow } from '../tables.ts';
import { fittingLines, logSize, type LogSize, shownLogColumns } from '../lists/logs.ts';
import type { EventStore, NumberedRows } from './contract.ts';

/** Most bytes of text in one page of log lines. */
const pageBytes = 512 * 1024;

interface Writers {
  readonly oldest: number | null;
  readonly next: number | null;
}

interface StateRow {
  readonly seq: number;
  readonly type: StateType;
  readonly name: StateName;
  readonly message: string | null;
  readonly attempt: number;
  readonly at: number;
}

interface RunRow extends StateRow {
  readonly run_id: string;
  readonly run_name: string;
  readonly flow: string;
  readonly deployment: string | null;
}

interface TaskRow extends StateRow {
  readonly task_run_id: string;
}

interface TaskNameRow {
  readonly id: string;
  readonly name: string;
  readonly item_index: number | null;
}

const stateColumns = ['type', 'name', 'message', 'attempt', 'at'].map((name) => `transitions.${name}`).join(', ');

/** Current writers, as PostgreSQL numbers its transactions: text, for lack of a driver type. */
const writersOf = {
  postgres:
    'pg_snapshot_xmin(pg_current_snapshot())::text::bigint as oldest, pg_snapshot_xmax(pg_current_snapshot())::text::bigint as next',
  sqlite: 'null as oldest, null as next',
};

export function eventStore({ dialect, query, fragments }: Connection): EventStore {
  const writers = writersOf[dialect];
  const runsText =
    dialect === 'postgres'
      ? `select transitions.seq, ${stateColumns}, runs.id as run_id, runs.name as run_name, runs.flow, runs.deployment, ${writers}
         from transitions join runs on runs.id = transitions.run_id
         where transitions.task_run_id is null and transitions.seq > $1 order by transitions.seq limit $2`
      : `select run_events.seq, ${stateColumns}, runs.id as run_id, runs.name as run_name, runs.flow, runs.deployment, ${writers}
         from run_events join runs on runs.id = run_events.run_id
         join transitions on transitions.run_id = run_events.run_id and transitions.seq = run_events.transition_seq
         where run_events.seq > $1 order by run_events.seq limit $2`;
  const placeTable = dialect === 'postgres' ? 'transitions where task_run_id is null' : 'run_events';

  return {
    async runs(after, limit) {
      return numbered(await query<RunRow & Writers>(runsText, [after, limit]), limit, (row) => ({
        ...changeOf(row),
        id: row.run_id,
        name: row.run_name,
        flow: row.flow,
        deployment: row.deployment,
      }));
    },
    async tasks(runId, after, limit) {
      const rows = await query<TaskRow & Writers>(
        `select seq, ${stateColumns}, task_run_id, ${writers} from transitions
         where run_id = $1 and seq > $2 and task_run_id is not null order by seq limit $3`,
        [runId, after, limit],
      );
      const ids = listOf([...new Set(rows.map((row) => row.task_run_id))]);
      const names = await query<TaskNameRow>(
        `select id, name, item_index from task_runs where run_id = $2 and id in ${listed({ fragments }, 1)}`,
        [ids, runId],
      );
      const known = new Map(names.map((row) => [row.id, row]));
      return numbered(rows, limit, (row) => {
        const task = known.get(row.task_run_id);
        return { ...changeOf(row), runId, id: row.task_run_id, name: task?.name ?? '', index: task?.item_index ?? null };
      });
    },
    async logs(runId, after, limit) {
      const where = 'where run_id = $1 and seq > $2';
      const sizes = await query<LogSize>(`select ${logSize} from logs ${where} order by seq limit $3`, [runId, after, limit]);
      const fitting = fittingLines(sizes, pageBytes);
      const rows =
        fitting === 0
          ? []
          : await query<LogRow & Writers>(
              `select ${shownLogColumns}, seq, ${writers} from logs ${where} and seq <= $3 order by seq limit $4`,
              [runId, after, sizes[fitting - 1]?.seq ?? 0, fitting],
            );
      // Lines of other writers that became visible between the two reads are in the next page.
      return { ...numbered(rows, limit, logOf), hasMore: sizes.length === limit || fitting < sizes.length };
    },
    async place() {
      const [row] = await query<{ newest: number | null }>(`select max(seq) as newest from ${placeTable}`);
      return row?.newest ?? 0;
    },
    async placesOf(runId) {
      const [row] = await query<{ task: number | null; log: number | null }>(
        'select (select max(seq) from transitions where run_id = $1) as task, (select max(seq) from logs where run_id = $1) as log',
        [runId],
      );
      return { task: row?.task ?? 0, log: row?.log ?? 0 };
    },
  };
}

function changeOf({ seq, type, name, message, attempt, at }: StateRow) {
  return { seq, state: { type, name, message }, attempt, at };
}

function numbered<Row extends Writers, Event>(rows: readonly Row[], limit: number, toEvent: (row: Row) => Event): NumberedRows<Event> {
  const last = rows.at(-1);
  const writers = last === undefined || last.oldest === null || last.next === null ? null : { oldest: last.oldest, next: last.next };
  return { rows: rows.map(toEvent), writers, hasMore: rows.length === limit };
}
