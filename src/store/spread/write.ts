/** What workers record of the spread tasks they hold. */
import type { Database } from '../connection.ts';
import { claimList, isClaimed, listOfClaims } from '../leases/leases.ts';
import { claimKey, type TaskClaim } from '../ownership.ts';
import { listed, listOf, clockOf, openList } from '../sql.ts';
import { isTerminal } from '../../model/state.ts';
import type { TaskRun } from '../../model/run.ts';
import {
  artifactTable,
  artifactValues,
  replacedArtifact,
  replacedResourceUse,
  replacedWholeTaskRun,
  resourceUseTable,
  resourceUseValues,
  resultTable,
  resultValues,
  taskRunTable,
  taskRunValues,
} from '../tables.ts';
import { addTransitions } from '../runs/transitions.ts';
import type { ClaimedWrite } from './contract.ts';
import { insertListed, insertText } from '../table.ts';
import { jsonText } from '../storable.ts';

/** See `SpreadStore.write`; inside a transaction. */
export async function writeClaimed(db: Database, writes: readonly ClaimedWrite[]): Promise<readonly TaskClaim[]> {
  const lock = db.dialect === 'sqlite' ? '' : 'for no key update of spread_tasks';
  const held = await db.query<TaskClaim>(
    `select spread_tasks.id as "taskRunId", spread_tasks.epoch as epoch from spread_tasks
     join ${claimList(db, 1)} as claimed on ${isClaimed('spread_tasks')}
     where stage = 'held' order by spread_tasks.id ${lock}`,
    [listOfClaims(writes.map(({ claim }) => claim))],
  );
  const heldKeys = new Set(held.map(claimKey));
  const rows = writes.flatMap(({ claim, taskRun }) => (taskRun && heldKeys.has(claimKey(claim)) ? [taskRun] : []));
  const written = new Set(await updateTaskRuns(db, rows));
  const accepted = writes.filter(({ claim, taskRun }) => heldKeys.has(claimKey(claim)) && (taskRun === null || written.has(taskRun.id)));
  const [first] = accepted;
  if (first === undefined) return writes.map(({ claim }) => claim);
  const at = await clockOf(db);
  for (const { taskRun } of accepted)
    if (taskRun && taskRun.resultRef !== null)
      await addResultKeys(db, taskRun.runId, [{ ref: taskRun.resultRef, taskRunId: taskRun.id }], at);
  // SQLite numbers the transitions of one run at a time.
  for (const { transitions } of accepted) if (transitions.length > 0) await addTransitions(db, transitions);
  for (const { artifacts } of accepted) await addArtifacts(db, artifacts, at);
  for (const { resourceUses = [] } of accepted)
    for (const use of resourceUses) await db.query(`${insertText(resourceUseTable)} ${replacedResourceUse}`, resourceUseValues(use));
  const ended = accepted.filter(({ taskRun }) => taskRun !== null && isTerminal(taskRun.state.type));
  await db.query(
    `update spread_tasks set stage = 'ended', owner = null, lease_until = null, inputs = null
     where id in ${listed(db, 1)}`,
    [listOf(ended.map(({ claim }) => claim.taskRunId))],
  );
  return writes.filter((write) => !accepted.includes(write)).map(({ claim }) => claim);
}

/** Writes unended task runs; returns their ids. */
async function updateTaskRuns(db: Database, rows: readonly TaskRun[]): Promise<string[]> {
  if (rows.length === 0) return [];
  const updated = await db.query<{ id: string }>(
    `update task_runs set ${replacedWholeTaskRun.replaceAll('excluded.', 'written.')}
     from ${db.fragments.list(1, taskRunTable.kinds)} as written
     where task_runs.run_id = written.run_id and task_runs.key = written.key and task_runs.state_type in (${openList})
     returning task_runs.id`,
    [jsonText(rows.map(taskRunValues))],
  );
  return updated.map(({ id }) => id);
}

async function addArtifacts(db: Database, artifacts: ClaimedWrite['artifacts'], at: number): Promise<void> {
  for (const artifact of artifacts) {
    await db.query(`${insertText(artifactTable)} ${replacedArtifact}`, artifactValues(artifact));
    if (artifact.ref) await addResultKeys(db, artifact.runId, [{ ref: artifact.ref, taskRunId: artifact.taskRunId }], at);
  }
}

/** Inside a transaction: records which values of the result storage belong to the run. */
export async function addResultKeys(
  db: Database,
  runId: string,
  keys: readonly { readonly ref: string; readonly taskRunId: string | null }[],
  at: number,
): Promise<void> {
  if (keys.length === 0) return;
  const rows = keys.map(({ ref, taskRunId }) => resultValues(runId, ref, taskRunId, at));
  await db.query(`${insertListed(resultTable, db.fragments, 1)} on conflict (run_id, key) do nothing`, [jsonText(rows)]);
}
