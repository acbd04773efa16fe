/**
 * Deployments with their schedules and versions: what changes them.
 *
 * A deployment's row is the lock of all that belongs to it: anyone who changes its schedules has changed or locked that row before. Whether
 * a schedule is active is stored in its own row, so that due ones are found without reading deployments.
 */
import { getDeployments, listDeployments, deploymentNames, presentVersions, lastRuns } from './read.ts';
import type { Database, Connection } from '../connection.ts';
import { BatutaError } from '../../base/errors.ts';
import { forUpdate, listOf, listed, selectAll } from '../sql.ts';
import { type Value, insertListed, replacedBy } from '../table.ts';
import { withdrawTicks } from '../ticks/held.ts';
import type { DeploymentPut, DeploymentStore, LastRun, StoredDeployment } from './contract.ts';
import { deploymentTable, newScheduleTable, scheduleTable, versionTable, type ScheduleRow } from './tables.ts';
import { jsonText } from '../storable.ts';
import { beginAnew, dropTriggersOf, lockTriggers, putTriggers } from '../triggers/keep.ts';
import { readSchedule } from '../read-json.ts';

type ScheduleOf = Pick<ScheduleRow, 'id' | 'deployment'>;

/** Deployments per statement. */
const chunkSize = 1_000;

/** Thrown inside the transaction to undo it; never leaves this file. */
class IsBehind extends BatutaError {
  constructor() {
    super('INTERNAL', 'Someone else has changed a deployment meanwhile.');
  }
}

/** Largest value of its column. */
const maxVersion = 2 ** 31 - 1;

