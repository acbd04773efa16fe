/** Runs that were made for ticks to come, and are not wanted after all. */
import { listOf, listed, openList, runsBy } from '../sql.ts';
import type { Connection, Query } from '../connection.ts';

/**
 * Inside the transaction that pauses, changes or deletes these schedules: takes back the runs of ticks that have not come yet and that
 * nobody has begun, as if they had not been made. A ticket that is left finds nothing.
 */
export async function withdrawTicks(
  connection: Connection,
  query: Query,
  deployments: readonly string[],
  schedules: readonly string[],
): Promise<void> {
  if (schedules.length === 0) return;
  const { fragments } = connection;
  const names = listOf([...new Set(deployments)]);
  const ids = listOf(schedules);
  const gone = await query<{ id: string }>(
    `delete from runs where id in (
       select id from ${runsBy(connection, 'runs_open_ticks', 'made')}
       where deployment in ${listed({ fragments }, 2)} and schedule_id is not null
         and schedule_id in ${listed({ fragments }, 3)}
         and state_type in (${openList}) and scheduled_for > ${fragments.now(1)})
       and state_type = 'SCHEDULED' and owner is null and epoch = 0
     returning id`,
    [connection.now(), names, ids],
  );
  if (gone.length === 0) return;
  await query(`delete from transitions where run_id in ${listed({ fragments }, 1)}`, [listOf(gone.map(({ id }) => id))]);
}
