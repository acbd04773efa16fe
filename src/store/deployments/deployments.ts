/**
 * Deployments with their schedules and versions: what changes them.
 *
 * A deployment's row is the lock of all that belongs to it: whoever changes its schedules has changed or locked that row before. Whether
 * a schedule is active stands in its own row, so that what is due is found without looking at deployments.
 */
import { BatutaError } from '../../base/errors.ts';
import type { Connection, Query } from '../connection.ts';
import { forUpdate, listOf, listed } from '../sql.ts';
import { type Value, insertListed, replacedBy } from '../table.ts';
import { withdrawTicks } from '../ticks/withdraw.ts';
import type { DeploymentPut, DeploymentStore, LastRun, StoredDeployment } from './contract.ts';
import { deploymentTable, newScheduleTable, scheduleTable, versionOf, versionTable, type ScheduleRow, type VersionRow } from './tables.ts';
import { jsonText } from '../storable.ts';
import { readSchedule } from '../read-json.ts';

type ScheduleOf = Pick<ScheduleRow, 'id' | 'deployment'>;

/** Deployments of one statement. */
const chunkSize = 1_000;

/** Thrown inside the transaction, so that nothing of it stays; nobody outside sees it. */
class IsBehind extends BatutaError {
  constructor() {
    super('INTERNAL', 'Someone else has changed a deployment meanwhile.');
  }
}

/** Greatest that its column takes. */
const maxVersion = 2 ** 31 - 1;

export function deploymentStore(connection: Connection): DeploymentStore {
  const { query } = connection;
  const reading = (): Promise<typeof import('./read.ts')> => import('./read.ts');
  return {
    put: (puts, removals = []) => putAll(connection, puts, removals),
    get: async (name) => (await (await reading()).getDeployments(connection, [name]))[0] ?? null,
    getMany: async (names) => await (await reading()).getDeployments(connection, names),
    list: async (filter = {}) => await (await reading()).listDeployments(connection, filter),
    names: async (origin) => await (await reading()).deploymentNames(connection, origin),
    async versions(name, { limit = 1_000, before = maxVersion } = {}) {
      const rows = await query<VersionRow>(
        `select ${versionTable.list} from deployment_versions where deployment = $1 and version < $2 order by version desc limit $3`,
        [name, Math.min(before, maxVersion), Math.min(limit, 1_000)],
      );
      return rows.map(versionOf);
    },
    presentVersions: async (names) => await (await reading()).presentVersions(connection, names),
    lastRuns: async (names): Promise<ReadonlyMap<string, LastRun>> => await (await reading()).lastRuns(connection, names),
    pause: (name, slug, at) => connection.transaction((inside) => pause(connection, inside, name, slug, at)),
    async resume(name, slug, now) {
      // Loaded before the transaction begins, and not with the store: most processes read no schedule.
      const { nextAfter } = await import('../../model/schedule/schedule.ts');
      const tickAfter = (text: string): number | null => nextAfter(readSchedule(text), now);
      return await connection.transaction((inside) => resume(connection, inside, name, slug, tickAfter));
    },
    delete: (name) =>
      connection.transaction(async (inside) => {
        const gone = await inside('delete from deployments where name = $1 returning name', [name]);
        if (gone.length > 0) await deleteBelongings(connection, inside, [name]);
        return gone.length > 0;
      }),
    due: (options) => dueSchedules(connection, options),
  };
}

async function putAll(
  connection: Connection,
  puts: readonly DeploymentPut[],
  removals: readonly Pick<StoredDeployment, 'name' | 'version'>[],
): Promise<boolean> {
  // One order for all, so that two who put the same ones wait for each other instead of in a circle.
  const sorted = [...puts].sort((a, b) => (a.deployment.name < b.deployment.name ? -1 : 1));
  try {
    await connection.transaction(async (query) => {
      for (let start = 0; start < sorted.length; start += chunkSize) {
        await putChunk(connection, query, sorted.slice(start, start + chunkSize));
      }
      for (let start = 0; start < removals.length; start += chunkSize) {
        await removeChunk(connection, query, removals.slice(start, start + chunkSize));
      }
    });
    return true;
  } catch (error) {
    if (error instanceof IsBehind) return false;
    throw error;
  }
}

