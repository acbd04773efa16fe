/** Webhooks as they are stored, and what they deliver: each once. */
import type { WebhookRule } from '../../model/triggers/webhook.ts';
import type { Connection } from '../connection.ts';
import { readShaped } from '../read-json.ts';
import { clockOf, selectAll, selectOne } from '../sql.ts';
import { describeTable, insertText, integer, json, type RowOf, text, textOrNull, time, timeOrNull } from '../table.ts';
import type { WebhookStore } from './contract.ts';
import { addEvent } from './emitted.ts';

/** An unreadable rule accepts nothing: no secret opens it. */
const unreadable: WebhookRule = {
  style: 'standard',
  secrets: [],
  header: null,
  prefix: '',
  encoding: 'hex',
  timestampHeader: null,
  event: '',
  eventId: null,
  payload: null,
  toleranceMs: 0,
  replayMs: 0,
};

const table = describeTable('webhooks', {
  name: text,
  description: textOrNull,
  rule: json((written) => {
    const read = readShaped<WebhookRule>(written, { style: 'string', event: 'string' });
    return read !== null && Array.isArray(read.secrets) ? { ...unreadable, ...read } : unreadable;
  }),
  created_at: time,
  updated_at: time,
  accepted: integer,
  accepted_at: timeOrNull,
  refused_at: timeOrNull,
  refusal: textOrNull,
});
/** Shortest time between recorded refusals, ms: their senders have shown no secret. */
const noteEveryMs = 10_000;

/** See `WebhookStore`. */
export function webhookStore(connection: Connection): WebhookStore {
  const { query } = connection;
  return {
    async put(webhook) {
      const [stored] = await query<RowOf<typeof table>>(
        `${insertText(table)} on conflict (name) do update set description = excluded.description, rule = excluded.rule, updated_at = excluded.updated_at
         returning ${table.list}`,
        table.values(webhook),
      );
      return stored === undefined ? webhook : table.read(stored);
    },
    get: (name) => selectOne(connection, table, 'where name = $1', [name]),
    list: () => selectAll(connection, table, 'order by name'),
    delete: (name) =>
      connection.transaction(async (db) => {
        const gone = await db.query('delete from webhooks where name = $1 returning name', [name]);
        await db.query('delete from webhook_receipts where webhook = $1', [name]);
        return gone.length > 0;
      }),
    accept: (name, digest, replayMs, event) =>
      connection.transaction(async (db) => {
        const now = await clockOf(db);
        const fresh = await db.query(
          `insert into webhook_receipts (webhook, digest, until_at) values ($1, $2, $3)
           on conflict (webhook, digest) do update set until_at = excluded.until_at where webhook_receipts.until_at < $4 returning digest`,
          [name, digest, now + replayMs, now],
        );
        if (fresh.length === 0) return false;
        await db.query('update webhooks set accepted = accepted + 1, accepted_at = $2 where name = $1', [name, now]);
        return (await addEvent(db, event)).inserted;
      }),
    async noteRefusal(name, reason) {
      const now = await clockOf(connection);
      await query('update webhooks set refused_at = $2, refusal = $3 where name = $1 and (refused_at is null or refused_at < $4)', [
        name,
        now,
        reason,
        now - noteEveryMs,
      ]);
    },
    async prune() {
      await query('delete from webhook_receipts where until_at < $1', [await clockOf(connection)]);
    },
  };
}
