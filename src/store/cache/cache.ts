/** The cache of values: finding, claiming and filling its entries. What people see of it is in `entries.ts`. */
import type { Connection } from '../connection.ts';
import { renewLeases } from '../leases/leases.ts';
import type { CacheClaim } from '../ownership.ts';
import { parseRef } from '../../model/result-ref.ts';
import { readOwner } from '../read-json.ts';
import { listed, listOf } from '../sql.ts';
import { jsonText } from '../storable.ts';
import { insertText } from '../table.ts';
import { resultTable, resultValues } from '../tables.ts';
import type { CachedValue, CacheStore, ClaimWish, CountedUse, FoundEntry } from './contract.ts';
import { holderOf, looseOf } from './kept-results.ts';
import { expireEntries, getEntry, listEntries, removeEntries, totalsOf } from './entries.ts';

interface FoundRow {
  readonly id: string;
  readonly owner: string | null;
  readonly is_over: number;
  readonly claim_run_id: string | null;
  readonly run_id: string | null;
  readonly task_run_id: string | null;
  readonly made_at: number | null;
  readonly expires_at: number | null;
  readonly hits: number;
  readonly misses: number;
  readonly result: string | null;
  readonly result_ref: string | null;
}

export function cacheStore(connection: Connection): CacheStore {
  const { fragments } = connection;
  const columns = `id, owner, case when lease_until <= ${fragments.now(1)} then 1 else 0 end as is_over, claim_run_id, run_id, task_run_id,
    made_at, expires_at, hits, misses, result, result_ref`;
  const foundOne = `select ${columns} from cache_entries where id = $2 limit 1`;
  const found = `select ${columns} from cache_entries where id in ${listed(connection, 2)}`;
  return {
    async find(ids) {
      const isOne = ids.length === 1;
      const rows = await connection.prepared<FoundRow>(isOne ? foundOne : found, [
        connection.now(),
        isOne ? (ids[0] ?? null) : listOf(ids),
      ]);
      return rows.map(entryOf);
    },
    claim: (wish) => claimEntry(connection, wish),
    renew: (claims, leaseMs) => renewLeases(connection, { table: 'cache_entries' }, claims, leaseMs),
    put: (claim, value, onLoose) => putValue(connection, claim, value, onLoose),
    async release({ entryId, epoch }) {
      await connection.query(`update cache_entries set ${unclaimed} where id = $1 and epoch = $2`, [entryId, epoch]);
    },
    count: (uses) => countUses(connection, uses),
    list: (filter) => listEntries(connection, filter),
    get: (id) => getEntry(connection, id),
    totals: () => totalsOf(connection),
    remove: (filter) => removeEntries(connection, filter),
    expire: (at, keepMs) => expireEntries(connection, at, keepMs),
  };
}

const unclaimed = 'owner = null, lease_until = null, claim_run_id = null, claim_task_run_id = null';

function entryOf(row: FoundRow): FoundEntry {
  const { id, hits, misses, run_id: runId, task_run_id: taskRunId, made_at: madeAt } = row;
  const value: CachedValue | null =
    madeAt === null || runId === null || taskRunId === null
      ? null
      : { runId, taskRunId, madeAt, expiresAt: row.expires_at, result: row.result, resultRef: row.result_ref };
  const isMade = row.owner !== null;
  const maker = isMade ? { owner: readOwner(row.owner), runId: row.claim_run_id, isOver: row.is_over === 1 } : null;
  return { id, hits, misses, value, maker };
}

