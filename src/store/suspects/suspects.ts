/** Suspects as workers query them; what makes a suspect is in `leases/judge.ts`. */
import type { Database, Connection } from '../connection.ts';
import { lossesBeforeTrial } from '../../model/lease.ts';
import { listed, listOf, lockInOrder } from '../sql.ts';
import type { Suspect, SuspectStore } from './contract.ts';

/** Locked and written in this order everywhere, and before their suspects: otherwise two would deadlock. */
const tables = ['runs', 'spread_tasks'] as const;

export function suspectStore(connection: Connection): SuspectStore {
  const { query, fragments } = connection;
  return {
    async expect(owner, id) {
      await query(
        `insert into lost_owners (owner, held, tasks, at, culprit) values ($2, 1, 1, ${fragments.now(1)}, $3) on conflict (owner) do nothing`,
        [connection.now(), owner, id],
      );
    },
    async note({ owner, culprit, seen }) {
      await query(
        `insert into lost_owners (owner, held, tasks, at, culprit, seen) values ($2, 0, 0, ${fragments.now(1)}, $3, $4)
         on conflict (owner) do update set culprit = coalesce(lost_owners.culprit, excluded.culprit), seen = coalesce(lost_owners.seen, excluded.seen)`,
        [connection.now(), owner, culprit, seen],
      );
    },
    async takeBack(owner) {
      await query('update lost_owners set culprit = null, seen = null where owner = $1', [owner]);
    },
    async acquit(owner) {
      await connection.transaction(async (db) => {
        for (const table of tables)
          await db.query(`select id from ${table} where id in (select id from suspects where last_owner = $1) ${lockInOrder(db, table)}`, [
            owner,
          ]);
        const acquitted = await db.query<{ id: string; losses: number }>(
          `update suspects set shared = shared - 1, last_owner = '' where last_owner = $1 and shared > 0 returning id, shared + alone as losses`,
          [owner],
        );
        await markTrials(
          db,
          acquitted.map(({ id, losses }) => ({ id, isOnTrial: losses >= lossesBeforeTrial })),
        );
      });
    },
    async waiting(id) {
      const [found] = await query<Suspect>(
        `select id, id as "runId", flow from runs where id = $1 and on_trial = 1 and owner is null and ended_at is null
         union all
         select spread_tasks.id, run_id as "runId", runs.flow from spread_tasks join runs on runs.id = run_id
         where spread_tasks.id = $1 and spread_tasks.on_trial = 1 and stage = 'waiting'`,
        [id],
      );
      return found ?? null;
    },
    async clear(id) {
      await connection.transaction(async (db) => {
        await markTrials(db, [{ id, isOnTrial: false }]);
        await db.query('delete from suspects where id = $1', [id]);
      });
    },
  };
}

/** Writes into the rows of runs and spread tasks which are on trial: claims read it there. */
export async function markTrials(db: Database, marks: readonly { readonly id: string; readonly isOnTrial: boolean }[]): Promise<void> {
  for (const isOnTrial of [true, false]) {
    const ids = marks.flatMap((mark) => (mark.isOnTrial === isOnTrial ? [mark.id] : []));
    if (ids.length === 0) continue;
    for (const table of tables)
      await db.query(`update ${table} set on_trial = ${isOnTrial ? '1' : 'null'} where id in ${listed(db, 1)}`, [listOf(ids)]);
  }
}
