/** What decisions about slots of runs write, inside the transaction in which they were made. */
import type { Database } from '../connection.ts';
import { freedAnew } from '../leases/leases.ts';
import { type State, stateOf } from '../../model/state.ts';
import type { CancelledRun } from '../fleet/contract.ts';
import { askOwner, cancelNow } from '../runs/cancel.ts';
import { addTransitions } from '../runs/transitions.ts';
import type { Decision, Decisions } from './slot-decisions.ts';
import { type Contender, justNow } from './slot-rows.ts';

/** Makes room, in the order of ids, as every flush locks runs. Returns those notified. */
export async function cancelOthers(db: Database, { toCancel }: Pick<Decisions, 'toCancel'>, at: number): Promise<readonly CancelledRun[]> {
  for (const { run, message } of [...toCancel].sort((a, b) => (a.run.id < b.run.id ? -1 : 1))) {
    if (run.owner === null) await cancelNow(db, run.id, run.attempt, at, message);
    else await askOwner(db, run.id, run, at, message);
  }
  return toCancel.map(({ run, message }) => ({ id: run.id, message }));
}

/** The state that follows from the decision; the run's own if nothing changes. */
export function stateAfter({ run, kind, message }: Decision): State {
  if (kind === 'waits') return stateOf('SCHEDULED', 'AwaitingSlot', message);
  if (kind === 'skipped') return stateOf('CANCELLED', 'Skipped', message);
  return run.state_name === 'AwaitingSlot'
    ? stateOf('PENDING')
    : { type: run.state_type, name: run.state_name, message: run.state_message };
}

/** Records the changes of state; not again for a run that waited already. */
export async function logDecisions(db: Database, decisions: readonly Decision[], at: number, owner: string | null): Promise<void> {
  // SQLite numbers the transitions of one run at a time.
  for (const decision of decisions) {
    const { run } = decision;
    const state = stateAfter(decision);
    if (state.name === run.state_name && state.type === run.state_type) continue;
    await addTransitions(db, [{ runId: run.id, taskRunId: null, at, ...state, attempt: run.attempt, owner }]);
  }
}

/** Writes that a run waits. An unowned one gets a new epoch, so that the ticket of its turn differs from the one just used. */
export async function letWait({ query }: Database, run: Contender, message: string | null, at: number, owned: boolean): Promise<void> {
  await query(
    `update runs set state_type = 'SCHEDULED', state_name = 'AwaitingSlot', state_message = $1, slot_epoch = null, slot_since = $4,
       due_at = case when state_type = 'PAUSED' then null else due_at end${owned ? '' : ', ' + freedAnew}
     where id = $2 and epoch = $3`,
    [message, run.id, run.epoch, run.since === justNow ? at : run.since],
  );
}

export async function skipRun({ query }: Database, run: Contender, message: string | null, at: number): Promise<void> {
  await query(
    `update runs set state_type = 'CANCELLED', state_name = 'Skipped', state_message = $1, ended_at = $2, due_at = null, slot_epoch = null,
       owner = null, lease_until = null
     where id = $3 and epoch = $4`,
    [message, at, run.id, run.epoch],
  );
}
