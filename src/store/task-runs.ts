/** Task runs: reading all of a run, which a run does on its way, so without Kysely. */
import type { TaskRun } from '../model/run.ts';
import type { Connection } from './connection.ts';
import { taskRunOf } from './rows.ts';
import type { TaskRunRow } from './rows.ts';
import type { TaskRunStore } from './store.ts';
import { taskRunColumns } from './tables.ts';

const ofRunText = `select ${taskRunColumns.join(', ')} from task_runs where run_id = $1 order by seq`;
const countsText = `select name, state_name as state, count(*) as count from task_runs where run_id = $1
  group by name, state_name order by min(seq)`;

export function taskRunStore(connection: Connection): TaskRunStore {
  return {
    async ofRun(runId): Promise<readonly TaskRun[]> {
      return (await connection.query<TaskRunRow>(ofRunText, [runId])).map(taskRunOf);
    },
    async byKeys(runId, keys): Promise<readonly TaskRun[]> {
      if (keys.length === 0) return [];
      const listed = connection.fragments.list(2, { key: 'text' });
      const text = `select ${taskRunColumns.join(', ')} from task_runs where run_id = $1 and key in (select key from ${listed} as asked)`;
      return (await connection.query<TaskRunRow>(text, [runId, JSON.stringify(keys.map((key) => [key]))])).map(taskRunOf);
    },
    countsOfRun: (runId) => connection.query(countsText, [runId]),
  };
}
