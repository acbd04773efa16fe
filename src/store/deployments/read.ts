/** Reading deployments: by name, by filter, with their newest runs. */
import { pageOf, placeOf, limitOf } from '../lists/cursor.ts';
import {
  deploymentOf,
  deploymentTable,
  scheduleTable,
  versionOf,
  versionTable,
  type DeploymentRow,
  type ScheduleRow,
  type VersionRow,
} from './tables.ts';
import type { Deployment, DeploymentVersion } from '../../model/deployment.ts';
import type { Connection } from '../connection.ts';
import type { RunRow } from '../tables.ts';
import type { Page } from '../store.ts';
import type { DeploymentFilter, LastRun, StoredDeployment } from './contract.ts';
import { Params, listOf, listed } from '../sql.ts';
import { columnsOf } from '../table.ts';
import { jsonText } from '../storable.ts';
import { triggerTable, type TriggerRow } from '../triggers/tables.ts';

/** See `DeploymentStore.getMany`. */
export async function getDeployments(connection: Connection, names: readonly string[]): Promise<StoredDeployment[]> {
  const rows = await connection.query<DeploymentRow>(
    `select ${deploymentTable.list} from deployments where name in ${listed(connection, 1)} order by name`,
    [listOf(names)],
  );
  return await withBelongings(connection, rows);
}

/** See `DeploymentStore.list`. @throws BatutaError FILTER_INVALID */
export async function listDeployments(connection: Connection, filter: DeploymentFilter): Promise<Page<StoredDeployment>> {
  const limit = limitOf(filter.limit, 50, 1000);
  const params = new Params();
  const conditions = conditionsOf(params, filter, connection.dialect);
  const text = `select ${deploymentTable.list} from deployments where ${conditions.join(' and ')} order by name limit ${limit + 1}`;
  const rows = await connection.query<DeploymentRow>(text, params.values);
  const page = pageOf(
    rows,
    limit,
    (row) => row,
    ({ name: id }) => ({ createdAt: 0, id }),
  );
  return { ...page, items: await withBelongings(connection, page.items) };
}

/** See `DeploymentStore.names`. */
export async function deploymentNames(
  connection: Connection,
  origin: Deployment['origin'] | undefined,
): Promise<readonly Pick<Deployment, 'name' | 'version'>[]> {
  const where = origin === undefined ? '' : 'where origin = $1';
  return await connection.query(`select name, version from deployments ${where} order by name`, origin === undefined ? [] : [origin]);
}

/** See `DeploymentStore.presentVersions`. */
export async function presentVersions(connection: Connection, names: readonly string[]): Promise<readonly DeploymentVersion[]> {
  const rows = await connection.query<VersionRow>(
    `select ${columnsOf(versionTable)} from deployments
     join deployment_versions on deployment_versions.deployment = deployments.name and deployment_versions.version = deployments.version
     where deployments.name in ${listed(connection, 1)} order by deployments.name`,
    [listOf(names)],
  );
  return rows.map(versionOf);
}

/** See `DeploymentStore.lastRuns`. */
export async function lastRuns(connection: Connection, names: readonly string[]): Promise<ReadonlyMap<string, LastRun>> {
  const rows = await connection.query<RunRow>(
    `select runs.id, runs.name, runs.deployment, runs.state_type, runs.state_name, runs.state_message, runs.scheduled_for, runs.created_at,
       runs.started_at, runs.ended_at
     from ${connection.fragments.list(1, { name: 'text' })} as listed
     join runs on runs.id = (
       select newest.id from runs as newest where newest.deployment = listed.name order by newest.created_at desc, newest.id desc limit 1)`,
    [listOf(names)],
  );
  return new Map(rows.map((row) => [row.deployment ?? '', lastRunOf(row)]));
}

function lastRunOf(row: RunRow): LastRun {
  return {
    id: row.id,
    name: row.name,
    state: { type: row.state_type, name: row.state_name, message: row.state_message },
    scheduledFor: row.scheduled_for,
    createdAt: row.created_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
  };
}

async function withBelongings(connection: Connection, rows: readonly DeploymentRow[]): Promise<StoredDeployment[]> {
  if (rows.length === 0) return [];
  const found = await connection.query<ScheduleRow>(
    `select ${scheduleTable.list} from schedules where deployment in ${listed(connection, 1)} order by deployment, slug`,
    [listOf(rows.map(({ name }) => name))],
  );
  const fired = await connection.query<TriggerRow>(
    `select ${triggerTable.list} from triggers where deployment in ${listed(connection, 1)} order by deployment, slug`,
    [listOf(rows.map(({ name }) => name))],
  );
  const [schedules, triggers] = [byDeployment(found), byDeployment(fired)];
  return rows.map((row) => {
    const own = triggers.get(row.name);
    return {
      ...deploymentOf(row),
      schedules: (schedules.get(row.name) ?? []).map(scheduleTable.read),
      ...(own === undefined ? {} : { triggers: own.map(triggerTable.read) }),
    };
  });
}

function byDeployment<Row extends { readonly deployment: string }>(rows: readonly Row[]): ReadonlyMap<string, readonly Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const others = groups.get(row.deployment);
    if (others) others.push(row);
    else groups.set(row.deployment, [row]);
  }
  return groups;
}

function conditionsOf(params: Params, { flow, tag, paused, search, cursor }: DeploymentFilter, dialect: Connection['dialect']): string[] {
  const conditions = ['1 = 1'];
  if (flow !== undefined) conditions.push(`flow = ${params.add(flow)}`);
  if (paused !== undefined) conditions.push(`paused_at is ${paused ? 'not null' : 'null'}`);
  if (search !== undefined && search !== '') conditions.push(`lower(name) like ${params.add(patternOf(search))} escape '!'`);
  if (cursor !== undefined) conditions.push(`name > ${params.add(placeOf(cursor).id)}`);
  if (tag !== undefined) {
    // Searched as text within the list: a row with an unreadable list fails no query.
    const place = dialect === 'sqlite' ? 'instr' : 'strpos';
    const [first, later] = [`[${jsonText(tag)}`, `,${jsonText(tag)}`].map((text) => params.add(text));
    conditions.push(`(${place}(tags, ${first}) = 1 or ${place}(tags, ${later}) > 0)`);
  }
  return conditions;
}

function patternOf(search: string): string {
  return `%${search.toLowerCase().replace(/[!%_]/g, '!$&')}%`;
}
