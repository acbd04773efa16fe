/**
 * Tickets and notices of the local broker.
 *
 * A ticket is in one of three phases: delayed (0), waiting (1), taken (2). Delayed and taken ones become waiting at `turns_at`: delayed
 * ones when they are due, taken ones when their holder has not renewed them. That change is a separate statement, run only when needed, so
 * that checking for waiting ones reads only one index.
 */
import type { Connection } from '../connection.ts';
import type { TicketStore } from '../store.ts';
import { jsonText } from '../storable.ts';

const delayed = 0;
const waiting = 1;
const taken = 2;

const identity = ['queue', 'kind', 'id', 'epoch'] as const;
const identityTypes = { queue: 'text', kind: 'text', id: 'text', epoch: 'integer' } as const;
const isSame = identity.map((column) => `same.${column} = listed.${column}`).join(' and ');

export function ticketStore(connection: Connection): TicketStore {
  const { dialect, fragments, query } = connection;
  const listed = `(select same.seq from ${fragments.list(1, identityTypes)} as listed join tickets as same on ${isSame})`;
  const lock = dialect === 'sqlite' ? '' : 'for update skip locked';
  const largest = dialect === 'sqlite' ? 'max' : 'greatest';

  const putText = `insert into tickets (queue, kind, id, epoch, phase, priority, turns_at)
    select queue, kind, id, epoch, case when turns_at > $2 then ${delayed} else ${waiting} end, priority, turns_at
    from ${fragments.list(1, { ...identityTypes, priority: 'integer', turns_at: 'integer' })} as listed
    where true on conflict (queue, kind, id, epoch) do nothing`;
  const takeText = `update tickets set phase = ${taken}, turns_at = $3, holder = $4
    where seq in (select seq from tickets where queue = $1 and phase = ${waiting} order by priority desc, seq limit $2 ${lock})
    returning kind, id, epoch, priority, seq`;
  const turnText = `update tickets set phase = ${waiting}, holder = null where phase <> ${waiting} and turns_at <= $1`;
  const finishText = `delete from tickets where holder = $2 and phase = ${taken} and seq in ${listed}`;
  const finishOne = `delete from tickets where queue = $1 and kind = $2 and id = $3 and epoch = $4 and holder = $5 and phase = ${taken}`;
  const giveBackText = `update tickets set phase = ${waiting}, holder = null where holder = $2 and phase = ${taken} and seq in ${listed}`;

  return {
    async put(tickets, now) {
      const rows = tickets.map((ticket) => [ticket.queue, ticket.kind, ticket.id, ticket.epoch, ticket.priority, ticket.dueAt]);
      await query(putText, [jsonText(rows), now]);
    },
    async take({ queue, limit, now, until, holder }) {
      const [turning] = await query('select 1 as found from tickets where phase <> 1 and turns_at <= $1 limit 1', [now]);
      if (turning !== undefined) await query(turnText, [now]);
      // A query costs no lock; most find nothing.
      const [found] = await query('select 1 as found from tickets where queue = $1 and phase = 1 limit 1', [queue]);
      if (found === undefined) return [];
      const rows = await query<{ kind: 'run' | 'task'; id: string; epoch: number; priority: number; seq: number }>(takeText, [
        queue,
        limit,
        until,
        holder,
      ]);
      // An update returns rows in no order.
      rows.sort((a, b) => b.priority - a.priority || a.seq - b.seq);
      return rows.map(({ kind, id, epoch }) => ({ queue, kind, id, epoch }));
    },
    async renew(holder, until) {
      await query(`update tickets set turns_at = ${largest}(turns_at, $2) where holder = $1 and phase = ${taken}`, [holder, until]);
    },
    async finish(tickets, holder) {
      const [only, ...others] = tickets;
      if (only === undefined) return;
      if (others.length === 0) await query(finishOne, [only.queue, only.kind, only.id, only.epoch, holder]);
      else await query(finishText, [listOf(tickets), holder]);
    },
    async giveBack(tickets, holder) {
      await query(giveBackText, [listOf(tickets), holder]);
    },
    async remove(ticket) {
      const removed = await query(
        `delete from tickets where queue = $1 and kind = $2 and id = $3 and epoch = $4 and phase <> ${taken} returning seq`,
        [ticket.queue, ticket.kind, ticket.id, ticket.epoch],
      );
      return removed.length > 0;
    },
    async nextTurn() {
      const [row] = await query<{ at: number | null }>('select min(turns_at) as at from tickets where phase <> 1');
      return row?.at ?? null;
    },
    async counts(queue, now) {
      const rows = await query<{ phase: number; due: number; count: number }>(
        `select phase, case when phase = ${waiting} or turns_at <= $2 then 1 else 0 end as due, count(*) as count
         from tickets where queue = $1 group by phase, due`,
        [queue, now],
      );
      const sum = (fits: (row: { readonly phase: number; readonly due: number }) => boolean): number =>
        rows.filter(fits).reduce((total, row) => total + row.count, 0);
      return {
        waiting: sum(({ due }) => due === 1),
        delayed: sum(({ phase, due }) => phase === delayed && due === 0),
        taken: sum(({ phase, due }) => phase === taken && due === 0),
      };
    },
    async notify(notice) {
      await query('insert into notices (at, writer, channel, message) values ($1, $2, $3, $4)', [
        notice.at,
        notice.writer,
        notice.channel,
        notice.message,
      ]);
    },
    async notices(after, writer) {
      return await query<{ seq: number; channel: string; message: string }>(
        'select seq, channel, message from notices where seq > $1 and writer <> $2 order by seq limit 1000',
        [after, writer],
      );
    },
    async lastNotice() {
      const [row] = await query<{ seq: number | null }>('select max(seq) as seq from notices');
      return row?.seq ?? 0;
    },
    async forgetNotices(before) {
      // The newest stays, so that SQLite does not restart its numbering.
      await query('delete from notices where at < $1 and seq < (select max(seq) from notices)', [before]);
    },
  };
}

function listOf(
  tickets: readonly { readonly queue: string; readonly kind: string; readonly id: string; readonly epoch: number }[],
): string {
  return jsonText(tickets.map(({ queue, kind, id, epoch }) => [queue, kind, id, epoch]));
}
