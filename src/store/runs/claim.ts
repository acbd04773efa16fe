/** One run by its whole id: insert, read, claim, and query for cancel requests. */
import { refusalOf } from '../../model/lease.ts';
import { runWork } from '../fleet/waiting.ts';
import { claimText, claimValues, claimList, isClaimed, listOfClaims } from '../leases/leases.ts';
import { terminalList } from '../sql.ts';
import type { Owner, Run } from '../../model/run.ts';
import type { Connection } from '../connection.ts';
import { newRunValues, runOf, type RunRow, runTable } from '../tables.ts';
import type { Claim, ClaimOutcome, NewRun } from '../store.ts';
import { insertText } from '../table.ts';

const columns = runTable.list;
/** Rounds of reading and claiming in competition with others. Each lost round means that somebody else won. */
const maxRounds = 6;

export async function getRun(connection: Connection, id: string): Promise<Run | null> {
  const [row] = await connection.query<RunRow>(`select ${columns} from runs where id = $1`, [id]);
  return row === undefined ? null : runOf(row);
}

/** One statement: a run that waits for an owner. */
export async function insertRun(connection: Connection, run: NewRun): Promise<void> {
  await connection.query(insertText(runTable), newRunValues(run, null, null));
}

/** See `RunStore.claim`. */
export async function claimRun(
  connection: Connection,
  id: string,
  owner: Owner,
  leaseMs: number,
  isGone: (owner: Owner) => boolean = () => false,
): Promise<ClaimOutcome> {
  let goneEpoch: number | null = null;
  for (let round = 1; ; round += 1) {
    const taken = await takeRun(connection, id, owner, leaseMs, goneEpoch);
    if (taken !== null) return { claimed: true, run: taken };
    const run = await getRun(connection, id);
    if (run === null) return { claimed: false, reason: 'missing', owner: null, leaseUntil: null };
    const refusal = refusalOf(run, isGone);
    if (refusal !== null || round >= maxRounds)
      return { claimed: false, reason: refusal ?? 'held', owner: run.owner, leaseUntil: run.leaseUntil };
    // Its owner is gone; or it was handed back, or taken by another, between the two reads.
    goneEpoch = run.owner === null ? null : run.epoch;
  }
}

/** @param goneEpoch the epoch of an owner that is gone: if it has moved on, somebody else was faster */
async function takeRun(connection: Connection, id: string, owner: Owner, leaseMs: number, goneEpoch: number | null): Promise<Run | null> {
  const set = {
    ...runWork,
    taken: 'parked_for = null, parked_by = null, recoveries = recoveries + case when owner is null then 0 else 1 end, ',
  };
  const where = `id = $4 and state_type not in (${terminalList})
    and (owner is null or lease_until <= ${connection.fragments.now(1)} or epoch = $5)`;
  const [row] = await connection.query<RunRow>(claimText(connection, set, where, columns), [
    ...claimValues(connection, owner, leaseMs),
    id,
    goneEpoch,
  ]);
  return row === undefined ? null : runOf(row);
}

/** See `RunStore.cancelRequested`. */
export async function cancelRequested(connection: Connection, claims: readonly Claim[]): Promise<readonly string[]> {
  if (claims.length === 0) return [];
  const rows = await connection.query<{ id: string }>(
    `select runs.id from runs join ${claimList(connection, 1)} as claimed on ${isClaimed('runs')} where runs.cancel_requested_at is not null`,
    [listOfClaims(claims)],
  );
  return rows.map(({ id }) => id);
}
