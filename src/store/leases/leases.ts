/**
 * The statements about leased work, written once for every kind.
 *
 * PostgreSQL compares leases with its own clock, so that the clocks of workers need not agree; SQLite runs on one machine and uses ours.
 */
import type { Database, Connection } from '../connection.ts';
import { type AnyClaim, claimedId, claimKey, type Claim, type TaskClaim, hasOwner, ownerTextOf } from '../ownership.ts';
import { toldWithinMs } from '../../model/lease.ts';
import type { Owner } from '../../model/run.ts';
import { readOwner } from '../read-json.ts';
import { forUpdateOfFree, idAmong, listed, listOf, lockInOrder, nowOnce } from '../sql.ts';
import { jsonText } from '../storable.ts';
import type { LeaseStore, ReclaimOptions, Ticketed } from './contract.ts';

/** `cache_entries` are claimed and renewed like the others, but wait for no ticket. */
export type LeasedTable = 'runs' | 'spread_tasks' | 'cache_entries';

/**
 * One kind of leased work: a table with `id`, `epoch`, `owner`, `lease_until`, `recoveries`, `queue`, `priority`, `due_at`, `ticketed_at`
 * and `on_trial`. Conditions are written as in the partial indexes: otherwise the databases do not use them.
 */
export interface LeasedWork {
  readonly table: LeasedTable;
  /** Somebody holds it and it is not over; SQLite is given its index. */
  readonly isHeld: string;
  readonly heldIndex: string;
  /** It may wait for a ticket, likewise. */
  readonly isTicketable: string;
  readonly ticketableIndex: string;
  /** What else is set when it is taken, and when it waits again. */
  readonly taken: string;
  readonly waiting: string;
}

/** Makes work unowned; a new epoch shuts out its last owner. */
export const freed = 'owner = null, lease_until = null';
export const freedAnew = `epoch = epoch + 1, ${freed}`;
/** The columns of a ticket. */
export const ticketColumns = 'id, epoch, queue, priority, due_at as "dueAt"';

/** After how long the indexes of migration 19 consider a ticket lost, ms; other periods are possible, and read a little more. */
const indexedLostMs = 10_000;
/** Their sort order: when the last ticket was put, or that long before the work is due, whichever is later. */
const missedAt = `case when due_at - ${indexedLostMs} > coalesce(ticketed_at, 0) then due_at - ${indexedLostMs} else coalesce(ticketed_at, 0) end`;

function readBy({ dialect }: Database, { table }: LeasedWork, index: string): string {
  return dialect === 'sqlite' ? `${table} indexed by ${index}` : table;
}

/** Takes work that meets a condition; `$1` is the instant, `$2` the length of the lease, `$3` the owner. */
export function claimText({ fragments }: Connection, { table, taken }: LeasedWork, where: string, returning: string): string {
  return `update ${table} set ${taken}epoch = epoch + 1, lease_until = ${fragments.now(1)} + $2, owner = $3
    where ${where} returning ${returning}`;
}

/** The parameters for `claimText`. */
export function claimValues(connection: Connection, owner: Owner, leaseMs: number): [now: number | null, leaseMs: number, owner: string] {
  return [connection.now(), leaseMs, jsonText(owner)];
}

/** One statement for all: renews leases; returns the lost claims. Locked in the order of ids. */
export async function renewLeases<Held extends AnyClaim>(
  connection: Connection,
  { table }: Pick<LeasedWork, 'table'>,
  claims: readonly Held[],
  leaseMs: number,
): Promise<readonly Held[]> {
  if (claims.length === 0) return [];
  const renewed = await connection.query<{ id: string; epoch: number }>(
    `update ${table} set lease_until = ${connection.fragments.now(1)} + $2 from (
       select ${table}.id as held_id from ${table} join ${claimList(connection, 3)} as claimed on ${isClaimed(table)}
       where ${table}.owner is not null and ${hasOwner('claimed.claim_owner', table)} ${lockInOrder(connection, table)}) as held
     where ${table}.id = held_id returning ${table}.id as id, ${table}.epoch as epoch`,
    [connection.now(), leaseMs, listOfClaims(claims)],
  );
  const held = new Set(renewed.map(({ id, epoch }) => `${id}:${epoch}`));
  return claims.filter((claim) => !held.has(claimKey(claim)));
}

/**
 * One statement: hands it back as it is, so that others may claim it at once; or, with `dueAt`, lets it wait until then (null: for a free
 * worker) under a new epoch, so that its ticket differs from the one in use. Null if the claim is old.
 */
