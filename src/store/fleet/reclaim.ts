/** How runs of lost owners continue. */
import type { Database, Connection } from '../connection.ts';
import type { Transition } from '../../model/run.ts';
import { isTerminal } from '../../model/state.ts';
import type { ReclaimOptions, Ticketed } from '../leases/contract.ts';
import type { ReclaimReport } from './contract.ts';
import { lineUpAgain } from '../fairness/fairness.ts';
import { takeBack } from '../leases/leases.ts';
import { type LostFate, type LostRow, type ReclaimedKind, reclaimLost } from '../leases/reclaim.ts';
import { endRun } from '../runs/cancel.ts';
import { oweRollback } from '../rollbacks/rollbacks.ts';
import { addTransitions } from '../runs/transitions.ts';
import { forUpdateOfFree, runsBy } from '../sql.ts';
import { oweHooks } from './owed-hooks.ts';
import { runWork } from './waiting.ts';

const columns = `id, id as run_id, attempt, recoveries, owner, lease_until, 0 as is_over, case when state_type = 'CANCELLING' then 1 else 0 end as is_cancelled`;

const lostRuns: ReclaimedKind<ReclaimReport> = {
  work: runWork,
  kind: 'run',
  columns,
  // Handed back in the middle of a cancel.
  leftOver: (db, limit, isLook) =>
    db.query<LostRow>(
      `select ${columns}, ${db.fragments.now(1)} as now from ${runsBy(db, 'runs_state')}
       where owner is null and state_type = 'CANCELLING' order by id limit $2 ${isLook ? '' : forUpdateOfFree(db)}`,
      [db.now(), limit],
    ),
  async ownersOf({ query }, id) {
    const owners = await query<{ owner: string }>(
      'select owner, max(seq) as last from transitions where run_id = $1 and owner is not null group by owner order by last',
      [id],
    );
    return owners.map(({ owner }) => owner);
  },
  write: writeFates,
};

/** See `LeaseStore.reclaim`. */
export function reclaimRuns(connection: Connection, options: ReclaimOptions): Promise<ReclaimReport> {
  return reclaimLost(connection, lostRuns, options);
}

async function writeFates(db: Database, fates: readonly LostFate[]): Promise<ReclaimReport> {
  const ended: { id: string; runId: string; message: string }[] = [];
  const crashed: string[] = [];
  const rolledBack: Ticketed[] = [];
  const resumed: Transition[] = [];
  const waiting: { id: string; message: string | null; counts: boolean }[] = [];
  for (const { row, state, counts } of fates) {
    const { id, attempt, now } = row;
    if (state === null) continue;
    if (!isTerminal(state.type)) {
      waiting.push({ id, message: state.message, counts });
      resumed.push({ runId: id, taskRunId: null, at: now, ...state, attempt, owner: null });
      continue;
    }
    const owed = await oweRollback(db, row, state, now);
    if (owed !== null) {
      rolledBack.push(owed);
      continue;
    }
    const isCrash = state.type === 'CRASHED';
    const set = isCrash ? 'recoveries = recoveries + 1' : 'cancel_requested_at = coalesce(cancel_requested_at, $4)';
    await endRun(db, row, state, now, set);
    if (isCrash) crashed.push(id);
    ended.push({ id, runId: id, message: state.message ?? '' });
  }
  await addTransitions(db, resumed);
  const set = `state_type = 'SCHEDULED', state_name = 'Resuming', state_message = lost.message, due_at = case when state_type = 'PAUSED' then null else due_at end,
    fair_waits = case when fair_key is null or on_trial is not null then null else 1 end, `;
  const taken = await takeBack(db, runWork, waiting, set);
  // Its own ticket would be behind all those already waiting.
  if (taken.length > 0)
    await lineUpAgain(
      db,
      taken.map(({ id }) => id),
    );
  return {
    waiting: [...taken, ...rolledBack],
    ended,
    crashed: await oweHooks(db, crashed, fates[0]?.row.now ?? 0),
  };
}
