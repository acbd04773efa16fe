/** Triggers as their deployments are put, paused, resumed and deleted; inside those transactions. */
import type { Trigger } from '../../model/triggers/trigger.ts';
import type { Database } from '../connection.ts';
import { forUpdate, listed, listOf } from '../sql.ts';
import { jsonText } from '../storable.ts';
import { endPlace, moveEndPlace, newestChange } from './ends.ts';
import { triggerTable, type TriggerRow } from './tables.ts';

const columns = `${triggerTable.list}, by_ends, from_event, from_end`;

/**
 * First in a transaction that deploys, resumes or deletes deployments with a trigger, old or new: a pass of a scheduler holds this lock
 * while it goes through triggers and what they wait for, so anyone who changes these waits for it before locking anything else.
 */
export async function lockTriggers(db: Database, deployments: readonly string[], areGiven = false): Promise<void> {
  if (db.dialect === 'sqlite') return;
  await db.query(
    `select reader from end_places
     where reader = 'triggers' and ($2 = 1 or exists (select 1 from triggers where deployment in ${listed(db, 1)})) ${forUpdate(db)}`,
    [listOf(deployments), areGiven ? 1 : 0],
  );
}

/** Sets the triggers of these deployments; one whose rule is unchanged continues, and what a changed one was waiting for is dropped. */
export async function putTriggers(db: Database, names: readonly string[], triggers: readonly Trigger[]): Promise<void> {
  const stored = await db.query<TriggerRow>(`select ${triggerTable.list} from triggers where deployment in ${listed(db, 1)}`, [
    listOf(names),
  ]);
  if (stored.length === 0 && triggers.length === 0) return;
  const keyOf = (one: Pick<Trigger, 'deployment' | 'slug'>): string => `${one.deployment} ${one.slug}`;
  const wanted = new Map(triggers.map((one) => [keyOf(one), one]));
  const isSame = (row: TriggerRow): boolean => jsonText(wanted.get(keyOf(row))?.rule ?? null) === row.rule;
  await removeTriggers(
    db,
    stored.flatMap((row) => (isSame(row) ? [] : [row.id])),
  );
  const standing = new Set(stored.filter(isSame).map(keyOf));
  const fresh = triggers.filter((one) => !standing.has(keyOf(one)));
  if (fresh.length === 0) return;
  const place = await placeNow(db);
  const rows = fresh.map((one) => [
    ...triggerTable.values(one),
    one.rule.sources.some(({ kind }) => kind !== 'event') ? 1 : 0,
    place.event,
    place.end,
  ]);
  const kinds = { ...triggerTable.kinds, by_ends: 'integer', from_event: 'integer', from_end: 'integer' } as const;
  await db.query(`insert into triggers (${columns}) select ${columns} from ${db.fragments.list(1, kinds)} as given where true`, [
    jsonText(rows),
  ]);
}

/** With what they wait for; what they have fired for stays. */
export async function dropTriggersOf(db: Database, deployments: readonly string[]): Promise<void> {
  const rows = await db.query<{ id: string }>(`select id from triggers where deployment in ${listed(db, 1)}`, [listOf(deployments)]);
  await removeTriggers(
    db,
    rows.map(({ id }) => id),
  );
}

/** Drops what its triggers wait for; they begin with what occurs from now on. */
export async function beginAnew(db: Database, deployment: string): Promise<void> {
  const rows = await db.query<{ id: string }>('select id from triggers where deployment = $1', [deployment]);
  if (rows.length === 0) return;
  await dropWaits(
    db,
    rows.map(({ id }) => id),
  );
  const place = await placeNow(db);
  await db.query('update triggers set from_event = $2, from_end = $3 where deployment = $1', [deployment, place.event, place.end]);
}

/** The current place of both kinds of sources. Ends that no trigger has read are not read for the first one. */
async function placeNow(db: Database): Promise<{ readonly event: number; readonly end: number }> {
  const [row] = await db.query<{ event: number | null; readers: number }>(
    'select (select max(seq) from events) as event, (select count(*) from triggers where by_ends = 1) as readers',
  );
  const end = await newestChange(db);
  if (Number(row?.readers ?? 0) === 0)
    await moveEndPlace(db, 'triggers', { settled: end, readTo: end, mark: null, markNext: null, markAt: null });
  return { event: row?.event ?? 0, end };
}

async function removeTriggers(db: Database, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await dropWaits(db, ids);
  await db.query(`delete from triggers where id in ${listed(db, 1)}`, [listOf(ids)]);
}

async function dropWaits(db: Database, ids: readonly string[]): Promise<void> {
  // Held already, unless the triggers are new.
  await endPlace(db, 'triggers', forUpdate(db));
  await db.query(`delete from trigger_groups where trigger_id in ${listed(db, 1)}`, [listOf(ids)]);
  await db.query(`update trigger_causes set firing = '' where firing is null and trigger_id in ${listed(db, 1)}`, [listOf(ids)]);
}