async function putChunk(connection: Connection, query: Query, puts: readonly DeploymentPut[]): Promise<void> {
  const { fragments } = connection;
  const names = listOf(puts.map(({ deployment }) => deployment.name));
  const written = await query(
    `${insertListed(deploymentTable, fragments, 1)} and (version = 1 or exists (select 1 from deployments as stored where stored.name = given.name))
     on conflict (name) do update set ${replacedBy(deploymentTable, 'id', 'name', 'paused_at', 'created_at')}
     where deployments.version = excluded.version - 1
     returning name`,
    [jsonText(puts.map(({ deployment }) => deploymentTable.values(deployment)))],
  );
  if (written.length < puts.length) throw new IsBehind();
  await dropSchedules(connection, query, puts, names);
  await query(
    `${insertListed(newScheduleTable, fragments, 1)}
     on conflict (deployment, slug) do update set schedule = excluded.schedule, params = excluded.params, jitter_ms = excluded.jitter_ms,
       next_tick_at = case when schedules.schedule = excluded.schedule and schedules.fault is null then schedules.next_tick_at
         else excluded.next_tick_at end, fault = null`,
    [jsonText(puts.flatMap((put) => put.schedules.map(({ fault: _, ...schedule }) => newScheduleTable.values(schedule))))],
  );
  await query(
    `update schedules set active = case when paused_at is null
         and exists (select 1 from deployments where deployments.name = schedules.deployment and deployments.paused_at is null) then 1 else 0 end
     where deployment in ${listed(connection, 1)}`,
    [names],
  );
  await query(`${insertListed(versionTable, fragments, 1)} on conflict do nothing`, [
    jsonText(
      puts.map(({ deployment: { name, version, flowVersion, updatedAt: at }, graph, spec }) =>
        versionTable.values({ deployment: name, version, flowVersion, at, graph, spec }),
      ),
    ),
  ]);
}

/**
 * Takes out schedules that are no longer declared, and what was made ahead of ticks of theirs or of another rule. Told apart here: SQLite
 * would go through the whole list for each of them.
 */
async function dropSchedules(connection: Connection, query: Query, puts: readonly DeploymentPut[], names: string): Promise<void> {
  const keyOf = (one: Pick<ScheduleRow, 'deployment' | 'slug'>): string => `${one.deployment} ${one.slug}`;
  const rules = new Map(puts.flatMap((put) => put.schedules.map((one) => [keyOf(one), jsonText(one.schedule)] as const)));
  const stored = await query<Pick<ScheduleRow, 'id' | 'deployment' | 'slug' | 'schedule'>>(
    `select id, deployment, slug, schedule from schedules where deployment in ${listed(connection, 1)}`,
    [names],
  );
  const changed = stored.filter((one) => rules.get(keyOf(one)) !== one.schedule);
  await withdraw(connection, query, changed);
  const dropped = changed.filter((one) => !rules.has(keyOf(one)));
  if (dropped.length === 0) return;
  await query(`delete from schedules where id in ${listed(connection, 1)}`, [listOf(dropped.map(({ id }) => id))]);
}

async function removeChunk(
  connection: Connection,
  query: Query,
  removals: readonly Pick<StoredDeployment, 'name' | 'version'>[],
): Promise<void> {
  const rows = jsonText(removals.map(({ name, version }) => [name, version]));
  const gone = await query<{ name: string }>(
    `delete from deployments
     where (name, version) in (select name, version from ${connection.fragments.list(1, { name: 'text', version: 'integer' })} as given)
     returning name`,
    [rows],
  );
  if (gone.length < removals.length) throw new IsBehind();
  await deleteBelongings(
    connection,
    query,
    gone.map(({ name }) => name),
  );
}

