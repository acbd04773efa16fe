/** Runs of ticks that wait: for those of earlier ticks to end, or for a worker for too long. */
import { listOf, listed, forUpdateOfFree, nowOnce, idAmong, openList, runsBy } from '../sql.ts';
import type { Connection, Query } from '../connection.ts';
import type { Ticketed } from '../leases/contract.ts';
import { addTransitions } from '../runs/transitions.ts';
import type { TickStore } from './contract.ts';
import { goesOn, standsBefore } from './paused.ts';

/** Runs of one call. */
const maxRuns = 1_000;

const releasedMessage = 'The runs before it have ended.';
const lateMessage = 'No worker has taken it in time.';

/** Inside the transaction in which they were inserted. */
export async function holdRuns({ fragments }: Connection, query: Query, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await query(`update runs set held = 1 where id in ${listed({ fragments }, 1)}`, [listOf(ids)]);
}

/** See `TickStore.release`. */
export async function releaseHeld(connection: Connection, deployments: readonly string[] | null): Promise<readonly Ticketed[]> {
  const { fragments } = connection;
  const names = deployments === null ? [] : [listOf(deployments)];
  // A look costs no lock; most looks find nothing.
  const [found] = await connection.query(
    `select 1 as found from ${runsBy(connection, 'runs_held')} where held = 1 ${amongst(connection, 'deployment', deployments)} limit 1`,
    names,
  );
  if (found === undefined) return [];
  return await connection.transaction(async (query) => {
    const place = names.length + 1;
    const now = fragments.now(place);
    const lock = forUpdateOfFree(connection);
    const rows = await query<Ticketed & { attempt: number; now: number }>(
      `update runs set state_name = 'Scheduled', state_message = $${place + 1}, due_at = ${now}, ticketed_at = ${now}, held = null
       where held = 1 and id in (
         select id from ${runsBy(connection, 'runs_held', 'waiting')}
         where held = 1 and state_type = 'SCHEDULED' ${amongst(connection, 'waiting.deployment', deployments)} and ${goesOn('waiting')}
         and not exists (
           select 1 from ${runsBy(connection, 'runs_open_ticks', 'earlier')}
           where earlier.deployment = waiting.deployment and earlier.schedule_id is not null and earlier.state_type in (${openList})
             and earlier.id <> waiting.id and ${standsBefore('earlier')}
             and (earlier.held is null or earlier.state_type <> 'SCHEDULED' or (earlier.scheduled_for, earlier.id) < (waiting.scheduled_for, waiting.id)))
         limit ${maxRuns} ${lock})
       returning id, epoch, queue, priority, due_at as "dueAt", attempt, ${now} as now`,
      [...names, connection.now(), releasedMessage],
    );
    const scheduled = { taskRunId: null, type: 'SCHEDULED', name: 'Scheduled', message: releasedMessage, owner: null } as const;
    await addTransitions(
      connection,
      query,
      rows.map(({ id, attempt, now: at }) => ({ runId: id, at, attempt, ...scheduled })),
    );
    return rows.map(({ id, epoch, queue, priority, dueAt }) => ({ id, epoch, queue, priority, dueAt }));
  });
}

/** See `TickStore.overtaken`. */
export async function overtakenRuns(connection: Connection): Promise<readonly string[]> {
  const rows = await connection.query<{ id: string }>(
    `select distinct earlier.id from ${runsBy(connection, 'runs_held', 'waiting')}
       join deployments on deployments.name = waiting.deployment and deployments.overlap = 'cancel-running'
       join ${runsBy(connection, 'runs_open_ticks', 'earlier')} on earlier.deployment = waiting.deployment
     where waiting.held = 1 and waiting.state_type = 'SCHEDULED' and ${goesOn('waiting')} and ${standsBefore('earlier')}
       and earlier.schedule_id is not null and earlier.state_type in (${openList}) and earlier.state_type <> 'CANCELLING'
       and (earlier.scheduled_for, earlier.id) < (waiting.scheduled_for, waiting.id)
     limit ${maxRuns}`,
  );
  return rows.map(({ id }) => id);
}

/** See `TickStore.markLate`. */
export async function markLateRuns(
  connection: Connection,
  { lateAfterMs, limit }: Parameters<TickStore['markLate']>[0],
): Promise<readonly string[]> {
  const now = nowOnce(connection, 1);
  const late = `state_type = 'SCHEDULED' and state_name = 'Scheduled' and due_at is not null and due_at <= ${now} - $2 and owner is null and held is null`;
  const index = runsBy(connection, 'runs_not_late');
  const [found] = await connection.query(`select 1 as found from ${index} where ${late} limit 1`, [connection.now(), lateAfterMs]);
  if (found === undefined) return [];
  return await connection.transaction(async (query) => {
    const lock = forUpdateOfFree(connection);
    const rows = await query<{ id: string; attempt: number; message: string; now: number }>(
      `update runs set state_name = 'Late', state_message = coalesce(state_message, $4)
       where ${idAmong(connection, `select id from ${index} where ${late} order by due_at limit $3 ${lock}`)}
       returning id, attempt, state_message as message, ${now} as now`,
      [connection.now(), lateAfterMs, limit, lateMessage],
    );
    const state = { taskRunId: null, type: 'SCHEDULED', name: 'Late', owner: null } as const;
    await addTransitions(
      connection,
      query,
      rows.map(({ id, attempt, message, now: at }) => ({ runId: id, at, attempt, message, ...state })),
    );
    return rows.map(({ id }) => id);
  });
}

function amongst({ fragments }: Connection, column: string, deployments: readonly string[] | null): string {
  return deployments === null ? '' : `and ${column} in ${listed({ fragments }, 1)}`;
}
