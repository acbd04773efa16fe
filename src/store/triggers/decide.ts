/**
 * What one pass of a scheduler decides about triggers, in one transaction.
 *
 * The row of the place up to which ends were read is its lock: the second to get it sees that the place has moved on, or that the events
 * are decided, and reads again. Windows and debounces move on as their occurrences are recorded; they end by the clock of the database, and
 * only once nothing older is left to read, so that a pause of all schedulers changes no outcome.
 */
import type { Connection, Database } from '../connection.ts';
import { BatutaError } from '../../base/errors.ts';
import type { TriggerFiring } from '../../model/triggers/trigger.ts';
import { deploymentOf, deploymentTable, type DeploymentRow } from '../deployments/tables.ts';
import { readConcurrency } from '../read-json.ts';
import { clockOf, forUpdate, listed, listOf } from '../sql.ts';
import { jsonText } from '../storable.ts';
import { insertListed } from '../table.ts';
import type { ActiveTrigger, DueFiring, TriggerCause, TriggerReport, TriggerStep, TriggerStore } from './contract.ts';
import { endPlace, moveEndPlace } from './ends.ts';
import { placeRuns } from './place-runs.ts';
import { causeTable, firingTable } from './tables.ts';
import { expiredGroups, quietGroups, moveDebounces, moveWindows, type Ready } from './waiting.ts';

const reader = 'triggers';

/** An event is received a moment before it can be read: windows stay open this long for it, ms. */
const lateMs = 1_000;
/** Most characters of causes in one statement. */
const maxChars = 4_000_000;
/** What a cause carries besides its values, characters. */
const usualChars = 500;

/** Thrown inside the transaction to undo it; never leaves this file. */
class IsBehind extends BatutaError {
  constructor() {
    super('INTERNAL', 'Someone else has decided about triggers meanwhile.');
  }
}

/** See `TriggerStore.decide`. */
export async function decideTriggers(
  connection: Connection,
  step: TriggerStep,
  makeId: () => string,
  plan: Parameters<TriggerStore['decide']>[2],
): Promise<TriggerReport | null> {
  try {
    return await connection.transaction((db) => decide(db, step, makeId, plan));
  } catch (error) {
    if (error instanceof IsBehind) return null;
    throw error;
  }
}

async function decide(
  db: Database,
  step: TriggerStep,
  makeId: () => string,
  plan: Parameters<TriggerStore['decide']>[2],
): Promise<TriggerReport> {
  await lockPlace(db, step);
  const now = await clockOf(db);
  const taken = await takeEvents(db, step.events);
  const standing = await standingTriggers(db, step.triggers);
  const causes = step.causes.filter(({ eventSeq, triggerId }) => (eventSeq === null || taken.has(eventSeq)) && standing.has(triggerId));
  const immediate = (id: string): boolean => standing.get(id)?.rule.withinMs === null && standing.get(id)?.rule.debounce === null;
  const fresh = await noteCauses(db, causes, (cause) => (immediate(cause.triggerId) ? makeId() : null));
  const waiting = fresh.filter(({ firing }) => firing === null).map(({ cause }) => cause);
  const byRule = (isWindow: boolean): TriggerCause[] =>
    waiting.filter(({ triggerId }) => (standing.get(triggerId)?.rule.withinMs !== null) === isWindow);
  const ready: Ready[] = [
    ...fresh.flatMap(({ cause, firing }) =>
      firing === null ? [] : [{ firingId: firing, triggerId: cause.triggerId, causes: [cause], count: 1 }],
    ),
    ...(await moveWindows(db, byRule(true), standing, makeId)),
  ];
  await moveDebounces(db, byRule(false), standing);
  const quiet = step.isCaughtUp ? await quietGroups(db, standing, step.lookedAt, makeId) : { ready: [], hasMore: false };
  const over = { before: step.lookedAt - lateMs, now };
  const expired = step.isCaughtUp ? await expiredGroups(db, standing, over, makeId) : { firings: [], hasMore: false };
  const due = await dueFirings(db, [...ready, ...quiet.ready], standing, now);
  const { firings, tickets } = await placeRuns(db, due, plan(due));
  const all = [...firings, ...expired.firings];
  await noteFirings(db, all);
  if (step.ends !== null) await moveEndPlace(db, reader, step.ends.next);
  return { firings: all, waiting: tickets, hasMore: quiet.hasMore || expired.hasMore };
}

/** @throws IsBehind if another pass has read on meanwhile */
async function lockPlace(db: Database, { ends }: TriggerStep): Promise<void> {
  const place = await endPlace(db, reader, forUpdate(db));
  if (ends === null) return;
  const isSame = (Object.keys(place) as (keyof typeof place)[]).every((key) => place[key] === ends.place[key]);
  if (!isSame) throw new IsBehind();
}