async function deleteBelongings(connection: Connection, query: Query, names: readonly string[]): Promise<void> {
  const ofThese = `where deployment in ${listed(connection, 1)}`;
  const schedules = await query<ScheduleOf>(`select id, deployment from schedules ${ofThese}`, [listOf(names)]);
  await withdraw(connection, query, schedules);
  for (const table of ['schedules', 'deployment_versions'] as const) await query(`delete from ${table} ${ofThese}`, [listOf(names)]);
}

/** What was made ahead of ticks that are not to be, or not as they were. */
async function withdraw(connection: Connection, query: Query, schedules: readonly ScheduleOf[]): Promise<void> {
  await withdrawTicks(
    connection,
    query,
    schedules.map(({ deployment }) => deployment),
    schedules.map(({ id }) => id),
  );
}

async function pause(connection: Connection, query: Query, name: string, slug: string | null, at: number): Promise<boolean> {
  if (slug === null) {
    const paused = await query('update deployments set paused_at = coalesce(paused_at, $2) where name = $1 returning name', [name, at]);
    if (paused.length > 0) {
      const schedules = await query<ScheduleOf>('update schedules set active = 0 where deployment = $1 returning id, deployment', [name]);
      await withdraw(connection, query, schedules);
    }
    return paused.length > 0;
  }
  await lockDeployment(connection, query, name);
  const paused = await query<ScheduleOf>(
    'update schedules set paused_at = coalesce(paused_at, $3), active = 0 where deployment = $1 and slug = $2 returning id, deployment',
    [name, slug, at],
  );
  await withdraw(connection, query, paused);
  return paused.length > 0;
}

async function resume(
  connection: Connection,
  query: Query,
  name: string,
  slug: string | null,
  tickAfter: (schedule: string) => number | null,
): Promise<boolean> {
  if (slug === null) {
    const resumed = await query('update deployments set paused_at = null where name = $1 returning name', [name]);
    if (resumed.length === 0) return false;
  } else {
    await lockDeployment(connection, query, name);
    const resumed = await query('update schedules set paused_at = null where deployment = $1 and slug = $2 returning id', [name, slug]);
    if (resumed.length === 0) return false;
  }
  const awake = await query<{ id: string; schedule: string }>(
    `select id, schedule from schedules where deployment = $1 and (active = 0 or fault is not null) and paused_at is null
       and exists (select 1 from deployments where deployments.name = schedules.deployment and deployments.paused_at is null)`,
    [name],
  );
  for (const { id, schedule } of awake) {
    await query('update schedules set active = 1, next_tick_at = $2, fault = null where id = $1', [id, tickAfter(schedule)]);
  }
  return true;
}

async function lockDeployment(connection: Connection, query: Query, name: string): Promise<void> {
  await query(`select name from deployments where name = $1 ${forUpdate(connection)}`, [name]);
}

/** See `DeploymentStore.due`; read by the index over what is due. */
async function dueSchedules(
  { query, dialect }: Connection,
  { deployment, after, limit }: Parameters<DeploymentStore['due']>[0],
): ReturnType<DeploymentStore['due']> {
  const params: Value[] = [limit];
  const bind = (value: Value): string => `$${params.push(value)}`;
  const wanted = ['active = 1', 'next_tick_at is not null'];
  if (deployment !== undefined) wanted.push(`deployment = ${bind(deployment)}`);
  if (after !== undefined) wanted.push(`(next_tick_at, id) > (${bind(after.nextTickAt)}, ${bind(after.id)})`);
  const table = dialect === 'sqlite' && deployment === undefined ? 'schedules indexed by schedules_due' : 'schedules';
  const rows = await query<ScheduleRow>(
    `select ${scheduleTable.list} from ${table} where ${wanted.join(' and ')} order by next_tick_at, id limit $1`,
    params,
  );
  return rows.map(scheduleTable.read);
}
