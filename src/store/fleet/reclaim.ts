/** What becomes of runs whose owner is lost. */
import type { Transition } from '../../model/run.ts';
import { isTerminal } from '../../model/state.ts';
import type { Connection, Query } from '../connection.ts';
import type { ReclaimOptions } from '../leases/contract.ts';
import type { ReclaimReport } from './contract.ts';
import { takeBack } from '../leases/leases.ts';
import { type LostFate, type LostRow, reclaimLost } from '../leases/reclaim.ts';
import { endRun } from '../runs/cancel.ts';
import { addTransitions } from '../runs/transitions.ts';
import { forUpdateOfFree, runsBy } from '../sql.ts';
import { oweHooks } from './owed-hooks.ts';
import { runWork } from './waiting.ts';

const columns = `id, id as run_id, attempt, recoveries, owner, lease_until, 0 as is_over, case when state_type = 'CANCELLING' then 1 else 0 end as is_cancelled`;

/** See `LeaseStore.reclaim`. */
export async function reclaimRuns(connection: Connection, options: ReclaimOptions): Promise<ReclaimReport> {
  const kind = {
    work: runWork,
    kind: 'run',
    columns,
    // Given back in the middle of a cancel.
    leftOver: (query: Query, limit: number, isLook: boolean) =>
      query<LostRow>(
        `select ${columns}, ${connection.fragments.now(1)} as now from ${runsBy(connection, 'runs_state')}
         where owner is null and state_type = 'CANCELLING' order by id limit $2 ${isLook ? '' : forUpdateOfFree(connection)}`,
        [connection.now(), limit],
      ),
    ownersOf: ownersBefore,
    write: (query: Query, fates: readonly LostFate[]) => writeFates(connection, query, fates),
  } as const;
  return await reclaimLost(connection, kind, options);
}

async function ownersBefore(query: Query, id: string): Promise<readonly string[]> {
  const owners = await query<{ owner: string }>(
    'select owner, max(seq) as last from transitions where run_id = $1 and owner is not null group by owner order by last',
    [id],
  );
  return owners.map(({ owner }) => owner);
}

async function writeFates(connection: Connection, query: Query, fates: readonly LostFate[]): Promise<ReclaimReport> {
  const ended: { id: string; runId: string; message: string }[] = [];
  const crashed: string[] = [];
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
    const isCrash = state.type === 'CRASHED';
    const set = isCrash ? 'recoveries = recoveries + 1' : 'cancel_requested_at = coalesce(cancel_requested_at, $4)';
    await endRun(connection, query, row, state, now, set);
    if (isCrash) crashed.push(id);
    ended.push({ id, runId: id, message: state.message ?? '' });
  }
  await addTransitions(connection, query, resumed);
  const set = `state_type = 'SCHEDULED', state_name = 'Resuming', state_message = lost.message, due_at = case when state_type = 'PAUSED' then null else due_at end, `;
  return {
    waiting: await takeBack(connection, query, runWork, waiting, set),
    ended,
    crashed: await oweHooks(connection, query, crashed, fates[0]?.row.now ?? 0),
  };
}
