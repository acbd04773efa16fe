/**
 * The table `batuta_effects` in the user's database: which task runs have committed there, and their results.
 *
 * It is created when first needed. Rows are deleted by age, in batches, by the processes that use the database: no process of Batuta knows
 * every database of its flows, so none could delete them by run.
 */
import { createHash } from 'node:crypto';
import { systemClock } from '../base/clock.ts';
import { BatutaError } from '../base/errors.ts';
import type { TaskRun } from '../model/run.ts';
import { driverOf, type OpenTransaction, type SqlDialect, type SqlValue, type TransactionDriver } from './driver.ts';

/** The task run of an effect, identified by its key: its id is new if the process was lost before it was recorded. */
export interface EffectKey {
  readonly runId: string;
  readonly taskKey: string;
}

/** A task run has a new id if its process was lost before it was recorded; its key and item stay the same. */
export function effectKeyOf({ runId, key, itemHash }: TaskRun): EffectKey {
  return { runId, taskKey: itemHash === null ? key : `${key} ${itemHash}` };
}

/** A recorded effect; null text: the task returned nothing. */
export interface RecordedEffect {
  readonly result: string | null;
}

interface Statements {
  readonly look: string;
  readonly create: readonly string[];
  readonly find: string;
  readonly insert: string;
  readonly remove: string;
  readonly clean: string;
}

/** Longest key that MySQL can index together with the run. */
const maxKeyLength = 200;
const cleanEveryMs = 60 * 60 * 1000;
const cleanBatch = 1_000;

const findWhere = 'select result from batuta_effects where run_id = ? and task_key = ?';
const removeWhere = 'delete from batuta_effects where run_id = ? and task_key = ?';
const look = 'select run_id from batuta_effects where 1 = 0';

function insertWith(now: string): string {
  return `insert into batuta_effects (run_id, task_key, result, committed_at) values (?, ?, ?, ${now})`;
}

function onPostgres(text: string): string {
  let at = 0;
  return text.replaceAll('?', () => `$${++at}`);
}

const postgresNow = '(extract(epoch from clock_timestamp()) * 1000)::bigint';
const sqliteNow = "cast((julianday('now') - 2440587.5) * 86400000 as integer)";
const mysqlNow = 'cast(unix_timestamp(current_timestamp(3)) * 1000 as signed)';

const statements: Record<SqlDialect, Statements> = {
  postgres: {
    look,
    create: [
      `create table if not exists batuta_effects (
        run_id text not null, task_key text not null, result text, committed_at bigint not null, primary key (run_id, task_key)
      )`,
      // Rows are inserted in order of time: a BRIN index finds the old ones, and costs an insert next to nothing.
      'create index if not exists batuta_effects_committed on batuta_effects using brin (committed_at) with (autosummarize = on)',
    ],
    find: onPostgres(findWhere),
    insert: onPostgres(insertWith(postgresNow)),
    remove: onPostgres(removeWhere),
    clean: `delete from batuta_effects where ctid in
      (select ctid from batuta_effects where committed_at < ${postgresNow} - $1::bigint limit ${cleanBatch})`,
  },
  sqlite: {
    look,
    create: [
      `create table if not exists batuta_effects (
        run_id text not null, task_key text not null, result text, committed_at integer not null, primary key (run_id, task_key)
      )`,
      'create index if not exists batuta_effects_committed on batuta_effects (committed_at)',
    ],
    find: findWhere,
    insert: insertWith(sqliteNow),
    remove: removeWhere,
    clean: `delete from batuta_effects where rowid in
      (select rowid from batuta_effects where committed_at < ${sqliteNow} - ? limit ${cleanBatch})`,
  },
  mysql: {
    look,
    create: [
      `create table if not exists batuta_effects (
        run_id varchar(64) not null, task_key varchar(${maxKeyLength}) not null, result longtext, committed_at bigint not null,
        primary key (run_id, task_key), key batuta_effects_committed (committed_at)
      ) engine = InnoDB character set utf8mb4 collate utf8mb4_bin`,
    ],
    find: findWhere,
    insert: insertWith(mysqlNow),
    remove: removeWhere,
    clean: `delete from batuta_effects where committed_at < ${mysqlNow} - ? limit ${cleanBatch}`,
  },
};

