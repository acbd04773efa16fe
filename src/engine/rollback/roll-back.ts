/**
 * Undoes what the tasks of a run have done, because it has ended badly: the latest completed first, one after the other.
 *
 * Each undo is its own task run, recorded before the next begins. On a crash the next owner reads in the record which tasks are undone, and
 * continues with the others. One that fails for good leaves its task as it is; the others are still undone.
 */
import { failureOf } from '../../model/failure.ts';
import type { FlowDefinition } from '../../model/flow.ts';
import { effectKeyOf, forgetEffect } from '../../effects/effects-table.ts';
import { isUndo, type NotUndone, undoKey } from '../../model/rollback.ts';
import type { TaskRun } from '../../model/run.ts';
import { isTerminal, stateOf } from '../../model/state.ts';
import type { TaskDefinition } from '../../model/task.ts';
import type { RunAttempt } from '../run/run-attempt.ts';
import { runTaskHere } from '../task/run-task.ts';
import { newRow } from '../task/task-row.ts';
import { take } from '../values/given-value.ts';
import { loadGiven } from '../values/results.ts';

/** The outcome of a rollback. */
export interface RollbackResult {
  readonly undone: number;
  /** What could not be undone, the latest done first. */
  readonly remaining: readonly NotUndone[];
}

const known = new WeakMap<FlowDefinition, boolean>();

/** Whether a flow has a task that can be undone. */
export function hasRollback(definition: FlowDefinition): boolean {
  let has = known.get(definition);
  if (has === undefined) {
    has = [...definition.tasks.values()].some(({ rollback }) => rollback !== null);
    known.set(definition, has);
  }
  return has;
}

/**
 * Undoes everything possible. Null if the run was stopped first: it continues from what is recorded.
 *
 * @param active an attempt of its own, whose recorded task runs are the current ones of the run
 * @throws BatutaError STORE_…
 */
export async function rollBack(active: RunAttempt): Promise<RollbackResult | null> {
  const undone: TaskRun[] = [];
  const remaining: NotUndone[] = [];
  for (const row of await doneLatestFirst(active)) {
    const undo = active.definition.tasks.get(row.name)?.rollback ?? null;
    if (undo === null) continue;
    const undoing = await undoOne(active, row, undo);
    if (undoing.kind === 'stopped') return null;
    if (undoing.kind === 'undone') undone.push(row);
    else remaining.push({ task: row.name, index: row.index, taskRunId: row.id, undo: undo.name, message: undoing.message });
  }
  const before = [...active.recorded.values()].filter(({ state }) => state.name === 'RolledBack').length;
  return { undone: before + undone.length, remaining };
}

/** Task runs that completed in this run and are not undone yet. Cached values were not made by it; the history gives the order. */
async function doneLatestFirst({ services, run, recorded }: RunAttempt): Promise<TaskRun[]> {
  const done = [...recorded.values()].filter((row) => row.state.type === 'COMPLETED' && row.state.name === 'Completed' && !isUndo(row));
  const order = new Map<string, number>();
  const transitions = await services.store.transitions.ofRun(run.id);
  for (const [at, { taskRunId, type }] of transitions.entries()) if (taskRunId !== null && type === 'COMPLETED') order.set(taskRunId, at);
  return done.sort((a, b) => (order.get(b.id) ?? 0) - (order.get(a.id) ?? 0));
}

type Undoing = { readonly kind: 'undone' } | { readonly kind: 'stopped' } | { readonly kind: 'failed'; readonly message: string };

async function undoOne(active: RunAttempt, row: TaskRun, undo: TaskDefinition): Promise<Undoing> {
  const key = undoKey(row.key, active.run.attempt);
  const recorded = active.recorded.get(key);
  if (recorded?.state.type === 'COMPLETED') return await markUndone(active, row, undo);
  if (recorded && isTerminal(recorded.state.type) && recorded.state.type !== 'CANCELLED')
    return { kind: 'failed', message: recorded.state.message ?? recorded.state.name };
  let given: unknown;
  try {
    given = await loadGiven(active.services.results, row);
  } catch (error) {
    return await failUnread(active, row, key, undo, error);
  }
  const outcome = await runTaskHere(active, {
    definition: undo,
    key,
    index: row.index,
    args: (context) => [take(given), context],
    dependsOn: [row.key],
  });
  if (outcome.kind === 'succeeded' || outcome.kind === 'skipped') return await markUndone(active, row, undo);
  return outcome.kind === 'cancelled' ? { kind: 'stopped' } : { kind: 'failed', message: failureOf(outcome.error).message };
}

async function markUndone(active: RunAttempt, row: TaskRun, { name }: TaskDefinition): Promise<Undoing> {
  const { definition, record, resources } = active;
  const transaction = definition.tasks.get(row.name)?.transaction ?? null;
  try {
    // Or a retry of the run would take its result as done.
    if (transaction !== null) await forgetEffect(await resources.use(transaction, undefined), effectKeyOf(row));
  } catch (error) {
    return { kind: 'failed', message: failureOf(error).message };
  }
  await record.setTask(null, { ...row, state: stateOf('COMPLETED', 'RolledBack', `Undone by ${name}.`) });
  return { kind: 'undone' };
}

/** Its result is gone: what to undo is unknown. */
async function failUnread(active: RunAttempt, row: TaskRun, key: string, undo: TaskDefinition, error: unknown): Promise<Undoing> {
  const failure = failureOf(error);
  const unread = newRow(active, key, undo.name, row.index, [row.key]);
  await active.record.endTask(null, unread, stateOf('FAILED', 'Failed', failure.message), { error: failure });
  return { kind: 'failed', message: failure.message };
}
