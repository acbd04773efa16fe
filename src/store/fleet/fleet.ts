/** What a fleet asks of runs, over a connection. */
import type { Connection } from '../connection.ts';
import { ownersOf, takeUnticketed } from '../leases/leases.ts';
import { claimUnderLimits } from '../limits/run-slots.ts';
import type { FleetStore, LinePlace } from './contract.ts';
import { findOrphans } from './orphans.ts';
import { hooksUnticketed, owedHooksOf, takeHooks } from './owed-hooks.ts';
import { reclaimRuns } from './reclaim.ts';
import { claimWaiting, insertWaiting, runWork } from './waiting.ts';
import { standsBefore } from '../ticks/held.ts';
import { openList, runsBy } from '../sql.ts';

export function fleetStore(connection: Connection): FleetStore {
  return {
    insertMany: (rows) => insertWaiting(connection, rows),
    async claimMany(ids, owner, leaseMs, listener) {
      const claimed = new Map(await claimWaiting(connection, ids, owner, leaseMs, listener ?? {}));
      // Mostly none; tickets of runs that others already have, and runs under a limit.
      const rest = ids.filter((id) => !claimed.has(id));
      if (rest.length > 0) for (const run of await claimUnderLimits(connection, rest, owner, leaseMs, listener)) claimed.set(run.id, run);
      return claimed;
    },
    reclaim: (options) => reclaimRuns(connection, options),
    orphans: (options) => findOrphans(connection, options),
    owners: () => ownersOf(connection, runWork),
    dueUnticketed: (options) => takeUnticketed(connection, runWork, options),
    placeInLine: (runId) => placeInLine(connection, runId),
    owedHooks: (runId) => owedHooksOf(connection, runId),
    takeHooks: (run) => takeHooks(connection, run),
    hooksUnticketed: ({ ticketedBeforeMs, limit }) => hooksUnticketed(connection, ticketedBeforeMs, limit),
  };
}

/** Counted no further than this. */
const maxCounted = 10_000;

interface WaitingRow {
  readonly queue: string;
  readonly priority: number;
  readonly created_at: number;
  readonly held: number | null;
  readonly deployment: string | null;
  readonly scheduled_for: number | null;
}

/** See `FleetStore.placeInLine`. */
export async function placeInLine(connection: Connection, runId: string): Promise<LinePlace | null> {
  const { query, fragments } = connection;
  const [run] = await query<WaitingRow>('select queue, priority, created_at, held, deployment, scheduled_for from runs where id = $1', [
    runId,
  ]);
  if (run === undefined) return null;
  const [ahead] = await query<{ count: number }>(
    `select count(*) as count from (
       select 1 as found from ${runsBy(connection, 'runs_waiting')}
       where ${runWork.isTicketable} and state_type <> 'PAUSED' and queue = $2 and (due_at is null or due_at <= ${fragments.now(1)})
         and (priority > $3 or (priority = $3 and (created_at < $4 or (created_at = $4 and id < $5)))) limit ${maxCounted}) as counted`,
    [connection.now(), run.queue, run.priority, run.created_at, runId],
  );
  const behind = run.held === null ? null : await earlierRuns(connection, runId, run);
  return { isHeld: run.held !== null, behind, ahead: Number(ahead?.count ?? 0) };
}

/** The runs whose end `TickStore.release` waits for. */
async function earlierRuns(connection: Connection, runId: string, run: WaitingRow): Promise<LinePlace['behind']> {
  const [first] = await connection.query<{ id: string; name: string; scheduled_for: number; count: number }>(
    `select id, name, scheduled_for, count(*) over () as count from ${runsBy(connection, 'runs_open_ticks', 'earlier')}
     where deployment = $1 and schedule_id is not null and state_type in (${openList}) and id <> $2 and ${standsBefore('earlier')}
       and (held is null or state_type <> 'SCHEDULED' or (scheduled_for, id) < ($3, $2))
     order by case when held is null then 0 else 1 end, scheduled_for, id limit 1`,
    [run.deployment, runId, run.scheduled_for],
  );
  if (first === undefined) return null;
  return { first: { id: first.id, name: first.name, scheduledFor: first.scheduled_for }, count: Number(first.count) };
}
