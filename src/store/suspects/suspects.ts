/** Suspects as workers ask for them; what makes a suspect stands in `judge.ts`. */
import type { Connection } from '../connection.ts';
import type { Suspect, SuspectStore } from './contract.ts';

/** Losses after which it is executed alone. */
export const lossesBeforeTrial = 2;

/**
 * Which of the runs or spread tasks in `table` may be claimed beside others. PostgreSQL is given a list that is made before the statement: it
 * would join what `exists` asks for, and a worker took a fifth less.
 */
export function notOnTrial({ dialect }: Pick<Connection, 'dialect'>, table: 'runs' | 'spread_tasks'): string {
  return dialect === 'sqlite'
    ? `not exists (select 1 from suspects where suspects.id = ${table}.id and suspects.on_trial = 1)`
    : `${table}.id <> all (array(select suspects.id from suspects where suspects.on_trial = 1))`;
}

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
      await query(
        `update suspects set shared = shared - 1, on_trial = case when shared + alone > ${lossesBeforeTrial} then 1 else 0 end, last_owner = ''
         where last_owner = $1 and shared > 0`,
        [owner],
      );
    },
    async waiting(id) {
      const [found] = await query<Suspect>(
        `select suspects.id, suspects.run_id as "runId", runs.flow from suspects join runs on runs.id = suspects.run_id
         where suspects.id = $1 and on_trial = 1 and (
           exists (select 1 from spread_tasks where spread_tasks.id = suspects.id and stage = 'waiting') or (runs.id = suspects.id and runs.owner is null))`,
        [id],
      );
      return found ?? null;
    },
    async clear(id) {
      await query('delete from suspects where id = $1', [id]);
    },
  };
}