const ready = new WeakMap<object, Promise<void>>();
const cleanedAt = new WeakMap<object, number>();

/**
 * Creates the table if it is missing; a database is checked once per process, again after a failure.
 *
 * @throws BatutaError EFFECTS_UNAVAILABLE
 */
export function ensureTable(driver: TransactionDriver<unknown>): Promise<void> | null {
  const known = ready.get(driver);
  if (known === done) return null;
  if (known) return known;
  const made = makeTable(driver).then(
    () => void ready.set(driver, done),
    (cause: unknown) => {
      ready.delete(driver);
      throw new BatutaError(
        'EFFECTS_UNAVAILABLE',
        `The table batuta_effects cannot be made or read in the ${names[driver.dialect]} database of the transaction: ${messageOf(cause)} ` +
          `Give its user the right to make tables, or make it by hand: ${oneLine(statements[driver.dialect].create[0] ?? '')}`,
        { cause, details: { dialect: driver.dialect } },
      );
    },
  );
  ready.set(driver, made);
  return made;
}

const done = Promise.resolve();
const names = { postgres: 'PostgreSQL', sqlite: 'SQLite', mysql: 'MySQL' } as const;

async function makeTable(driver: TransactionDriver<unknown>): Promise<void> {
  const { look, create } = statements[driver.dialect];
  // Checked first: users who may not create tables are refused even if it exists.
  if (
    await driver.query(look, []).then(
      () => true,
      () => false,
    )
  )
    return;
  try {
    for (const statement of create) await driver.query(statement, []);
  } catch (error) {
    // On PostgreSQL, concurrent creations of the same table do not see each other.
    if (
      !(await driver.query(look, []).then(
        () => true,
        () => false,
      ))
    )
      throw error;
  }
}

/** Within a transaction or by itself. */
type Asked = Pick<TransactionDriver<unknown>, 'query'> | Pick<OpenTransaction<unknown>, 'query'>;

/** The effect recorded under the key, null if none. */
export async function findEffect(asked: Asked, dialect: SqlDialect, key: EffectKey): Promise<RecordedEffect | null> {
  const [row] = await asked.query(statements[dialect].find, [key.runId, shortKey(key)]);
  return row === undefined ? null : { result: textOf(row['result']) };
}

/** The statement that records it within the transaction. Refused if another has recorded it. */
export function insertOf(dialect: SqlDialect, key: EffectKey, result: string | null): readonly [text: string, values: readonly SqlValue[]] {
  return [statements[dialect].insert, [key.runId, shortKey(key), result]];
}

/** Deletes it, so that the task may take effect again. */
export async function removeEffect(asked: Asked, dialect: SqlDialect, key: EffectKey): Promise<void> {
  await asked.query(statements[dialect].remove, [key.runId, shortKey(key)]);
}

/** Deletes the effect of a task run that was undone. @param value of the resource of its transaction */
export async function forgetEffect(value: unknown, key: EffectKey): Promise<void> {
  const driver = driverOf(value);
  if (driver !== undefined) await removeEffect(driver, driver.dialect, key);
}

/** Deletes expired records, at most once an hour and one batch at a time. Never rejects: the next user tries again. */
export function cleanEffects(driver: TransactionDriver<unknown>): Promise<void> | null {
  const now = systemClock.monotonic();
  const before = cleanedAt.get(driver);
  if (before !== undefined && now - before < cleanEveryMs) return null;
  cleanedAt.set(driver, now);
  return driver.query(statements[driver.dialect].clean, [driver.keepEffectsMs]).then(
    () => undefined,
    () => undefined,
  );
}

function shortKey({ taskKey }: EffectKey): string {
  return taskKey.length <= maxKeyLength ? taskKey : createHash('sha256').update(taskKey).digest('hex');
}

/** Drivers return long texts in different types. */
function textOf(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  return Buffer.isBuffer(value) ? value.toString('utf8') : String(value);
}

function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return /[.!?]$/.test(message) ? message : `${message}.`;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ');
}
