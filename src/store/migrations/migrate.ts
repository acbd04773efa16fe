/**
 * Brings the schema up to date, forward only.
 *
 * Each migration is one transaction, locked against every other migrating process (SQLite: the write lock, PostgreSQL: an advisory lock),
 * and reads the version again once it has the lock. A crash leaves whole migrations.
 */
import type { Database, Connection } from '../connection.ts';
import { BatutaError } from '../../base/errors.ts';
import type { SchemaReport } from '../store.ts';
import { runs } from './0001-runs.ts';
import { tickets } from './0002-tickets.ts';
import { fleet } from './0003-fleet.ts';
import { signals } from './0004-signals.ts';
import { spread } from './0005-spread.ts';
import { deployments } from './0006-deployments.ts';
import { limits } from './0007-limits.ts';
import { lists } from './0008-lists.ts';
import { access } from './0009-access.ts';
import { events } from './0010-events.ts';
import { owedHooks } from './0011-owed-hooks.ts';
import { idEnds } from './0012-id-ends.ts';
import { faults } from './0013-faults.ts';
import { failures } from './0014-failures.ts';
import { failedAttempts } from './0015-failed-attempts.ts';
import { suspects } from './0016-suspects.ts';
import { given } from './0017-given.ts';
import { runTimes } from './0018-run-times.ts';
import { dueRuns } from './0019-due-runs.ts';
import { onTrial } from './0020-on-trial.ts';
import { endedIdEnds } from './0021-ended-id-ends.ts';
import { cache } from './0023-cache.ts';
import { rollbacks } from './0024-rollbacks.ts';
import { secrets } from './0025-secrets.ts';
import { results } from './0027-results.ts';
import { resourceUses } from './0028-resource-uses.ts';
import { streamPositions } from './0031-stream-positions.ts';
import { reports } from './0033-reports.ts';
import { artifactVersions } from './0035-artifact-versions.ts';
import { taskUsage } from './0037-task-usage.ts';
import { inbox } from './0039-inbox.ts';
import { triggers } from './0041-triggers.ts';
import { webhooks } from './0042-webhooks.ts';
import { runExpiries } from './0044-run-expiries.ts';
import { debounces } from './0045-debounces.ts';
import { reportTokens } from './0046-report-tokens.ts';
import { rates } from './0047-rates.ts';
import { alerts } from './0049-alerts.ts';
import { errorMarks } from './0050-error-marks.ts';
import { emissions } from './0053-emissions.ts';
import { ratePlaces } from './0054-rate-places.ts';
import { slots } from './0056-slots.ts';
import { fairness } from './0057-fairness.ts';
import { runPins } from './0059-run-pins.ts';
import { alertAttempts } from './0062-alert-attempts.ts';
import { parked } from './0063-parked.ts';
import type { Migration } from './migration.ts';

/** All of them, in order. */
export const migrations: readonly Migration[] = [
  runs,
  tickets,
  fleet,
  signals,
  spread,
  deployments,
  limits,
  lists,
  access,
  events,
  owedHooks,
  idEnds,
  faults,
  failures,
  failedAttempts,
  suspects,
  given,
  runTimes,
  dueRuns,
  onTrial,
  endedIdEnds,
  cache,
  rollbacks,
  secrets,
  results,
  resourceUses,
  streamPositions,
  reports,
  artifactVersions,
  taskUsage,
  inbox,
  triggers,
  webhooks,
  runExpiries,
  debounces,
  reportTokens,
  rates,
  alerts,
  errorMarks,
  emissions,
  ratePlaces,
  slots,
  fairness,
  runPins,
  alertAttempts,
  parked,
];

const newest = Math.max(...migrations.map(({ number }) => number));

/** Version of the schema in the database; 0 if it is empty. @throws BatutaError STORE_… */
export async function schemaVersion(connection: Connection): Promise<number> {
  return await versionBy(connection);
}

/**
 * Refuses a schema that this version does not know.
 *
 * @throws BatutaError STORE_NEWER
 */
export function refuseNewer(version: number, where: string): void {
  if (version <= newest) return;
  throw new BatutaError(
    'STORE_NEWER',
    `The database ${where} has schema ${version}, and this Batuta knows only up to ${newest}. Install a newer Batuta, or choose another database.`,
    { details: { store: where, found: version, known: newest } },
  );
}

/** Applies what is missing. @throws BatutaError STORE_NEWER, STORE_… */
export async function migrate(connection: Connection): Promise<SchemaReport> {
  const before = await schemaVersion(connection);
  refuseNewer(before, connection.url);
  const applied: string[] = [];
  for (const migration of migrations) {
    if (migration.number > before && (await apply(connection, migration))) applied.push(`${migration.number} ${migration.name}`);
  }
  return { before, after: Math.max(before, newest), applied };
}

async function apply(connection: Connection, migration: Migration): Promise<boolean> {
  return await connection.migration(async (db) => {
    const { query } = db;
    const version = await versionBy(db);
    refuseNewer(version, connection.url);
    if (version >= migration.number) return false;
    if (version === 0) await query(`create table if not exists batuta_schema (version integer not null)`);
    for (const statement of migration.statements(connection.dialect, connection.fragments)) await query(statement);
    await query(version === 0 ? 'insert into batuta_schema (version) values ($1)' : 'update batuta_schema set version = $1', [
      migration.number,
    ]);
    return true;
  });
}

async function versionBy({ query, dialect }: Database): Promise<number> {
  const [table] = await query(
    dialect === 'sqlite'
      ? `select 1 as found from sqlite_master where type = 'table' and name = 'batuta_schema'`
      : // Not to_regclass: it may answer from what the session remembers of before it waited for the lock.
        `select 1 as found from pg_catalog.pg_tables where schemaname = any (current_schemas(false)) and tablename = 'batuta_schema'`,
  );
  if (table === undefined) return 0;
  const [row] = await query<{ version: number }>('select max(version) as version from batuta_schema');
  return row?.version ?? 0;
}
