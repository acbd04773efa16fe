/**
 * The outbox of alerts: what is sent to each receiver, in the order in which it was written, by one process at a time.
 *
 * A receiver is claimed for a while, and each record of an attempt names its claim. A process that dies between sending and recording
 * leaves a pending delivery; the next to claim the receiver sends it again, under the same id.
 */
import { cutText } from '../../base/cut-text.ts';
import { type DeliveryAttempt, keptAttempts } from '../../model/alerts/alert.ts';
import type { Connection, Database } from '../connection.ts';
import { clockOf, forUpdate, forUpdateOfFree, nowOnce, selectOne } from '../sql.ts';
import type { AlertOutbox, ReceiverClaim } from './contract.ts';
import { insertText } from '../table.ts';
import { attemptTable, pendingTable } from './tables.ts';

const dayMs = 86_400_000;
/** Longest answer that is kept, characters. */
const maxAnswerChars = 500;

/** See `AlertOutbox`. */
export function alertOutbox(connection: Connection): AlertOutbox {
  const { query } = connection;
  return {
    async claim(owner, leaseMs, limit) {
      const now = nowOnce(connection, 1);
      return await query<ReceiverClaim>(
        `update alert_receivers set owner = $2, epoch = epoch + 1, lease_until = ${now} + $3
         where receiver in (
           select receiver from alert_receivers where next_at is not null and next_at <= ${now} and (lease_until is null or lease_until <= ${now})
           order by next_at limit $4 ${forUpdateOfFree(connection)})
         returning receiver, epoch, failures`,
        [connection.now(), owner, leaseMs, limit],
      );
    },
    next: (receiver) => selectOne(connection, pendingTable, `where receiver = $1 and state = 'pending' order by seq limit 1`, [receiver]),
    settle: (claim, id, { state, answer }, leaseMs) =>
      connection.transaction(async (db) => {
        if (!(await holds(db, claim))) return false;
        const now = await clockOf(db);
        const shown = cutText(answer, maxAnswerChars, '…');
        const [tried] = await db.query<{ attempts: number }>(
          `update alert_deliveries set state = $2, attempts = attempts + 1, tried_at = $3, answer = $4, sent_at = $5
           where id = $1 and state = 'pending' returning attempts`,
          [id, state, now, shown, state === 'sent' ? now : null],
        );
        if (tried !== undefined) await noteAttempt(db, id, { attempt: tried.attempts, at: now, state, answer: shown });
        await db.query('update alert_receivers set lease_until = $2 where receiver = $1', [claim.receiver, now + leaseMs]);
        return true;
      }),
    release: (claim, waitMs, failures) =>
      connection.transaction(async (db) => {
        if (!(await holds(db, claim))) return;
        // Queried once the row is locked: adding a delivery changes the row as well.
        const pending = await db.query(`select 1 as found from alert_deliveries where receiver = $1 and state = 'pending' limit 1`, [
          claim.receiver,
        ]);
        await db.query('update alert_receivers set owner = null, lease_until = null, next_at = $2, failures = $3 where receiver = $1', [
          claim.receiver,
          pending.length === 0 ? null : (await clockOf(db)) + waitMs,
          failures,
        ]);
      }),
    async state() {
      const now = await clockOf(connection);
      const [row] = await query<{ pending: number; oldest: number | null; failed: number }>(
        `select (select count(*) from alert_deliveries where state = 'pending') as pending,
           (select min(created_at) from alert_deliveries where state = 'pending') as oldest,
           (select count(*) from alert_deliveries join alert_firings on alert_firings.id = alert_deliveries.firing_id
            where alert_firings.at >= $1 and alert_deliveries.state = 'failed') as failed`,
        [now - dayMs],
      );
      return { pending: Number(row?.pending ?? 0), oldestAt: row?.oldest ?? null, failedLately: Number(row?.failed ?? 0), now };
    },
  };
}

async function noteAttempt(db: Database, deliveryId: string, attempt: DeliveryAttempt): Promise<void> {
  await db.query(insertText(attemptTable), attemptTable.values({ deliveryId, ...attempt }));
  if (attempt.attempt > keptAttempts)
    await db.query('delete from alert_attempts where delivery_id = $1 and attempt <= $2', [deliveryId, attempt.attempt - keptAttempts]);
}

async function holds(db: Database, { receiver, epoch }: ReceiverClaim): Promise<boolean> {
  const rows = await db.query<{ epoch: number }>(`select epoch from alert_receivers where receiver = $1 ${forUpdate(db)}`, [receiver]);
  return rows[0]?.epoch === epoch;
}