/** See `CacheStore.claim`. */
async function claimEntry(connection: Connection, wish: ClaimWish): Promise<CacheClaim | null> {
  const { key, owner, leaseMs, runId, taskRunId, at, madeAfter, gone } = wish;
  const now = connection.fragments.now(1);
  const [claimed] = await connection.query<{ epoch: number }>(
    `insert into cache_entries (id, flow, task, version, scope_run_id, shown, epoch, owner, lease_until, claim_run_id, claim_task_run_id,
       hits, misses, waits, used_at)
     values ($4, $5, $6, $7, $8, $9, 1, $3, ${now} + $2, $10, $11, 0, 1, 0, $12)
     on conflict (id) do update set epoch = cache_entries.epoch + 1, owner = excluded.owner, lease_until = excluded.lease_until,
       claim_run_id = excluded.claim_run_id, claim_task_run_id = excluded.claim_task_run_id, misses = cache_entries.misses + 1, used_at = excluded.used_at
     where (cache_entries.owner is null or cache_entries.lease_until <= ${now} or cache_entries.owner = $14)
       and (cache_entries.made_at is null or cache_entries.expires_at <= $12 or cache_entries.made_at <= $13)
     returning epoch`,
    [
      ...[
        connection.now(),
        leaseMs,
        jsonText(owner),
        key.id,
        key.flow,
        key.task,
        key.version,
        key.scopeRunId,
        key.shown,
        runId,
        taskRunId,
        at,
      ],
      ...[madeAfter, gone === null ? null : jsonText(gone)],
    ],
  );
  return claimed === undefined ? null : { entryId: key.id, epoch: claimed.epoch };
}

/** See `CacheStore.put`. */
async function putValue(
  connection: Connection,
  { entryId, epoch }: CacheClaim,
  value: CachedValue,
  onLoose: (resultRef: string) => void,
): Promise<boolean> {
  const { runId, taskRunId, madeAt, expiresAt, result, resultRef } = value;
  const written = await connection.transaction(async (db) => {
    const [before] = await db.query<{ key: string | null }>(
      `select result_ref as key from cache_entries where id = $1 and epoch = $2 ${db.dialect === 'sqlite' ? '' : 'for no key update'}`,
      [entryId, epoch],
    );
    if (before === undefined) return null;
    await db.query(
      `update cache_entries set ${unclaimed}, run_id = $3, task_run_id = $4, made_at = $5, expires_at = $6, bytes = $7, used_at = $5,
         result = $8, result_ref = $9 where id = $1 and epoch = $2`,
      [entryId, epoch, runId, taskRunId, madeAt, expiresAt, result === null ? null : Buffer.byteLength(result), result, resultRef],
    );
    const left = before.key === null ? null : parseRef(before.key).locator;
    const isLeft = left !== null && (resultRef === null || left !== parseRef(resultRef).locator);
    if (isLeft) await db.query('delete from results where run_id = $1 and key = $2', [holderOf(entryId), left]);
    if (resultRef !== null)
      await db.query(
        `${insertText(resultTable)} on conflict (run_id, key) do update set bytes = excluded.bytes, sha256 = excluded.sha256`,
        resultValues(holderOf(entryId), resultRef, taskRunId, madeAt),
      );
    return { loose: isLeft ? await looseOf(db, [left]) : [] };
  });
  written?.loose.forEach(onLoose);
  return written !== null;
}

/** See `CacheStore.count`. */
async function countUses(connection: Connection, uses: readonly CountedUse[]): Promise<void> {
  if (uses.length === 0) return;
  const kinds = { entry: 'text', hits: 'integer', waits: 'integer', at: 'time', made: 'time', expiry: 'time' } as const;
  await connection.query(
    `update cache_entries set hits = cache_entries.hits + used.hits, waits = cache_entries.waits + used.waits,
       used_at = case when used.at > cache_entries.used_at then used.at else cache_entries.used_at end,
       expires_at = case when used.made = cache_entries.made_at then used.expiry else cache_entries.expires_at end
     from ${connection.fragments.list(1, kinds)} as used where cache_entries.id = used.entry`,
    [
      // In the order of their ids: two processes counting the same entries must not deadlock.
      jsonText(
        [...uses]
          .sort((a, b) => (a.id < b.id ? -1 : 1))
          .map(({ id, hits, waits, usedAt, expiry }) => [id, hits, waits, usedAt, expiry?.madeAt ?? null, expiry?.expiresAt ?? null]),
      ),
    ],
  );
}
