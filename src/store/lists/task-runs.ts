/** Task runs: all of a run, as read while it runs, or a page. */
import { pageOf, limitOf, placeOf } from './cursor.ts';
import { listOf, listed, Params } from '../sql.ts';
import { idChars, isIdPart } from '../../model/ids.ts';
import type { TaskRun } from '../../model/run.ts';
import type { Connection } from '../connection.ts';
import { taskRunOf, type TaskRunRow, taskRunTable } from '../tables.ts';
import type { Page, TaskRunFilter, TaskRunStore } from '../store.ts';
import { followTaskRuns, type NumberedRow, pagesOfRun } from './followed-task-runs.ts';
import { givenByName, groupsOfRun } from './task-groups.ts';
import { statePairs } from './run-filter.ts';

/** Without results, which may be 256 KiB each. */
const shownColumns = taskRunTable.columns.map((column) => (column === 'result' ? 'null as result' : column)).join(', ');
const countsText = `select name, state_name as state, count(*) as count from task_runs where run_id = $1
  group by name, state_name order by min(seq)`;

export function taskRunStore(connection: Connection): TaskRunStore {
  return {
    ofRun: (runId) => allOfRun(connection, runId),
    byKeyOfRun: (runId) => byKeyOfRun(connection, runId),
    follow: (runId) => followTaskRuns(connection, runId),
    page: (runId, filter = {}) => pageOfRun(connection, runId, filter),
    async byKeys(runId, keys): Promise<readonly TaskRun[]> {
      if (keys.length === 0) return [];
      const listed = connection.fragments.list(2, { key: 'text' });
      const text = `select ${taskRunTable.list} from task_runs where run_id = $1 and key in (select key from ${listed} as asked)`;
      return (await connection.query<TaskRunRow>(text, [runId, listOf(keys)])).map(taskRunOf);
    },
    async shown(runId, wanted): Promise<readonly TaskRun[]> {
      const [condition, values] = 'keys' in wanted ? keyCondition(connection, wanted.keys) : idCondition(wanted.idPart);
      const text = `select ${shownColumns} from task_runs where run_id = $1 and ${condition}`;
      return (await connection.query<TaskRunRow>(text, [runId, ...values])).map(taskRunOf);
    },
    countsOfRun: (runId) => connection.query(countsText, [runId]),
    groupsOfRun: (runId) => groupsOfRun(connection, runId),
    givenByName: (runId) => givenByName(connection, runId),
  };
}

async function allOfRun(connection: Connection, runId: string): Promise<readonly TaskRun[]> {
  const read: { readonly seq: number; readonly row: TaskRun }[] = [];
  for await (const rows of pagesOfRun(connection, runId)) for (const row of rows) read.push({ seq: row.seq, row: taskRunOf(row) });
  return read.sort((a, b) => a.seq - b.seq).map(({ row }) => row);
}

async function byKeyOfRun(connection: Connection, runId: string): Promise<Map<string, TaskRun>> {
  const read = new Map<string, TaskRun>();
  for await (const rows of pagesOfRun(connection, runId)) for (const row of rows) read.set(row.key, taskRunOf(row));
  return read;
}

function keyCondition({ fragments }: Connection, keys: readonly string[]): [condition: string, values: readonly string[]] {
  return [`key in ${listed({ fragments }, 2)}`, [listOf(keys)]];
}

function idCondition(typed: string): [condition: string, values: readonly string[]] {
  const part = typed.toLowerCase();
  if (part.length >= idChars || !isIdPart(part)) return ['id = $2', [part]];
  return ['(id like $2 or id like $3) limit 100', [`${part}%`, `%${part}`]];
}

/** Sorts the places of all matches, then reads only the rows of the page. */
async function pageOfRun({ query }: Connection, runId: string, filter: TaskRunFilter): Promise<Page<TaskRun>> {
  const limit = limitOf(filter.limit, 200, 1000);
  const params = new Params();
  const conditions = [`run_id = ${params.add(runId)}`];
  if (filter.name !== undefined) conditions.push(`name = ${params.add(filter.name)}`);
  const pairs = statePairs(filter.states);
  if (pairs?.length === 0) return { items: [], next: null };
  if (pairs !== null) {
    const states = pairs.map(({ type, name }) => `(state_type = ${params.add(type)} and state_name = ${params.add(name)})`);
    conditions.push(`(${states.join(' or ')})`);
  }
  if (filter.cursor !== undefined) conditions.push(`seq > ${params.add(placeOf(filter.cursor).createdAt)}`);
  const rows = await query<NumberedRow>(
    `select seq, ${filter.values === false ? shownColumns : taskRunTable.list} from task_runs
     where seq in (select seq from task_runs where ${conditions.join(' and ')} order by seq limit ${limit + 1}) order by seq`,
    params.values,
  );
  return pageOf(rows, limit, taskRunOf, ({ seq, id }) => ({ createdAt: seq, id }));
}
