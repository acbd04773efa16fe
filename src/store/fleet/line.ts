/** Where a run that waits for a worker stands in its queue. */
import type { Connection } from '../connection.ts';
import type { LinePlace } from './contract.ts';
import { openList, runsBy } from './waiting.ts';

/** Counted no further than this. */
const maxCounted = 10_000;

/** See `FleetStore.placeInLine`. */
export async function placeInLine(connection: Connection, runId: string): Promise<LinePlace | null> {
  const { query, fragments } = connection;
  const [run] = await query<{ queue: string; priority: number; created_at: number; held: number | null }>(
    'select queue, priority, created_at, held from runs where id = $1',
    [runId],
  );
  if (run === undefined) return null;
  const [ahead] = await query<{ count: number }>(
    `select count(*) as count from (
       select 1 as found from ${runsBy(connection, 'runs_waiting')}
       where owner is null and state_type in (${openList}) and state_type not in ('PAUSED', 'CANCELLING') and state_name <> 'AwaitingSlot'
         and held is null and queue = $2 and (due_at is null or due_at <= ${fragments.now(1)})
         and (priority > $3 or (priority = $3 and (created_at < $4 or (created_at = $4 and id < $5)))) limit ${maxCounted}) as counted`,
    [connection.now(), run.queue, run.priority, run.created_at, runId],
  );
  return { isHeld: run.held !== null, ahead: Number(ahead?.count ?? 0) };
}