export async function releaseLease(
  connection: Database,
  { table, waiting }: LeasedWork,
  claim: Claim | TaskClaim,
  dueAt?: number | null,
): Promise<Ticketed | null> {
  const values = [claimedId(claim), claim.epoch, ownerTextOf(claim)];
  const set = dueAt === undefined ? freed : `${waiting}${freedAnew}, due_at = $4, ticketed_at = ${connection.fragments.now(5)}`;
  const [ticket] = await connection.query<Ticketed>(
    `update ${table} set ${set} where id = $1 and epoch = $2 and owner is not null and ${hasOwner('$3', table)} returning ${ticketColumns}`,
    dueAt === undefined ? values : [...values, dueAt, connection.now()],
  );
  return ticket ?? null;
}

/** See `LeaseStore.owners`. */
export async function ownersOf(connection: Connection, work: LeasedWork): ReturnType<LeaseStore['owners']> {
  const rows = await connection.query<{ owner: string }>(
    `select distinct owner from ${readBy(connection, work, work.heldIndex)} where ${work.isHeld}`,
  );
  return rows.flatMap(({ owner }) => readOwner(owner) ?? []);
}

/** See `LeaseStore.dueUnticketed`. */
export async function takeUnticketed(
  connection: Connection,
  work: LeasedWork,
  { ticketedBeforeMs, limit }: Parameters<LeaseStore['dueUnticketed']>[0],
): ReturnType<LeaseStore['dueUnticketed']> {
  const now = nowOnce(connection, 1);
  const which = `select id from ${readBy(connection, work, work.ticketableIndex)}
    where ${work.isTicketable} and ${missedAt} <= ${now} - $4 and coalesce(ticketed_at, 0) <= ${now} - $2 and (due_at is null or due_at <= ${now})
    order by ${missedAt} limit $3 ${forUpdateOfFree(connection)}`;
  return await connection.query<Ticketed>(
    `update ${work.table} set ticketed_at = ${now} where ${idAmong(connection, which)} returning ${ticketColumns}`,
    [connection.now(), ticketedBeforeMs, limit, Math.min(ticketedBeforeMs, indexedLostMs)],
  );
}

/** Owners known to be gone, and owners whose cause of death is still awaited. */
interface LostOwners extends Pick<ReclaimOptions, 'goneOwners' | 'limit'> {
  readonly awaited: readonly Owner[];
}

/** What lost owners hold; locked, except when only checking whether there is any. */
export async function findLost<Row>(
  db: Database,
  work: LeasedWork,
  { goneOwners, awaited, limit }: LostOwners,
  { columns, joins = '', isLook }: { readonly columns: string; readonly joins?: string; readonly isLook: boolean },
): Promise<Row[]> {
  const { table, isHeld, heldIndex } = work;
  const now = db.fragments.now(1);
  const isTold =
    awaited.length === 0 ? '' : `and (${table}.owner not in ${listed(db, 4)} or ${table}.lease_until <= ${now} - ${toldWithinMs})`;
  return await db.query<Row>(
    `select ${columns}, ${now} as now from ${readBy(db, work, heldIndex)} ${joins}
     where ${isHeld} and (${table}.lease_until <= ${now} or ${table}.owner in ${listed(db, 2)}) ${isTold}
     order by ${table}.id limit $3 ${isLook ? '' : forUpdateOfFree(db, table)}`,
    [db.now(), listOf(goneOwners.map(jsonText)), limit, ...(awaited.length === 0 ? [] : [listOf(awaited.map(jsonText))])],
  );
}

/** Inside a transaction: takes work from lost owners. @param set what else is set; `lost.message` is the message of each */
export async function takeBack(
  db: Database,
  { table }: LeasedWork,
  lost: readonly { readonly id: string; readonly message: string | null; readonly counts: boolean }[],
  set: string,
): Promise<readonly Ticketed[]> {
  if (lost.length === 0) return [];
  const list = db.fragments.list(2, { lost_id: 'text', message: 'text', counted: 'boolean' });
  return await db.query<Ticketed>(
    `update ${table} set ${set}${freedAnew}, recoveries = recoveries + lost.counted, ticketed_at = ${db.fragments.now(1)}
     from ${list} as lost where ${table}.id = lost.lost_id returning ${ticketColumns}`,
    [db.now(), jsonText(lost.map(({ id, message, counts }) => [id, message, counts ? 1 : 0]))],
  );
}

/** Claims as a table, to be joined by `isClaimed`. */
export function claimList({ fragments }: Database, index: number): string {
  return fragments.list(index, { claim_id: 'text', claim_epoch: 'integer', claim_owner: 'text' });
}

export function isClaimed(table: LeasedWork['table']): string {
  return `${table}.id = claimed.claim_id and ${table}.epoch = claimed.claim_epoch`;
}

/** The parameter for `claimList`. */
export function listOfClaims(claims: readonly AnyClaim[]): string {
  return jsonText(claims.map((claim) => [claimedId(claim), claim.epoch, ownerTextOf(claim)]));
}
