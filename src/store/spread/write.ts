/** What workers record of the spread tasks they hold. */
import { listOfClaims, addResultKeys, claimList, keyOf } from './rows.ts';
import { isTerminal } from '../../model/state.ts';
import type { TaskRun } from '../../model/run.ts';
import { clockOf, openList } from '../sql.ts';
import type { Connection, Query } from '../connection.ts';
import type { TaskClaim } from '../ownership.ts';
import { artifactValues, artifactTable, taskRunTable, taskRunValues, replacedTaskRun } from '../tables.ts';
import { addTransitions } from '../runs/transitions.ts';
import type { ClaimedWrite } from './contract.ts';
import { insertText } from '../table.ts';
import { jsonText } from '../storable.ts';

/** See `SpreadStore.write`; inside a transaction. */
export async function writeClaimed(connection: Connection, query: Query, writes: readonly ClaimedWrite[]): Promise<readonly TaskClaim[]> {
  const lock = connection.dialect === 'sqlite' ? '' : 'for no key update of spread_tasks';
  const held = await query<TaskClaim>(
    `select spread_tasks.id as "taskRunId", spread_tasks.epoch as epoch from spread_tasks
     join ${claimList(connection, 1)} as claimed on spread_tasks.id = claimed.task_id and spread_tasks.epoch = claimed.task_epoch
     where stage = 'held' order by spread_tasks.id ${lock}`,
    [listOfClaims(writes.map(({ claim }) => claim))],
  );
  const heldKeys = new Set(held.map(keyOf));
  const rows = writes.flatMap(({ claim, taskRun }) => (taskRun && heldKeys.has(keyOf(claim)) ? [taskRun] : []));
  const written = new Set(await updateTaskRuns(connection, query, rows));
  const accepted = writes.filter(({ claim, taskRun }) => heldKeys.has(keyOf(claim)) && (taskRun === null || written.has(taskRun.id)));
  const [first] = accepted;
  if (first === undefined) return writes.map(({ claim }) => claim);
  const at = await clockOf(connection, query);
  for (const { taskRun } of accepted)
    if (taskRun && taskRun.resultRef !== null)
      await addResultKeys(connection, query, taskRun.runId, [{ ref: taskRun.resultRef, taskRunId: taskRun.id }], at);
  // SQLite numbers the transitions of one run at a time.
  for (const { transitions } of accepted) if (transitions.length > 0) await addTransitions(connection, query, transitions);
  for (const { artifacts } of accepted) await addArtifacts(query, artifacts);
  const ended = accepted.filter(({ taskRun }) => taskRun !== null && isTerminal(taskRun.state.type));
  await query(
    `update spread_tasks set stage = 'ended', owner = null, lease_until = null, inputs = null
     where id in (select id from ${connection.fragments.list(1, { id: 'text' })} as ended)`,
    [jsonText(ended.map(({ claim }) => [claim.taskRunId]))],
  );
  return writes.filter((write) => !accepted.includes(write)).map(({ claim }) => claim);
}

/** Writes those that have not ended; gives their ids. */
async function updateTaskRuns(connection: Connection, query: Query, rows: readonly TaskRun[]): Promise<string[]> {
  if (rows.length === 0) return [];
  const updated = await query<{ id: string }>(
    `update task_runs set ${replacedTaskRun.replaceAll('excluded.', 'written.')}
     from ${connection.fragments.list(1, taskRunTable.kinds)} as written
     where task_runs.run_id = written.run_id and task_runs.key = written.key and task_runs.state_type in (${openList})
     returning task_runs.id`,
    [jsonText(rows.map(taskRunValues))],
  );
  return updated.map(({ id }) => id);
}

async function addArtifacts(query: Query, artifacts: ClaimedWrite['artifacts']): Promise<void> {
  for (const artifact of artifacts) await query(`${insertText(artifactTable)} on conflict (id) do nothing`, artifactValues(artifact));
}
