/**
 * Hooks of runs that became Crashed while no worker held them: owed from the transaction in which the run crashed until somebody takes
 * them, at most once.
 */
import type { Database, Connection } from '../connection.ts';
import { listed, listOf, forUpdateOfFree } from '../sql.ts';
import type { Run } from '../../model/run.ts';
import { runOf, type RunRow, runTable } from '../tables.ts';
import type { Ticketed } from '../leases/contract.ts';
import { columnsOf } from '../table.ts';

/** Hooks not called for this long, because no worker knows the flow, are no longer owed, ms. */
const forgottenAfterMs = 86_400_000;

const columns = columnsOf(runTable);

/** Inside the transaction in which the runs crashed; returns their tickets. */
export async function oweHooks({ fragments, query }: Database, ids: readonly string[], at: number): Promise<readonly Ticketed[]> {
  if (ids.length === 0) return [];
  return await query<Ticketed>(
    `insert into owed_hooks (run_id, queue, priority, epoch, owed_at, ticketed_at)
     select id, queue, priority, epoch, $1, $1 from runs where id in ${listed({ fragments }, 2)}
     on conflict (run_id) do update set epoch = excluded.epoch, owed_at = excluded.owed_at, ticketed_at = excluded.ticketed_at
     returning run_id as id, epoch, queue, priority, null as "dueAt"`,
    [at, listOf(ids)],
  );
}

/** See `FleetStore.owedHooks`. */
export async function owedHooksOf({ query }: Connection, id: string): Promise<Run | null> {
  const [row] = await query<RunRow>(
    `select ${columns} from owed_hooks join runs on runs.id = owed_hooks.run_id where owed_hooks.run_id = $1 and runs.state_type = 'CRASHED'`,
    [id],
  );
  return row === undefined ? null : runOf(row);
}

/** See `FleetStore.takeHooks`. */
export async function takeHooks({ query }: Connection, { id, epoch }: Pick<Run, 'id' | 'epoch'>): Promise<boolean> {
  const taken = await query('delete from owed_hooks where run_id = $1 and epoch = $2 returning run_id', [id, epoch]);
  return taken.length > 0;
}

/** See `FleetStore.hooksUnticketed`. */
export async function hooksUnticketed(connection: Connection, ticketedBeforeMs: number, limit: number): Promise<readonly Ticketed[]> {
  // A query costs no lock; mostly there are none.
  if ((await connection.query('select 1 as found from owed_hooks limit 1')).length === 0) return [];
  const now = connection.fragments.now(1);
  await connection.query(
    `delete from owed_hooks where owed_at <= ${now} - $2 or not exists (
       select 1 from runs where runs.id = owed_hooks.run_id and runs.epoch = owed_hooks.epoch and runs.state_type = 'CRASHED')`,
    [connection.now(), forgottenAfterMs],
  );
  const lock = forUpdateOfFree(connection);
  return await connection.query<Ticketed>(
    `update owed_hooks set ticketed_at = ${now}
     where run_id in (select run_id from owed_hooks where ticketed_at <= ${now} - $2 order by ticketed_at limit $3 ${lock})
     returning run_id as id, epoch, queue, priority, null as "dueAt"`,
    [connection.now(), ticketedBeforeMs, limit],
  );
}