export function deploymentStore(connection: Connection): DeploymentStore {
  return {
    put: (puts, removals = []) => putAll(connection, puts, removals),
    get: async (name) => (await getDeployments(connection, [name]))[0] ?? null,
    getMany: (names) => getDeployments(connection, names),
    list: (filter = {}) => listDeployments(connection, filter),
    names: (origin) => deploymentNames(connection, origin),
    versions: (name, { limit = 1_000, before = maxVersion } = {}) =>
      selectAll(connection, versionTable, 'where deployment = $1 and version < $2 order by version desc limit $3', [
        ...[name, Math.min(before, maxVersion), Math.min(limit, 1_000)],
      ]),
    presentVersions: (names) => presentVersions(connection, names),
    lastRuns: (names): Promise<ReadonlyMap<string, LastRun>> => lastRuns(connection, names),
    pause: (name, slug, at) => connection.transaction((db) => pause(db, name, slug, at)),
    async resume(name, slug, now) {
      // Loaded before the transaction begins, and not with the store: most processes read no schedule.
      const { nextAfter } = await import('../../model/schedule/schedule.ts');
      const tickAfter = (text: string): number | null => nextAfter(readSchedule(text), now);
      return await connection.transaction((db) => resume(db, name, slug, tickAfter));
    },
    delete: (name) =>
      connection.transaction(async (db) => {
        await lockTriggers(db, [name]);
        const gone = await db.query('delete from deployments where name = $1 returning name', [name]);
        if (gone.length > 0) await deleteBelongings(db, [name]);
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
  // One order for all, so that two putting the same ones do not deadlock.
  const sorted = [...puts].sort((a, b) => (a.deployment.name < b.deployment.name ? -1 : 1));
  try {
    await connection.transaction(async (db) => {
      const names = [...puts.map(({ deployment }) => deployment.name), ...removals.map(({ name }) => name)];
      await lockTriggers(
        db,
        names,
        puts.some(({ triggers = [] }) => triggers.length > 0),
      );
      for (let start = 0; start < sorted.length; start += chunkSize) {
        await putChunk(db, sorted.slice(start, start + chunkSize));
      }
      for (let start = 0; start < removals.length; start += chunkSize) {
        await removeChunk(db, removals.slice(start, start + chunkSize));
      }
    });
    return true;
  } catch (error) {
    if (error instanceof IsBehind) return false;
    throw error;
  }
}

async function putChunk(db: Database, puts: readonly DeploymentPut[]): Promise<void> {
  const { fragments } = db;
  const names = listOf(puts.map(({ deployment }) => deployment.name));
  const written = await db.query(
    `${insertListed(deploymentTable, fragments, 1)} and (version = 1 or exists (select 1 from deployments as stored where stored.name = given.name))
     on conflict (name) do update set ${replacedBy(deploymentTable, 'id', 'name', 'paused_at', 'created_at')}
     where deployments.version = excluded.version - 1
     returning name`,
    [jsonText(puts.map(({ deployment }) => deploymentTable.values(deployment)))],
  );
  if (written.length < puts.length) throw new IsBehind();
  await dropSchedules(db, puts, names);
  await db.query(
    `${insertListed(newScheduleTable, fragments, 1)}
     on conflict (deployment, slug) do update set schedule = excluded.schedule, params = excluded.params, jitter_ms = excluded.jitter_ms,
       next_tick_at = case when schedules.schedule = excluded.schedule and schedules.fault is null then schedules.next_tick_at
         else excluded.next_tick_at end, fault = null`,
    [jsonText(puts.flatMap((put) => put.schedules.map(({ fault: _, ...schedule }) => newScheduleTable.values(schedule))))],
  );
  await db.query(
    `update schedules set active = case when paused_at is null
         and exists (select 1 from deployments where deployments.name = schedules.deployment and deployments.paused_at is null) then 1 else 0 end
     where deployment in ${listed(db, 1)}`,
    [names],
  );
  await putTriggers(
    db,
    puts.map(({ deployment }) => deployment.name),
    puts.flatMap((put) => put.triggers ?? []),
  );
  await db.query(`${insertListed(versionTable, fragments, 1)} on conflict do nothing`, [
    jsonText(
      puts.map(({ deployment: { name, version, flowVersion, updatedAt: at }, graph, spec }) =>
        versionTable.values({ deployment: name, version, flowVersion, at, graph, spec }),
      ),
    ),
  ]);
}

/**
 * Removes undeclared schedules, and runs made ahead for them or for a changed rule. Compared here: SQLite would scan the whole list for
 * each.
 */
async function dropSchedules(db: Database, puts: readonly DeploymentPut[], names: string): Promise<void> {
  const keyOf = (one: Pick<ScheduleRow, 'deployment' | 'slug'>): string => `${one.deployment} ${one.slug}`;
  const rules = new Map(puts.flatMap((put) => put.schedules.map((one) => [keyOf(one), jsonText(one.schedule)] as const)));
  const stored = await db.query<Pick<ScheduleRow, 'id' | 'deployment' | 'slug' | 'schedule'>>(
    `select id, deployment, slug, schedule from schedules where deployment in ${listed(db, 1)}`,
    [names],
  );
  const changed = stored.filter((one) => rules.get(keyOf(one)) !== one.schedule);
  await withdraw(db, changed);
  const dropped = changed.filter((one) => !rules.has(keyOf(one)));
  if (dropped.length === 0) return;
  await db.query(`delete from schedules where id in ${listed(db, 1)}`, [listOf(dropped.map(({ id }) => id))]);
}

async function removeChunk(db: Database, removals: readonly Pick<StoredDeployment, 'name' | 'version'>[]): Promise<void> {
  const rows = jsonText(removals.map(({ name, version }) => [name, version]));
  const gone = await db.query<{ name: string }>(
    `delete from deployments
     where (name, version) in (select name, version from ${db.fragments.list(1, { name: 'text', version: 'integer' })} as given)
     returning name`,
    [rows],
  );
  if (gone.length < removals.length) throw new IsBehind();
  await deleteBelongings(
    db,
    gone.map(({ name }) => name),
  );
}

async function deleteBelongings(db: Database, names: readonly string[]): Promise<void> {
  const ofThese = `where deployment in ${listed(db, 1)}`;
  const schedules = await db.query<ScheduleOf>(`select id, deployment from schedules ${ofThese}`, [listOf(names)]);
  await withdraw(db, schedules);
  await dropTriggersOf(db, names);
  for (const table of ['schedules', 'deployment_versions'] as const) await db.query(`delete from ${table} ${ofThese}`, [listOf(names)]);
}

/** Runs made ahead for ticks that were removed or changed. */
async function withdraw(db: Database, schedules: readonly ScheduleOf[]): Promise<void> {
  await withdrawTicks(
    db,
    schedules.map(({ deployment }) => deployment),
    schedules.map(({ id }) => id),
  );
}

async function pause(db: Database, name: string, slug: string | null, at: number): Promise<boolean> {
  if (slug === null) {
    const paused = await db.query('update deployments set paused_at = coalesce(paused_at, $2) where name = $1 returning name', [name, at]);
    if (paused.length > 0) {
      const schedules = await db.query<ScheduleOf>('update schedules set active = 0 where deployment = $1 returning id, deployment', [
        name,
      ]);
      await withdraw(db, schedules);
    }
    return paused.length > 0;
  }
  await lockDeployment(db, name);
  const paused = await db.query<ScheduleOf>(
    'update schedules set paused_at = coalesce(paused_at, $3), active = 0 where deployment = $1 and slug = $2 returning id, deployment',
    [name, slug, at],
  );
  await withdraw(db, paused);
  return paused.length > 0;
}

async function resume(db: Database, name: string, slug: string | null, tickAfter: (schedule: string) => number | null): Promise<boolean> {
  if (slug === null) {
    await lockTriggers(db, [name]);
    const resumed = await db.query('update deployments set paused_at = null where name = $1 returning name', [name]);
    if (resumed.length === 0) return false;
    await beginAnew(db, name);
  } else {
    await lockDeployment(db, name);
    const resumed = await db.query('update schedules set paused_at = null where deployment = $1 and slug = $2 returning id', [name, slug]);
    if (resumed.length === 0) return false;
  }
  const awake = await db.query<{ id: string; schedule: string }>(
    `select id, schedule from schedules where deployment = $1 and (active = 0 or fault is not null) and paused_at is null
       and exists (select 1 from deployments where deployments.name = schedules.deployment and deployments.paused_at is null)`,
    [name],
  );
  for (const { id, schedule } of awake) {
    await db.query('update schedules set active = 1, next_tick_at = $2, fault = null where id = $1', [id, tickAfter(schedule)]);
  }
  return true;
}

async function lockDeployment(db: Database, name: string): Promise<void> {
  await db.query(`select name from deployments where name = $1 ${forUpdate(db)}`, [name]);
}

/** See `DeploymentStore.due`; read by the index over due schedules. */
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
