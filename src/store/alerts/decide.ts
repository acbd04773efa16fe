/**
 * What one pass of a scheduler decides about alerts, in one transaction.
 *
 * The row of the place up to which ends were read is its lock, for checks as well: the second to get it sees that the place has moved on,
 * or that a rule was checked meanwhile, and reads again.
 */
import type { AlertSilence } from '../../model/alerts/alert.ts';
import type { Connection, Database } from '../connection.ts';
import { BatutaError } from '../../base/errors.ts';
import { clockOf, listed, listOf } from '../sql.ts';
import { jsonText } from '../storable.ts';
import { moveEndPlace } from '../triggers/ends.ts';
import { AlertBook } from './book.ts';
import type { ActiveAlertRule, AlertLook, AlertOccurrence, AlertReport, AlertStep } from './contract.ts';
import { alertReader, lockAlerts } from './rules.ts';
import { silenceTable, type SilenceRow, storedAlertTable, type StoredAlertRow } from './tables.ts';

/** Thrown inside the transaction to undo it; never leaves this file. */
class IsBehind extends BatutaError {
  constructor() {
    super('INTERNAL', 'Someone else has decided about alerts meanwhile.');
  }
}

/** See `AlertStore.decide`. */
export async function decideAlerts(connection: Connection, step: AlertStep, makeId: () => string): Promise<AlertReport | null> {
  try {
    return await connection.transaction((db) => decide(db, step, makeId));
  } catch (error) {
    if (error instanceof IsBehind) return null;
    throw error;
  }
}

async function decide(db: Database, step: AlertStep, makeId: () => string): Promise<AlertReport> {
  await lockPlace(db, step);
  const now = await clockOf(db);
  const rules = await standingRules(db, step.rules);
  const looks = step.looks.filter(({ rule, before, groups }) => groups !== null || rules.get(rule)?.lookedAt === before);
  const occurrences = [...step.occurrences, ...looks.flatMap(({ found }) => found)].filter(({ rule }) => rules.has(rule));
  const fresh = await noteCauses(db, occurrences);
  const seen = await takeHeld(db, rules, fresh);
  const held = await noteHeld(db, now, looks);
  const book = await openBook(db, { rules, now, makeId });
  for (const one of step.occurrences) if (fresh.has(one)) book.found(one, { isSeen: seen.has(keyOfRun(one)) });
  for (const look of looks) {
    for (const one of look.found) if (one.cause === null || fresh.has(one)) book.found(one, { isNewlyHeld: held.has(keyOfRun(one)) });
    book.over(look);
  }
  for (const recovery of step.recoveries) book.recovered(recovery);
  await book.write(db);
  if (step.ends !== null) await moveEndPlace(db, alertReader, step.ends.next);
  const looked = looks.filter(({ groups }) => groups === null).map(({ rule }) => rule);
  if (looked.length > 0) await db.query(`update alert_rules set looked_at = $2 where name in ${listed(db, 1)}`, [listOf(looked), now]);
  return { firings: book.firings };
}

/** The open alerts, to be changed and written in the same transaction. */
export async function openBook(
  db: Database,
  parts: {
    readonly rules: ReadonlyMap<string, Pick<ActiveAlertRule, 'name' | 'description' | 'rule'>>;
    readonly now: number;
    readonly makeId: () => string;
  },
): Promise<AlertBook> {
  const rows = await db.query<StoredAlertRow>(
    `select ${storedAlertTable.list} from alerts where state <> 'resolved' and rule in ${listed(db, 1)}`,
    [listOf([...parts.rules.keys()])],
  );
  const quiet = await db.query<SilenceRow>(`select ${silenceTable.list} from alert_silences where until_at > $1`, [parts.now]);
  return new AlertBook({
    ...parts,
    open: rows.map(storedAlertTable.read),
    silences: quiet.map((row): AlertSilence => silenceTable.read(row)),
  });
}

/** @throws IsBehind if another pass has read on meanwhile */
async function lockPlace(db: Database, { ends }: AlertStep): Promise<void> {
  const place = await lockAlerts(db);
  if (ends === null) return;
  const isSame = (Object.keys(place) as (keyof typeof place)[]).every((key) => place[key] === ends.place[key]);
  if (!isSame) throw new IsBehind();
}

