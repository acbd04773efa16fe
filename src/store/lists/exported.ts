/**
 * What is exported: runs without their values, and what belongs to many runs, in short reads of bounded size, between which others read and
 * write.
 */
import { letOthersIn } from '../../base/clock.ts';
import type { Connection } from '../connection.ts';
import { listed, listOf } from '../sql.ts';
import { logTable, taskRunTable, transitionTable } from '../tables.ts';
import { listRuns } from './runs.ts';
import { describeTable, integer, type Table } from '../table.ts';
import { withWholeIds } from '../runs/find.ts';
import type { ExportStore } from './contract.ts';

/** Most rows per read, and most bytes of their messages. */
const pageRows = 1_000;
const pageBytes = 4 * 1024 * 1024;
/** Runs whose rows are counted at once: at first, and at most. */
const [fewRuns, manyRuns] = [20, 1_000];

const exportedTaskRuns = taskRunTable.part([
  ...['id', 'run_id', 'key', 'name', 'item_index', 'state_type', 'state_name', 'attempt', 'started_at', 'ended_at', 'display_name'],
  ...['state_message', 'child_run_id', 'metrics', 'error', 'cpu_ms', 'peak_bytes'],
] as const);
const numbered = { seq: integer };
const exportedTransitions = describeTable('transitions', { ...transitionTable.described, ...numbered });
const exportedLogs = describeTable('logs', { ...logTable.described, ...numbered });

/** Rows that belong to runs, and the column that orders those of one run. */
interface Owned {
  readonly table: Pick<Table<Record<never, never>>, 'name' | 'list'>;
  readonly order: 'key' | 'seq';
  /** SQL for the counted bytes of a row. */
  readonly bytes: string;
  /** Further condition, as SQL. */
  readonly where?: string;
}

interface Size {
  readonly run_id: string;
  readonly count: number;
  readonly bytes: number;
}

/** See `ExportStore`. */
export function exportStore(connection: Connection): ExportStore {
  const read = <Row extends { readonly runId: string }>(table: { readonly read: (row: never) => Row }, owned: Owned) =>
    async function* (runIds: readonly string[]): AsyncGenerator<readonly Row[]> {
      for await (const rows of rowsOf(connection, owned, runIds)) yield rows.map((row) => table.read(row as never));
    };
  return {
    runs: async (filter = {}) => await listRuns(connection, await withWholeIds(connection, filter), narrow),
    async oldest() {
      const [row] = await connection.query<{ runs: number | null; sums: number | null }>(
        'select (select min(created_at) from runs) as runs, (select min(at) from run_figures) as sums',
      );
      const known = [row?.runs ?? null, row?.sums ?? null].filter((at) => at !== null);
      return known.length === 0 ? null : Math.min(...known);
    },
    taskRuns: read(exportedTaskRuns, { table: exportedTaskRuns, order: 'key', bytes: lengthOf('error', 'state_message', 'metrics') }),
    transitions: read(exportedTransitions, { table: exportedTransitions, order: 'seq', bytes: lengthOf('message') }),
    logs: (runIds, minLevel) =>
      read(exportedLogs, {
        table: exportedLogs,
        order: 'seq',
        bytes: lengthOf('message', 'fields'),
        ...(minLevel === undefined ? {} : { where: `level >= ${Math.trunc(minLevel)}` }),
      })(runIds),
  };
}

/** Columns of runs left out. */
const narrow = { params: `''`, result: 'null', result_ref: 'null', mapped: 'null' } as const;

function lengthOf(...columns: readonly string[]): string {
  return columns.map((column) => `coalesce(octet_length(${column}), 0)`).join(' + ');
}

/** Run after run in the order of the list. Several small runs share a read; a large one takes several. */
async function* rowsOf(connection: Connection, owned: Owned, runIds: readonly string[]): AsyncGenerator<readonly { run_id: string }[]> {
  let group: string[] = [];
  let [count, bytes] = [0, 0];
  for await (const size of sizesOf(connection, owned, runIds)) {
    const runId = size.run_id;
    if (group.length > 0 && (count + size.count > pageRows || bytes + Number(size.bytes) > pageBytes)) {
      yield await groupOf(connection, owned, group);
      group = [];
      [count, bytes] = [0, 0];
    }
    if (size.count > pageRows || Number(size.bytes) > pageBytes) yield* largeOf(connection, owned, size);
    else {
      group.push(runId);
      count += size.count;
      bytes += Number(size.bytes);
    }
  }
  if (group.length > 0) yield await groupOf(connection, owned, group);
}

/**
 * The size of each run, in the order of the list; runs without rows are left out. Counts as many runs at once as take no longer than a
 * read: a database in this process answers within the turn.
 */
async function* sizesOf(connection: Connection, owned: Owned, runIds: readonly string[]): AsyncGenerator<Size> {
  const where = owned.where === undefined ? '' : `and ${owned.where}`;
  let most = fewRuns;
  for (let at = 0; at < runIds.length; ) {
    if (at > 0) await letOthersIn();
    const asked = runIds.slice(at, at + most);
    at += asked.length;
    const sizes = await connection.query<Size>(
      `select run_id, count(*) as count, coalesce(sum(${owned.bytes}), 0) as bytes from ${owned.table.name}
       where run_id in ${listed(connection, 1)} ${where} group by run_id`,
      [listOf(asked)],
    );
    const sizeOf = new Map(sizes.map((size) => [size.run_id, size]));
    const rows = sizes.reduce((sum, size) => sum + size.count, 0);
    if (rows < pageRows) most = Math.min(manyRuns, most * 2);
    else if (rows > 10 * pageRows) most = Math.max(1, Math.floor(most / 2));
    for (const runId of asked) {
      const size = sizeOf.get(runId);
      if (size !== undefined) yield size;
    }
  }
}

async function groupOf(
  { query, fragments }: Connection,
  { table, order, where }: Owned,
  runIds: readonly string[],
): Promise<readonly { run_id: string }[]> {
  const rows = await query<{ run_id: string }>(
    `select ${table.list} from ${table.name} where run_id in ${listed({ fragments }, 1)} ${where === undefined ? '' : `and ${where}`}
     order by run_id, ${order}`,
    [listOf(runIds)],
  );
  const place = new Map(runIds.map((runId, at) => [runId, at]));
  // Stable sort: rows of one run keep their order.
  return rows.toSorted((one, other) => (place.get(one.run_id) ?? 0) - (place.get(other.run_id) ?? 0));
}

/** Fewer rows at once if they are long. */
async function* largeOf(connection: Connection, { table, order, where }: Owned, size: Size): AsyncGenerator<readonly { run_id: string }[]> {
  const limit = Math.max(1, Math.min(pageRows, Math.floor((pageBytes / Math.max(1, Number(size.bytes))) * size.count)));
  for (let after: string | number | null = null; ; ) {
    const rows: (Record<'key' | 'seq', string | number> & { run_id: string })[] = await connection.query(
      `select ${table.list} from ${table.name} where run_id = $1 and ${after === null ? '$2 = 0' : `${order} > $2`}
       ${where === undefined ? '' : `and ${where}`} order by ${order} limit ${limit}`,
      [size.run_id, after ?? 0],
    );
    if (rows.length > 0) yield rows;
    if (rows.length < limit) return;
    after = rows.at(-1)?.[order] ?? null;
  }
}
