/**
 * Who owns a run: insert, claim, renew, release, and the look for cancel requests.
 *
 * A run is owned while its lease holds. Each claim raises the epoch, and every write of an owner carries the epoch it got:
 * whoever has lost the run is refused from then on. PostgreSQL compares leases with its own clock, so that the clocks of
 * workers need not agree; SQLite lives on one machine and takes ours.
 */
import { terminalList, lockInOrder } from '../sql.ts';
import type { Owner, Run } from '../../model/run.ts';
import { isTerminal } from '../../model/state.ts';
import type { Connection } from '../connection.ts';
import { newRunValues, runOf, type RunRow, runTable } from '../tables.ts';
import { hasOwner, ownerTextOf } from '../ownership.ts';
import type { Claim, ClaimOutcome, NewRun } from '../store.ts';
import { insertText } from '../table.ts';
import { jsonText } from '../storable.ts';

const columns = runTable.list;
/** Rounds of look-and-take against others who take at the same time. Each lost round means that somebody else won. */
const maxRounds = 5;

/** One run by its whole id, or null. */
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
  isGone: ((owner: Owner) => boolean) | undefined,
): Promise<ClaimOutcome> {
  for (let round = 1; ; round += 1) {
    const free = await takeFree(connection, id, owner, leaseMs);
    if (free !== null) return { claimed: true, run: free };
    const run = await getRun(connection, id);
    if (run === null) return { claimed: false, reason: 'missing', owner: null, leaseUntil: null };
    if (isTerminal(run.state.type)) return { claimed: false, reason: 'ended', owner: run.owner, leaseUntil: run.leaseUntil };
    if (run.owner !== null && isGone?.(run.owner) === true) {
      const taken = await takeFrom(connection, run, owner, leaseMs);
      if (taken !== null) return { claimed: true, run: taken };
    }
    // Given back, or taken by another, between the two looks: look again.
    const changed = run.owner === null || isGone?.(run.owner) === true;
    if (!changed || round >= maxRounds) return { claimed: false, reason: 'held', owner: run.owner, leaseUntil: run.leaseUntil };
  }
}

async function takeFree(connection: Connection, id: string, owner: Owner, leaseMs: number): Promise<Run | null> {
  const now = connection.fragments.now(1);
  const [row] = await connection.query<RunRow>(
    `update runs set epoch = epoch + 1, recoveries = recoveries + case when owner is null then 0 else 1 end,
       lease_until = ${now} + $2, owner = $3
     where id = $4 and state_type not in (${terminalList}) and (owner is null or lease_until <= ${now})
     returning ${columns}`,
    [connection.now(), leaseMs, jsonText(owner), id],
  );
  return row === undefined ? null : runOf(row);
}

/** The epoch stands for the owner that was looked at: when it has moved on, somebody else was quicker. */
async function takeFrom(connection: Connection, seen: Run, owner: Owner, leaseMs: number): Promise<Run | null> {
  const [row] = await connection.query<RunRow>(
    `update runs set epoch = epoch + 1, recoveries = recoveries + 1, lease_until = ${connection.fragments.now(1)} + $2, owner = $3
     where id = $4 and epoch = $5 and owner is not null and state_type not in (${terminalList})
     returning ${columns}`,
    [connection.now(), leaseMs, jsonText(owner), seen.id, seen.epoch],
  );
  return row === undefined ? null : runOf(row);
}

/** See `RunStore.renew`. */
export async function renewClaims(connection: Connection, claims: readonly Claim[], leaseMs: number): Promise<readonly Claim[]> {
  if (claims.length === 0) return [];
  const { now } = connection.fragments;
  const renewed = await connection.query<Claim>(
    `update runs set lease_until = ${now(1)} + $2 from (
       select runs.id as held_id from runs join ${claimList(connection, 3)} as claimed on runs.id = claimed.id and runs.epoch = claimed.epoch
       where runs.owner is not null and ${hasOwner('claimed.owner')} ${lockInOrder(connection, 'runs')}) as held
     where runs.id = held_id
     returning runs.id as "runId", runs.epoch as epoch`,
    [connection.now(), leaseMs, listOf(claims)],
  );
  const held = new Set(renewed.map(({ runId, epoch }) => `${runId}:${epoch}`));
  return claims.filter(({ runId, epoch }) => !held.has(`${runId}:${epoch}`));
}

/** See `RunStore.release`. */
export async function releaseClaim(connection: Connection, claim: Claim): Promise<void> {
  await connection.query(`update runs set owner = null, lease_until = null where id = $1 and epoch = $2 and ${hasOwner('$3')}`, [
    claim.runId,
    claim.epoch,
    ownerTextOf(claim),
  ]);
}

/** See `RunStore.cancelRequested`. */
export async function cancelRequested(connection: Connection, claims: readonly Claim[]): Promise<readonly string[]> {
  if (claims.length === 0) return [];
  const rows = await connection.query<{ id: string }>(
    `select runs.id from runs join ${claimList(connection, 1)} as claimed on runs.id = claimed.id and runs.epoch = claimed.epoch
     where runs.cancel_requested_at is not null`,
    [listOf(claims)],
  );
  return rows.map(({ id }) => id);
}

function claimList({ fragments }: Connection, index: number): string {
  return fragments.list(index, { id: 'text', epoch: 'integer', owner: 'text' });
}

function listOf(claims: readonly Claim[]): string {
  return jsonText(claims.map((claim) => [claim.runId, claim.epoch, ownerTextOf(claim)]));
}
