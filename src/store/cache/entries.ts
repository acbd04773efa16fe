/** Entries of the cache as people see them, and their removal. */
import type { Connection, Database } from '../connection.ts';
import { limitOf, pageOf, placeOf } from '../lists/cursor.ts';
import { patternOf } from '../lists/run-filter.ts';
import type { Page } from '../lists/contract.ts';
import { clockOf, listed, listOf, Params } from '../sql.ts';
import { holderOf, looseOf } from './kept-results.ts';
import type { CachedValue, CacheEntry, CacheFilter, CachePageFilter, CacheTotals, RemovedEntries } from './contract.ts';

/** Entries per transaction. */
const batchEntries = 500;

const columns = `id, flow, task, version, scope_run_id as "scopeRunId", shown, run_id as "runId", task_run_id as "taskRunId", made_at as "madeAt",
  expires_at as "expiresAt", bytes, hits, misses, waits, used_at as "usedAt", claim_run_id as "makingRunId"`;

/** See `CacheStore.list`. */
export async function listEntries({ query }: Connection, filter: CachePageFilter & { readonly at: number }): Promise<Page<CacheEntry>> {
  const limit = limitOf(filter.limit, 50, 1000);
  const params = new Params();
  const conditions = conditionsOf(params, filter);
  if (filter.cursor !== undefined) {
    const place = placeOf(filter.cursor);
    conditions.push(`(used_at, id) < (${params.add(place.createdAt)}, ${params.add(place.id)})`);
  }
  const rows = await query<CacheEntry>(
    `select ${columns} from cache_entries ${whereOf(conditions)} order by used_at desc, id desc limit ${limit + 1}`,
    params.values,
  );
  return pageOf(
    rows,
    limit,
    (row) => row,
    ({ usedAt, id }) => ({ createdAt: usedAt, id }),
  );
}

/** See `CacheStore.get`. */
export async function getEntry(
  { query }: Connection,
  id: string,
): Promise<(CacheEntry & Pick<CachedValue, 'result' | 'resultRef'>) | null> {
  const params = new Params();
  const [entry, other] = await query<CacheEntry & Pick<CachedValue, 'result' | 'resultRef'>>(
    `select ${columns}, result, result_ref as "resultRef" from cache_entries where ${idCondition(params, id)} limit 2`,
    params.values,
  );
  return entry === undefined || other !== undefined ? null : entry;
}

/** See `CacheStore.totals`. */
export async function totalsOf({ query }: Connection): Promise<CacheTotals> {
  const [totals] = await query<CacheTotals>(
    `select count(*) as entries, coalesce(sum(bytes), 0) as bytes, coalesce(sum(hits), 0) as hits, coalesce(sum(misses), 0) as misses,
       coalesce(sum(waits), 0) as waits from cache_entries`,
  );
  const count = (value: unknown): number => Number(value ?? 0);
  return {
    entries: count(totals?.entries),
    bytes: count(totals?.bytes),
    hits: count(totals?.hits),
    misses: count(totals?.misses),
    waits: count(totals?.waits),
  };
}

/** See `CacheStore.remove`. */
export function removeEntries(connection: Connection, filter: CacheFilter & { readonly at: number }): Promise<RemovedEntries> {
  return removeBatches(connection, (params) => conditionsOf(params, filter));
}

/** See `CacheStore.expire`. */
export async function expireEntries(connection: Connection, at: number, keepMs: number | null): Promise<RemovedEntries> {
  const ended = await removeBatches(connection, (params) => [`expires_at <= ${params.add(at)}`]);
  if (keepMs === null) return ended;
  const unused = await removeBatches(connection, (params) => ['expires_at is null', `used_at < ${params.add(at - keepMs)}`]);
  return { entries: ended.entries + unused.entries, resultRefs: [...ended.resultRefs, ...unused.resultRefs] };
}

async function removeBatches(connection: Connection, conditions: (params: Params) => string[]): Promise<RemovedEntries> {
  const resultRefs: string[] = [];
  let entries = 0;
  for (let after = ''; ; ) {
    const batch = await connection.transaction(async (db) => {
      const params = new Params();
      const where = [...conditions(params), `id > ${params.add(after)}`];
      const lock = db.dialect === 'sqlite' ? '' : 'for update';
      const found = await db.query<{ id: string }>(
        `select id from cache_entries ${whereOf(where)} order by id limit ${batchEntries} ${lock}`,
        params.values,
      );
      const ids = found.map(({ id }) => id);
      return { ids, loose: await removeWithin(db, ids) };
    });
    resultRefs.push(...batch.loose);
    entries += batch.ids.length;
    after = batch.ids.at(-1) ?? after;
    if (batch.ids.length < batchEntries) return { entries, resultRefs };
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

/** Inside a transaction. Returns the keys in the result storage that are no longer referenced. */
export async function removeWithin(db: Database, ids: readonly string[]): Promise<readonly string[]> {
  if (ids.length === 0) return [];
  const these = listOf(ids);
  const now = await clockOf(db);
  // An entry being made stays, for others to wait on; its coming value is a new one.
  await db.query(
    `update cache_entries set run_id = null, task_run_id = null, made_at = null, expires_at = null, bytes = null, result = null, result_ref = null
     where id in ${listed(db, 1)} and owner is not null and lease_until > $2`,
    [these, now],
  );
  await db.query(`delete from cache_entries where id in ${listed(db, 1)} and (owner is null or lease_until <= $2)`, [these, now]);
  const keys = await db.query<{ key: string }>(`delete from results where run_id in ${listed(db, 1)} returning key`, [
    listOf(ids.map(holderOf)),
  ]);
  return await looseOf(
    db,
    keys.map(({ key }) => key),
  );
}

/** Inside the transaction that deletes these runs: entries scoped to them. Returns keys they referenced. */
export async function removeOfRuns(db: Database, runIds: string): Promise<readonly string[]> {
  const gone = await db.query<{ id: string }>(`delete from cache_entries where scope_run_id in ${listed(db, 1)} returning id`, [runIds]);
  if (gone.length === 0) return [];
  const keys = await db.query<{ key: string }>(`delete from results where run_id in ${listed(db, 1)} returning key`, [
    listOf(gone.map(({ id }) => holderOf(id))),
  ]);
  return keys.map(({ key }) => key);
}

function conditionsOf(params: Params, { flow, task, key, expired, at }: CacheFilter & { readonly at: number }): string[] {
  const conditions: string[] = [];
  if (flow !== undefined) conditions.push(`flow = ${params.add(flow)}`);
  if (task !== undefined) conditions.push(`task = ${params.add(task)}`);
  if (key !== undefined) conditions.push(`(${idCondition(params, key)} or lower(shown) like ${params.add(patternOf(key))} escape '\\')`);
  if (expired === true) conditions.push(`expires_at <= ${params.add(at)}`);
  if (expired === false) conditions.push(`made_at is not null and (expires_at is null or expires_at > ${params.add(at)})`);
  return conditions;
}

function idCondition(params: Params, id: string): string {
  if (/^[0-9a-f]{4,31}$/.test(id)) return `(id >= ${params.add(id)} and id < ${params.add(`${id}g`)})`;
  return `id = ${params.add(id)}`;
}

function whereOf(conditions: readonly string[]): string {
  return conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`;
}