async function takeEvents(db: Database, seqs: readonly number[]): Promise<ReadonlySet<number>> {
  if (seqs.length === 0) return new Set();
  const rows = await db.query<{ seq: number }>(
    `update events set pending = null where pending = 1 and seq in (select seq from ${db.fragments.list(1, { seq: 'integer' })} as decided) returning seq`,
    [jsonText(seqs.map((seq) => [seq]))],
  );
  return new Set(rows.map(({ seq }) => seq));
}

/** Existing triggers that are not paused. @throws IsBehind if one was deployed or resumed since they were read */
async function standingTriggers(db: Database, looked: readonly ActiveTrigger[]): Promise<ReadonlyMap<string, ActiveTrigger>> {
  const rows = await db.query<{ id: string; version: number; from_event: number; from_end: number }>(
    `select triggers.id, deployments.version, from_event, from_end from triggers join deployments on deployments.name = triggers.deployment
     where deployments.paused_at is null`,
  );
  const known = new Map(looked.map((one) => [one.id, one]));
  const standing = new Map<string, ActiveTrigger>();
  for (const { id, version, from_event: fromEvent, from_end: fromEnd } of rows) {
    const one = known.get(id);
    if (one?.deploymentVersion !== version || one.fromEvent !== fromEvent || one.fromEnd !== fromEnd) throw new IsBehind();
    standing.set(id, one);
  }
  return standing;
}

/** Returns the new causes; one that fires at once is recorded with its firing. */
async function noteCauses(
  db: Database,
  causes: readonly TriggerCause[],
  firingOf: (cause: TriggerCause) => string | null,
): Promise<readonly { readonly cause: TriggerCause; readonly firing: string | null }[]> {
  const made = causes.map((cause) => ({ cause, firing: firingOf(cause) }));
  const kinds = { ...causeTable.kinds, firing: 'text' } as const;
  const noted = new Set<string>();
  for (const chunk of chunksOf(made)) {
    const rows = await db.query<{ trigger_id: string; cause: string }>(
      `insert into trigger_causes (${causeTable.list}, firing) select ${causeTable.list}, firing from ${db.fragments.list(1, kinds)} as given
       where true on conflict do nothing returning trigger_id, cause`,
      [jsonText(chunk.map(({ cause, firing }) => [...causeTable.values(cause), firing]))],
    );
    for (const { trigger_id, cause } of rows) noted.add(`${trigger_id} ${cause}`);
  }
  return made.filter(({ cause }) => noted.delete(`${cause.triggerId} ${cause.cause}`));
}

function chunksOf<Made extends { readonly cause: TriggerCause }>(made: readonly Made[]): readonly (readonly Made[])[] {
  const chunks: Made[][] = [];
  let chars = Infinity;
  for (const one of made) {
    const own = usualChars + (one.cause.given?.length ?? 0);
    chars += own;
    if (chars <= maxChars) chunks.at(-1)?.push(one);
    else {
      chunks.push([one]);
      chars = own;
    }
  }
  return chunks;
}

async function dueFirings(
  db: Database,
  ready: readonly Ready[],
  standing: ReadonlyMap<string, ActiveTrigger>,
  now: number,
): Promise<readonly DueFiring[]> {
  if (ready.length === 0) return [];
  const names = [...new Set(ready.map(({ triggerId }) => standing.get(triggerId)?.deployment ?? ''))];
  const rows = await db.query<DeploymentRow & { readonly flow_concurrency: string | null }>(
    `select ${deploymentTable.list}, (select concurrency from flows where flows.name = deployments.flow) as flow_concurrency
     from deployments where name in ${listed(db, 1)}`,
    [listOf(names)],
  );
  const deployments = new Map(rows.map((row) => [row.name, row]));
  return ready.flatMap(({ triggerId, ...one }): DueFiring[] => {
    const trigger = standing.get(triggerId);
    const row = deployments.get(trigger?.deployment ?? '');
    if (trigger === undefined || row === undefined) return [];
    const flowConcurrency = row.flow_concurrency === null ? null : readConcurrency(row.flow_concurrency);
    return [{ ...one, trigger, deployment: deploymentOf(row), flowConcurrency, now }];
  });
}

async function noteFirings(db: Database, firings: readonly TriggerFiring[]): Promise<void> {
  if (firings.length === 0) return;
  await db.query(insertListed(firingTable, db.fragments, 1), [jsonText(firings.map((firing) => firingTable.values(firing)))]);
}
