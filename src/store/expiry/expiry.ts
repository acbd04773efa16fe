/** Ends runs that have not begun by the instant after which they are useless. */
import type { Connection, Database } from '../connection.ts';
import { endRun } from '../runs/cancel.ts';
import { clockOf, forUpdate, listed, listOf, lockInOrder, nowOnce, openList, terminalList } from '../sql.ts';
import { stateOf, type StateType } from '../../model/state.ts';
import { expiredMessage } from '../../model/expiry.ts';
import { hasOwner, ownerTextOf } from '../ownership.ts';
import type { WaitingRun } from '../fleet/contract.ts';
import { jsonText } from '../storable.ts';
import type { ExpiredRun, ExpiryPass, ExpiryStore } from './contract.ts';

interface Expiring {
  readonly id: string;
  readonly flow: string;
  readonly key: string | null;
  readonly attempt: number;
  readonly state_type: StateType;
  readonly expires_at: number;
}

/** Nobody has begun it: a run that was reopened, or whose owner was lost, counts as begun. */
const unbegun = 'runs.started_at is null and runs.attempt = 1 and runs.recoveries = 0';
const columns = 'runs.id, runs.flow, runs.concurrency_key as key, runs.attempt, runs.state_type, run_expiries.expires_at';

/** See `ExpiryStore`. */
export function expiryStore(connection: Connection): ExpiryStore {
  return {
    expire: (options) => expire(connection, options.limit),
    end: (claim) =>
      connection.transaction(async (db) => {
        const [run] = await db.query<Expiring>(
          `select ${columns} from runs join run_expiries on run_expiries.run_id = runs.id
           where runs.id = $1 and runs.epoch = $2 and ${hasOwner('$3', 'runs')} and runs.state_type not in (${terminalList})
           ${forUpdate(db)} ${db.dialect === 'sqlite' ? '' : 'of runs'}`,
          [claim.runId, claim.epoch, ownerTextOf(claim)],
        );
        if (run === undefined) return null;
        const ended = await endExpired(db, run, await clockOf(db));
        await forget(db, [run.id]);
        return ended;
      }),
  };
}

/** Inside the transaction that inserts these runs. */
export async function insertExpiries({ query, fragments }: Database, rows: readonly WaitingRun[]): Promise<void> {
  const expiring = rows.flatMap(({ run, expiresAt = null }) => (expiresAt === null ? [] : [[run.id, expiresAt]]));
  if (expiring.length === 0) return;
  await query(
    `insert into run_expiries (run_id, expires_at)
     select run_id, expires_at from ${fragments.list(1, { run_id: 'text', expires_at: 'time' })} as added where true on conflict do nothing`,
    [jsonText(expiring)],
  );
}

async function expire(connection: Connection, limit: number): Promise<ExpiryPass> {
  // Claimed in time, and about to begin: left to its owner.
  const which = `select run_expiries.run_id from run_expiries left join runs on runs.id = run_expiries.run_id
    where run_expiries.expires_at <= ${nowOnce(connection, 1)}
      and not (runs.owner is not null and ${unbegun} and runs.state_type in (${openList})) order by run_expiries.expires_at limit $2`;
  const due = await connection.query<{ run_id: string }>(which, [connection.now(), limit]);
  if (due.length === 0) return { ended: [], hasMore: false };
  const ended = await connection.transaction(async (db) => {
    const ids = listOf(due.map(({ run_id }) => run_id));
    const runs = await db.query<Expiring & { readonly owned: number; readonly waits: number }>(
      `select ${columns}, case when runs.owner is null then 0 else 1 end as owned, case when ${unbegun} then 1 else 0 end as waits
       from runs join run_expiries on run_expiries.run_id = runs.id where runs.id in ${listed(db, 1)} ${lockInOrder(db, 'runs')}`,
      [ids],
    );
    const at = await clockOf(db);
    const expired: ExpiredRun[] = [];
    const left = new Set<string>();
    for (const run of runs) {
      if (terminalList.includes(`'${run.state_type}'`) || run.waits === 0) continue;
      if (run.owned === 1) left.add(run.id);
      else expired.push(await endExpired(db, run, at));
    }
    await forget(
      db,
      due.map(({ run_id }) => run_id).filter((id) => !left.has(id)),
    );
    return expired;
  });
  return { ended, hasMore: due.length === limit };
}

async function endExpired(db: Database, run: Expiring, at: number): Promise<ExpiredRun> {
  const state = stateOf('CANCELLED', 'Expired', expiredMessage(run.expires_at));
  await endRun(db, run, state, at, 'slot_epoch = null');
  return { id: run.id, flow: run.flow, concurrencyKey: run.key };
}

async function forget(db: Database, ids: readonly string[]): Promise<void> {
  if (ids.length > 0) await db.query(`delete from run_expiries where run_id in ${listed(db, 1)}`, [listOf(ids)]);
}
