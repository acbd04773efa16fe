/** Keys, sessions and the record of changes, over a connection. */
import { pageOf, limitOf, placeOf } from '../lists/cursor.ts';
import type { ApiKey, AuditEntry, Role } from '../../model/access.ts';
import type { Connection } from '../connection.ts';
import type { AuditStore, KeyStore, SessionStore } from './contract.ts';
import { columnsOf, describeTable, insertText, jsonOrNull, text, textOrNull, time, timeOrNull, word, type RowOf } from '../table.ts';
import { readJson } from '../read-json.ts';
import { selectAll, selectOne } from '../sql.ts';

const keyTable = describeTable('api_keys', {
  id: text,
  name: text,
  role: word<Role>(),
  created_at: time,
  expires_at: timeOrNull,
  revoked_at: timeOrNull,
  last_used_at: timeOrNull,
});
type KeyRow = RowOf<typeof keyTable>;
/** A key as it is made; of what people are shown, only the hash is kept. */
const newKeyTable = describeTable('api_keys', { ...keyTable.described, hash: text });
const sessionTable = describeTable('sessions', { hash: text, key_id: text, created_at: time, expires_at: time });
/** Without `seq`. */
const auditTable = describeTable('audit', {
  at: time,
  key_id: textOrNull,
  who: text,
  action: text,
  target: textOrNull,
  details: jsonOrNull(readJson<unknown>),
});

export function keyStore({ query }: Connection): KeyStore {
  return {
    async insert(key, hash) {
      const text = `${insertText(newKeyTable)} on conflict (hash) do nothing returning id`;
      return (await query(text, newKeyTable.values({ ...key, hash }))).length > 0;
    },
    byHash: (hash) => selectOne({ query }, keyTable, 'where hash = $1', [hash]),
    list: () => selectAll({ query }, keyTable, 'order by created_at desc, id desc'),
    async revoke(id, at) {
      return keyOrNull(
        await query<KeyRow>(`update api_keys set revoked_at = coalesce(revoked_at, $2) where id = $1 returning ${keyTable.list}`, [id, at]),
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
    async insert(session) {
      await query(insertText(sessionTable), sessionTable.values(session));
    },
    async keyOf(hash, now) {
      return keyOrNull(
        await query<KeyRow>(
          `select ${columnsOf(keyTable)} from sessions join api_keys on api_keys.id = sessions.key_id
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

/** Audit rows deleted at once. */
const pruneBatch = 1_000;

export function auditStore({ query }: Connection): AuditStore {
  return {
    async add(entry) {
      await query(insertText(auditTable), auditTable.values(entry));
    },
    async list({ limit: wanted, cursor }) {
      const limit = limitOf(wanted, 50, 1000);
      const before = cursor === undefined ? Number.MAX_SAFE_INTEGER : placeOf(cursor).createdAt;
      const rows = await query<RowOf<typeof auditTable> & { readonly seq: number }>(
        `select seq, ${auditTable.list} from audit where seq < $1 order by seq desc limit $2`,
        [before, limit + 1],
      );
      const itemOf = (row: (typeof rows)[number]): AuditEntry => ({ seq: row.seq, ...auditTable.read(row) });
      return pageOf(rows, limit, itemOf, ({ seq }) => ({ createdAt: seq, id: '' }));
    },
    async prune(before) {
      // By their numbers, which grow with time.
      const batch = 'select seq from audit where seq in (select seq from audit order by seq limit $2) and at < $1';
      while ((await query(`delete from audit where seq in (${batch}) returning seq`, [before, pruneBatch])).length === pruneBatch);
    },
  };
}

function keyOrNull([row]: readonly KeyRow[]): ApiKey | null {
  return row === undefined ? null : keyTable.read(row);
}
