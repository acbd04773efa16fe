/** Rollbacks as the owners of runs write them, and how the rollback of a run without an owner continues. */
import type { Connection, Database } from '../connection.ts';
import type { NotUndone, Rollback, RollbackStage, RollbackSummary } from '../../model/rollback.ts';
import type { State, StateName, StateType } from '../../model/state.ts';
import type { Ticketed } from '../leases/contract.ts';
import { freedAnew, ticketColumns } from '../leases/leases.ts';
import { type Claim, hasOwner, ownerTextOf } from '../ownership.ts';
import { readFailure } from '../read-failure.ts';
import { readObjects } from '../read-json.ts';
import { endSpreadOf } from '../spread/spread.ts';
import { addTransitions } from '../runs/transitions.ts';
import { listed, listOf } from '../sql.ts';
import { jsonText } from '../storable.ts';
import type { RollbackStore } from './contract.ts';

/** Processes that a rollback may lose before it is given up. */
const maxLosses = 10;

interface RollbackRow {
  readonly run_id: string;
  readonly stage: RollbackStage;
  readonly at: number;
  readonly end_type: StateType | null;
  readonly end_name: StateName | null;
  readonly end_message: string | null;
  readonly undone: number | null;
  readonly remaining: string | null;
  readonly error: string | null;
}

const columns = 'run_id, stage, at, end_type, end_name, end_message, undone, remaining, error';

/** Whether the claim of `$1`, `$2`, `$3` still holds. */
const isHeld = `exists (select 1 from runs where id = $1 and epoch = $2 and ${hasOwner('$3')})`;

function heldBy(claim: Claim): [string, number, string | null] {
  return [claim.runId, claim.epoch, ownerTextOf(claim)];
}

export function rollbackStore(connection: Connection): RollbackStore {
  const { query } = connection;
  return {
    async arm(claim, at) {
      await query(
        `insert into rollbacks (run_id, stage, at, losses) select id, 'armed', $4, 0 from runs where id = $1 and epoch = $2 and ${hasOwner('$3')}
         on conflict (run_id) do update set stage = 'armed', at = excluded.at, losses = 0, end_type = null, end_name = null, end_message = null,
           undone = null, remaining = null, error = null`,
        [...heldBy(claim), at],
      );
    },
    async get(runId) {
      const [row] = await query<RollbackRow>(`select ${columns} from rollbacks where run_id = $1`, [runId]);
      return row === undefined ? null : rollbackOf(row);
    },
    async ofRuns(runIds) {
      if (runIds.length === 0) return [];
      const rows = await query<RollbackRow>(
        `select ${columns} from rollbacks where run_id in ${listed(connection, 1)} and stage <> 'armed'`,
        [listOf(runIds)],
      );
      return rows.map(rollbackOf).map(({ runId, stage, undone, remaining }) => ({ runId, stage, undone, remaining }) as RollbackSummary);
    },
    async begin(claim, { state, error }, at) {
      const begun = await query(
        `update rollbacks set stage = 'begun', at = $4, end_type = $5, end_name = $6, end_message = $7, error = $8
         where run_id = $1 and stage = 'armed' and ${isHeld} returning run_id`,
        [...heldBy(claim), at, state.type, state.name, state.message, error === null ? null : jsonText(error)],
      );
      return begun.length > 0;
    },
    async finish(claim, { undone, remaining }, at) {
      await query(`update rollbacks set stage = $5, at = $4, undone = $6, remaining = $7 where run_id = $1 and ${isHeld}`, [
        ...heldBy(claim),
        at,
        remaining.length === 0 ? 'complete' : 'incomplete',
        undone,
        jsonText(remaining),
      ]);
    },
  };
}

function rollbackOf(row: RollbackRow): Rollback {
  const { run_id: runId, stage, at, end_type: type, end_name: name, end_message: message, undone } = row;
  const end = type === null || name === null ? null : { state: { type, name, message }, error: readFailure(row.error) };
  return { runId, stage, at, end, undone, remaining: readObjects<NotUndone>(row.remaining) };
}

/** Inside a transaction: whether the run is being rolled back, so that its end is decided. */
export async function isRollingBack(db: Database, id: string): Promise<boolean> {
  return (await db.query(`select run_id from rollbacks where run_id = $1 and stage = 'begun'`, [id])).length > 0;
}

/**
 * Inside the transaction in which a run without an owner would end: if it has something to undo, it does not end but waits for an owner to
 * roll it back. A rollback that has begun continues, unless it has cost too many processes. Null if the run may end.
 */
export async function oweRollback(
  db: Database,
  { id, attempt }: { readonly id: string; readonly attempt: number },
  end: State,
  at: number,
): Promise<Ticketed | null> {
  const [row] = await db.query<{ stage: RollbackStage; losses: number }>('select stage, losses from rollbacks where run_id = $1', [id]);
  if (row === undefined || (row.stage !== 'armed' && row.stage !== 'begun')) return null;
  if (row.losses >= maxLosses) {
    await db.query(`update rollbacks set stage = 'incomplete', at = $2 where run_id = $1`, [id, at]);
    return null;
  }
  if (row.stage === 'armed')
    await db.query(`update rollbacks set stage = 'begun', at = $2, end_type = $3, end_name = $4, end_message = $5 where run_id = $1`, [
      id,
      at,
      end.type,
      end.name,
      end.message,
    ]);
  else await db.query('update rollbacks set losses = losses + 1 where run_id = $1', [id]);
  await endSpreadOf(db, id);
  const message = `It is being rolled back, then ends as ${end.name}.`;
  const isCancel = end.type === 'CANCELLED' ? ', cancel_requested_at = coalesce(cancel_requested_at, $3)' : '';
  const [ticket] = await db.query<Ticketed>(
    `update runs set state_type = 'SCHEDULED', state_name = 'Resuming', state_message = $2, due_at = null, held = null, ticketed_at = null,
       ${freedAnew}${isCancel} where id = $1 returning ${ticketColumns}`,
    isCancel === '' ? [id, message] : [id, message, at],
  );
  await addTransitions(db, [{ runId: id, taskRunId: null, at, type: 'SCHEDULED', name: 'Resuming', message, attempt, owner: null }]);
  return ticket ?? null;
}