/** Rules in force. @throws IsBehind if one was put or resumed since they were read */
async function standingRules(db: Database, looked: readonly ActiveAlertRule[]): Promise<ReadonlyMap<string, ActiveAlertRule>> {
  const rows = await db.query<{ name: string; updated_at: number; from_end: number; looked_at: number | null }>(
    'select name, updated_at, from_end, looked_at from alert_rules where paused_at is null',
  );
  const known = new Map(looked.map((rule) => [rule.name, rule]));
  const standing = new Map<string, ActiveAlertRule>();
  for (const { name, updated_at: updatedAt, from_end: fromEnd, looked_at: lookedAt } of rows) {
    const rule = known.get(name);
    if (rule?.updatedAt !== updatedAt || rule.fromEnd !== fromEnd) throw new IsBehind();
    standing.set(name, { ...rule, lookedAt });
  }
  return standing;
}

/** Returns the new ones. */
async function noteCauses(db: Database, occurrences: readonly AlertOccurrence[]): Promise<ReadonlySet<AlertOccurrence>> {
  const caused = occurrences.filter(({ cause }) => cause !== null);
  if (caused.length === 0) return new Set();
  const kinds = { rule: 'text', cause: 'text', subject: 'text', at: 'time' } as const;
  const rows = await db.query<{ rule: string; cause: string }>(
    `insert into alert_causes (rule, cause, subject, at) select rule, cause, subject, at from ${db.fragments.list(1, kinds)} as given
     where true on conflict do nothing returning rule, cause`,
    [jsonText(caused.map(({ rule, cause, runId, at }) => [rule, cause, runId, at]))],
  );
  const noted = new Set(rows.map(({ rule, cause }) => `${cause} ${rule}`));
  return new Set(caused.filter(({ rule, cause }) => noted.delete(`${cause} ${rule}`)));
}

/**
 * Records runs that a check has found: each is cancelled once, and the end of one that took too long is not another occurrence. Returns the
 * new ones.
 */
async function noteHeld(db: Database, now: number, looks: readonly AlertLook[]): Promise<ReadonlySet<string>> {
  const found = looks.flatMap((look) => look.found).filter(({ cause, runId }) => cause === null && runId !== null);
  if (found.length === 0) return new Set();
  const kinds = { rule: 'text', cause: 'text', subject: 'text', at: 'time' } as const;
  const rows = await db.query<HeldRow>(
    `insert into alert_causes (rule, cause, subject, at) select rule, cause, subject, at from ${db.fragments.list(1, kinds)} as given
     where true on conflict do nothing returning rule, subject`,
    [jsonText(found.map(({ rule, runId }) => [rule, heldCause(runId), runId, now]))],
  );
  return new Set(rows.map(keyOfHeld));
}

/** Which of these ends are of runs that a check has found; their records are deleted, so that the end of another attempt counts. */
async function takeHeld(
  db: Database,
  rules: ReadonlyMap<string, ActiveAlertRule>,
  ends: ReadonlySet<AlertOccurrence>,
): Promise<ReadonlySet<string>> {
  const long = [...ends].filter(({ rule, seq }) => seq !== null && rules.get(rule)?.rule.condition.kind === 'longer');
  if (long.length === 0) return new Set();
  const kinds = { rule: 'text', cause: 'text' } as const;
  const rows = await db.query<HeldRow>(
    `delete from alert_causes where (rule, cause) in (select rule, cause from ${db.fragments.list(1, kinds)} as given) returning rule, subject`,
    [jsonText(long.map(({ rule, runId }) => [rule, heldCause(runId)]))],
  );
  return new Set(rows.map(keyOfHeld));
}

interface HeldRow {
  readonly rule: string;
  readonly subject: string;
}

function heldCause(runId: string | null): string {
  return `held:${runId ?? ''}`;
}

function keyOfRun({ rule, runId }: AlertOccurrence): string {
  return keyOfHeld({ rule, subject: runId ?? '' });
}

function keyOfHeld({ rule, subject }: HeldRow): string {
  return `${subject} ${rule}`;
}
