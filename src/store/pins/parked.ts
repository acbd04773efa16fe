/** Work that waits for a version of its flow which no living worker has. It is not claimed meanwhile, and costs the fleet nothing. */
import type { RunPin } from '../../model/pin.ts';
import type { Connection, Database } from '../connection.ts';
import { ticketColumns } from '../leases/leases.ts';
import type { Ticketed } from '../leases/contract.ts';
import { readFields } from '../read-json.ts';
import { forUpdateOfFree, idAmong, openList, runsBy } from '../sql.ts';
import { jsonText } from '../storable.ts';
import type { ParkedWork, PinStore } from './contract.ts';

type Work = ParkedWork['work'];

const kinds = {
  run: { table: 'runs', waits: `state_type in (${openList})` },
  task: { table: 'spread_tasks', waits: `stage = 'waiting'` },
} as const;

const freed = 'parked_for = null, parked_by = null';

/** See `PinStore.park`. */
export async function park(
  connection: Connection,
  work: Work,
  { id, epoch }: Parameters<PinStore['park']>[1],
  pin: RunPin,
): Promise<boolean> {
  const { table, waits } = kinds[work];
  // The pin is locked: `unpin` either finds what is parked here, or this finds no pin.
  const lock = connection.dialect === 'sqlite' ? '' : 'for share';
  const rows = await connection.query(
    `update ${table} set parked_for = $1, parked_by = pin.run_id from (select run_id from run_pins where run_id = $2 ${lock}) as pin
     where ${table}.id = $3 and epoch = $4 and owner is null and ${waits} returning ${table}.id`,
    [wantedText(pin), pin.runId, id, epoch],
  );
  return rows.length > 0;
}

/** See `PinStore.parked`. */
export async function parkedWork(connection: Connection): Promise<readonly ParkedWork[]> {
  const ofKind = (work: Work, from: string): string =>
    `select distinct '${work}' as work, queue, parked_for from ${from} where parked_for is not null and ${kinds[work].waits}`;
  const rows = await connection.query<{ work: Work; queue: string; parked_for: string }>(
    `${ofKind('run', runsBy(connection, 'runs_parked'))} union all ${ofKind('task', 'spread_tasks')}`,
  );
  return rows.flatMap(({ work, queue, parked_for: text }) => {
    const wanted = readFields<ParkedWork['wanted']>(text);
    return wanted === null ? [] : [{ work, queue, wanted }];
  });
}

/** See `PinStore.unpark`. */
export async function unpark(connection: Connection, { work, queue, wanted }: ParkedWork, limit: number): Promise<readonly Ticketed[]> {
  const { table, waits } = kinds[work];
  const which = `select id from ${work === 'run' ? runsBy(connection, 'runs_parked') : table}
    where parked_for = $2 and queue = $3 and ${waits} limit $4 ${forUpdateOfFree(connection)}`;
  return await connection.query<Ticketed>(
    `update ${table} set ${freed}, ticketed_at = ${connection.fragments.now(1)}
     where parked_for is not null and ${idAmong(connection, which)} returning ${ticketColumns}`,
    [connection.now(), wantedText(wanted), queue, limit],
  );
}

/** See `PinStore.unparkVoid`. */
export async function unparkVoid(connection: Connection, limit: number): Promise<readonly Ticketed[]> {
  const isVoid = `parked_by is not null and parked_by <> id and state_type in (${openList}) and not exists (
    select 1 from run_pins join runs as pinned on pinned.id = run_pins.run_id
    where run_pins.run_id = runs.parked_by and pinned.state_type in (${openList}) and pinned.started_at is not null)`;
  const runs = runsBy(connection, 'runs_parked_by');
  // A query costs no lock; most find nothing.
  const [found] = await connection.query(`select 1 as found from ${runs} where ${isVoid} limit 1`);
  if (found === undefined) return [];
  const which = `select id from ${runs} where ${isVoid} limit $2 ${forUpdateOfFree(connection)}`;
  return await connection.query<Ticketed>(
    `update runs set ${freed}, ticketed_at = ${connection.fragments.now(1)}
     where parked_for is not null and ${idAmong(connection, which)} returning ${ticketColumns}`,
    [connection.now(), limit],
  );
}

/** Inside a transaction: whatever is parked because of this run waits for any worker again; the check for lost tickets finds it. */
export async function freeParkedBy(db: Database, runId: string): Promise<void> {
  for (const { table } of Object.values(kinds)) await db.query(`update ${table} set ${freed} where parked_by = $1`, [runId]);
}

/** Equal for equal versions, since it is compared. */
function wantedText({ flow, version, host }: ParkedWork['wanted']): string {
  return jsonText({ flow, version, host: { flow: host.flow, version: host.version } });
}
