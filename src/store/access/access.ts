/** Keys, sessions and the record of changes, over a connection. */
import type { ApiKey, AuditEntry, Role } from '../../model/access.ts';
import type { Connection } from '../connection.ts';
import { cursorOf, limitOf, placeOf } from '../lists/cursor.ts';
import type { AuditStore, KeyStore, SessionStore } from './contract.ts';
import { jsonText } from '../storable.ts';
import { readJson } from '../read-json.ts';

interface KeyRow {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly created_at: number;
  readonly expires_at: number | null;
  readonly revoked_at: number | null;
  readonly last_used_at: number | null;
}

interface AuditRow {
  readonly seq: number;
  readonly at: number;
  readonly key_id: string | null;
  readonly who: string;
  readonly action: string;
  readonly target: string | null;
  readonly details: string | null;
}

const keyNames = ['id', 'name', 'role', 'created_at', 'expires_at', 'revoked_at', 'last_used_at'];
const keyColumns = keyNames.join(', ');
const keyOfSession = keyNames.map((name) => `api_keys.${name}`).join(', ');

export function keyStore({ query }: Connection): KeyStore {
  return {
    async insert({ id, name, role, createdAt, expiresAt, revokedAt, lastUsedAt }, hash) {
      const rows = await query(
        `insert into api_keys (${keyColumns}, hash) values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (hash) do nothing returning id`,
        [id, name, role, createdAt, expiresAt, revokedAt, lastUsedAt, hash],
      );
      return rows.length > 0;
    },
    async byHash(hash) {
      return keyOrNull(await query<KeyRow>(`select ${keyColumns} from api_keys where hash = $1`, [hash]));
    },
    async list() {
      return (await query<KeyRow>(`select ${keyColumns} from api_keys order by created_at desc, id desc`)).map(keyOf);
    },
    async revoke(id, at) {
      return keyOrNull(
        await query<KeyRow>(`update api_keys set revoked_at = coalesce(revoked_at, $2) where id = $1 returning ${keyColumns}`, [id, at]),
      );
    },
    async touch(id, at) {
      await query('update api_keys set last_used_at = $2 where id = $1', [id, at]);
    },
    async any() {
      return (await query('select 1 as found from api_keys limit 1')).length > 0;
    },
  };
}

export function sessionStore({ query }: Connection): SessionStore {
  return {
    async insert({ hash, keyId, createdAt, expiresAt }) {
      await query('insert into sessions (hash, key_id, created_at, expires_at) values ($1, $2, $3, $4)', [
        hash,
        keyId,
        createdAt,
        expiresAt,
      ]);
    },
    async keyOf(hash, now) {
      return keyOrNull(
        await query<KeyRow>(
          `select ${keyOfSession} from sessions join api_keys on api_keys.id = sessions.key_id
           where sessions.hash = $1 and sessions.expires_at > $2`,
          [hash, now],
        ),
      );
    },
    async delete(hash) {
      await query('delete from sessions where hash = $1', [hash]);
    },
    async prune(before) {
      await query('delete from sessions where expires_at < $1', [before]);
    },
  };
}

/** Rows of the audit that are deleted at once. */
const pruneBatch = 1_000;

export function auditStore({ query }: Connection): AuditStore {
  return {
    async add({ at, keyId, who, action, target, details }) {
      await query('insert into audit (at, key_id, who, action, target, details) values ($1, $2, $3, $4, $5, $6)', [
        at,
        keyId,
        who,
        action,
        target,
        details === null || details === undefined ? null : jsonText(details),
      ]);
    },
    async list({ limit: wanted, cursor }) {
      const limit = limitOf(wanted, 50, 1000);
      const before = cursor === undefined ? Number.MAX_SAFE_INTEGER : placeOf(cursor).createdAt;
      const rows = await query<AuditRow>(
        'select seq, at, key_id, who, action, target, details from audit where seq < $1 order by seq desc limit $2',
        [before, limit + 1],
      );
      const items = rows.slice(0, limit).map(auditOf);
      const last = items.at(-1);
      return { items, next: rows.length > limit && last !== undefined ? cursorOf({ createdAt: last.seq, id: '' }) : null };
    },
    async prune(before) {
      // By their numbers, which grow with the time.
      const batch = 'select seq from audit where seq in (select seq from audit order by seq limit $2) and at < $1';
      while ((await query(`delete from audit where seq in (${batch}) returning seq`, [before, pruneBatch])).length === pruneBatch);
    },
  };
}

function keyOrNull(rows: readonly KeyRow[]): ApiKey | null {
  const [row] = rows;
  return row === undefined ? null : keyOf(row);
}

function keyOf(row: KeyRow): ApiKey {
  return {
    id: row.id,
    name: row.name,
    role: row.role as Role,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
    lastUsedAt: row.last_used_at,
  };
}

function auditOf(row: AuditRow): AuditEntry {
  return {
    seq: row.seq,
    at: row.at,
    keyId: row.key_id,
    who: row.who,
    action: row.action,
    target: row.target,
    details: readJson(row.details),
  };
}
