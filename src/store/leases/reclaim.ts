/**
 * Takes work from lost owners: found by expired leases or by owners known to be gone, judged, and given to others or ended.
 *
 * Several processes may do so at the same time; each takes rows that nobody else has locked. A crash in between changes nothing.
 */
import type { Database, Connection } from '../connection.ts';
import { stateAfterLoss } from '../../model/lease.ts';
import type { State } from '../../model/state.ts';
import { ownerName } from '../read-json.ts';
import type { ReclaimOptions, LostReport } from './contract.ts';
import { expectedOwners, judgeLosses } from './judge.ts';
import { findLost, type LeasedWork, ownersOf } from './leases.ts';

/** What is read of work whose owner is lost. */
export interface LostRow {
  readonly id: string;
  readonly run_id: string;
  readonly attempt: number;
  readonly recoveries: number;
  readonly owner: string | null;
  readonly lease_until: number | null;
  readonly now: number;
  /** Whether it has ended, or is asked to (1), so that nobody need take it. */
  readonly is_over: number;
  readonly is_cancelled: number;
}

/** Lost work with the state that follows, null if it is over already. */
export interface LostFate {
  readonly row: LostRow;
  readonly state: State | null;
  readonly counts: boolean;
}

/** How one kind of work is reclaimed. */
export interface ReclaimedKind<Report extends LostReport> {
  readonly work: LeasedWork;
  readonly kind: 'run' | 'task run';
  /** The columns of `LostRow` except `now`, and what they are joined from. */
  readonly columns: string;
  readonly joins?: string;
  /** Other work that nobody will end. */
  readonly leftOver?: (db: Database, limit: number, isLook: boolean) => Promise<LostRow[]>;
  /** Names of its previous owners. */
  readonly ownersOf?: (db: Database, id: string) => Promise<readonly string[]>;
  readonly write: (db: Database, fates: readonly LostFate[]) => Promise<Report>;
}

/** See `LeaseStore.reclaim`. */
export async function reclaimLost<Report extends LostReport>(
  connection: Connection,
  kind: ReclaimedKind<Report>,
  given: ReclaimOptions,
): Promise<Report> {
  const expected = await expectedOwners(connection);
  const goneOwners = given.goneOwners.filter(({ id }) => !expected.has(id));
  const awaited = expected.size === 0 ? [] : (await ownersOf(connection, kind.work)).filter(({ id }) => expected.has(id));
  const find = async (db: Database, limit: number, isLook: boolean): Promise<LostRow[]> => {
    const lost = await findLost<LostRow>(db, kind.work, { goneOwners, awaited, limit }, { ...kind, isLook });
    return lost.length >= limit || !kind.leftOver ? lost : [...lost, ...(await kind.leftOver(db, limit - lost.length, isLook))];
  };
  // A query takes no lock; most find nothing.
  if ((await find(connection, 1, true)).length === 0) return await kind.write(connection, []);
  return await connection.transaction(async (db) => {
    const lost = await find(db, given.limit, false);
    return await kind.write(db, await fatesOf(db, kind, lost, given.maxRecoveries));
  });
}

async function fatesOf(
  db: Database,
  { kind, ownersOf }: Pick<ReclaimedKind<LostReport>, 'kind' | 'ownersOf'>,
  lost: readonly LostRow[],
  maxRecoveries: number,
): Promise<LostFate[]> {
  const open = lost.flatMap(({ id, run_id: runId, owner, recoveries, lease_until: leaseUntil, is_over, is_cancelled }) =>
    owner === null || is_over + is_cancelled > 0 ? [] : [{ id, runId, owner, recoveries, leaseUntil }],
  );
  const judged = await judgeLosses(db, open, maxRecoveries);
  const fates: LostFate[] = [];
  for (const row of lost) {
    const judgement = judged.get(row.id);
    const before = judgement?.crashes === true ? await ownersOf?.(db, row.id) : undefined;
    const owners = [...new Set([...(before ?? []), ownerName(row.owner)])];
    const state = row.is_over === 1 ? null : stateAfterLoss(kind, { isCancelled: row.is_cancelled === 1, owners }, judgement);
    fates.push({ row, state, counts: judgement?.counts === true });
  }
  return fates;
}
