/** Requesting the cancel of a run. */
import type { Database, Connection } from '../connection.ts';
import { type State, isTerminal, type StateType } from '../../model/state.ts';
import { openList, forUpdate } from '../sql.ts';
import type { Owner, Run } from '../../model/run.ts';
import { freedAnew } from '../leases/leases.ts';
import { isRollingBack, oweRollback } from '../rollbacks/rollbacks.ts';
import { refuseReported } from '../reporting/refuse.ts';
import { endSpreadOf } from '../spread/spread.ts';
import { addTransitions } from './transitions.ts';
import { readOwner } from '../read-json.ts';

interface Held {
  readonly state_type: StateType;
  readonly attempt: number;
  readonly owner: string | null;
  readonly over: number;
}

/** See `RunStore.requestCancel`. @throws BatutaError RUN_REPORTED */
export async function requestCancel(
  connection: Connection,
  id: string,
  at: number,
  message: string,
  isGone: ((owner: Owner) => boolean) | undefined,
): Promise<StateType | null> {
  return await connection.transaction(async (db) => {
    const [run] = await db.query<Held>(
      `select state_type, attempt, owner, case when lease_until <= ${db.fragments.now(1)} then 1 else 0 end as over
       from runs where id = $2 ${forUpdate(db)}`,
      [db.now(), id],
    );
    if (run === undefined) return null;
    refuseReported(id, run.owner, 'cancelled');
    if (isTerminal(run.state_type) || (await isRollingBack(db, id))) return run.state_type;
    const owner = readOwner(run.owner);
    const held = run.owner !== null && run.over === 0 && (owner === null || isGone?.(owner) !== true);
    if (held) return await askOwner(db, id, run, at, message);
    const owed = await oweRollback(db, { id, attempt: run.attempt }, { type: 'CANCELLED', name: 'Cancelled', message }, at);
    return owed ? 'SCHEDULED' : await cancelNow(db, id, run.attempt, at, message);
  });
}

/** Inside a transaction: asks the owner, which soon sees it and ends the run. */
export async function askOwner(
  db: Database,
  id: string,
  run: Pick<Held, 'state_type' | 'attempt'>,
  at: number,
  message: string,
): Promise<StateType> {
  // Its state may have been overwritten since the first request.
  const first = await db.query('update runs set cancel_requested_at = $1 where id = $2 and cancel_requested_at is null returning id', [
    at,
    id,
  ]);
  await db.query(`update runs set state_type = 'CANCELLING', state_name = 'Cancelling', state_message = $1 where id = $2`, [message, id]);
  if (first.length > 0 && run.state_type !== 'CANCELLING') {
    await addTransitions(db, [
      { runId: id, taskRunId: null, at, type: 'CANCELLING', name: 'Cancelling', message, attempt: run.attempt, owner: null },
    ]);
  }
  return 'CANCELLING';
}

/** Inside a transaction. The epoch is raised, so that an owner believed dead can no longer write. */
export async function cancelNow(db: Database, id: string, attempt: number, at: number, message: string): Promise<StateType> {
  const state = { type: 'CANCELLED', name: 'Cancelled', message } as const;
  await endRun(db, { id, attempt }, state, at, 'cancel_requested_at = coalesce(cancel_requested_at, $4)');
  return 'CANCELLED';
}

/** The same for any end of a run that nobody executes, with its open task runs. @param set what else is set; `$4` is the instant */
export async function endRun(
  db: Database,
  { id, attempt }: Pick<Run, 'id' | 'attempt'>,
  state: State,
  at: number,
  set: string,
): Promise<void> {
  await endSpreadOf(db, id);
  const ended = 'state_type = $1, state_name = $2, state_message = $3, ended_at = $4, due_at = null';
  const values = [state.type, state.name, state.message, at, id];
  const tasks = await db.query<{ id: string; attempt: number }>(
    `update task_runs set ${ended} where run_id = $5 and state_type in (${openList}) returning id, attempt`,
    values,
  );
  await db.query(`update runs set ${ended}, ${freedAnew}, ${set} where id = $5`, values);
  const transition = { runId: id, at, ...state, owner: null };
  await addTransitions(db, [
    ...tasks.map((task) => ({ ...transition, taskRunId: task.id, attempt: task.attempt })),
    { ...transition, taskRunId: null, attempt },
  ]);
}
