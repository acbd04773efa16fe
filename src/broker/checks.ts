/** Checks of input: names of queues and channels, tickets, due times, priorities. The same for all brokers. */
import { BatutaError } from '../base/errors.ts';
import { isQueueName } from '../model/queue.ts';
import type { ConsumeOptions, NewTicket, PutOptions, Ticket } from './broker.ts';

/** Lowest priority; the highest is its opposite. */
export const lowestPriority = -100;
export const highestPriority = 100;

/** The last instant of a `Date`. Source: ECMA-262, section 21.4.1.1. */
const latestMs = 8.64e15;

/** PostgreSQL takes just under 8,000 bytes, with the channel's name. */
const maxMessageBytes = 7_500;
const channelPattern = /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,199}$/;
const idPattern = /^[A-Za-z0-9_.-]{1,100}$/;

/** A ticket with its defaults filled in. */
export interface CheckedTicket extends Ticket {
  /** UTC epoch ms, whole; null: at once. */
  readonly dueAt: number | null;
  readonly priority: number;
}

/**
 * A queue name has 1 to 100 letters, digits, `_`, `.` and `-`, the first a letter or digit; case counts.
 *
 * @throws BatutaError NAME_INVALID
 */
export function checkQueueName(name: string): void {
  if (isQueueName(name)) return;
  throw new BatutaError(
    'NAME_INVALID',
    `${JSON.stringify(name)} is not a valid name for a queue. Use 1 to 100 letters, digits, _, . and -, and begin with a letter or digit.`,
    { details: { queue: name } },
  );
}

/**
 * A channel name has 1 to 200 letters, digits, `_`, `.`, `:` and `-`, the first a letter or digit.
 *
 * @throws BatutaError NAME_INVALID
 */
export function checkChannelName(name: string): void {
  if (typeof name === 'string' && channelPattern.test(name)) return;
  throw new BatutaError(
    'NAME_INVALID',
    `${JSON.stringify(name)} is not a valid name for a channel. Use 1 to 200 letters, digits, _, ., : and -, and begin with a letter or digit.`,
    { details: { channel: name } },
  );
}

/** @throws BatutaError OPTION_INVALID */
export function checkMessage(message: string): void {
  if (typeof message === 'string' && Buffer.byteLength(message) <= maxMessageBytes) return;
  throw new BatutaError(
    'OPTION_INVALID',
    `A message between processes is text of at most ${maxMessageBytes} bytes; send an id, not the data.`,
  );
}

/** @throws BatutaError OPTION_INVALID */
export function checkTicket({ kind, id, epoch }: Ticket): void {
  if ((kind === 'run' || kind === 'task') && typeof id === 'string' && idPattern.test(id) && Number.isSafeInteger(epoch) && epoch >= 0)
    return;
  throw new BatutaError(
    'OPTION_INVALID',
    `${JSON.stringify({ kind, id, epoch })} is no ticket: it takes a kind (run or task), an id and an epoch from 0.`,
    { details: { kind, id, epoch } },
  );
}

/**
 * The tickets of one `put`, each once, with due time and priority.
 *
 * @throws BatutaError NAME_INVALID, OPTION_INVALID
 */
export function checkPut(tickets: NewTicket | readonly NewTicket[], options: PutOptions): readonly CheckedTicket[] {
  checkQueueName(options.queue);
  const checked = new Map<string, CheckedTicket>();
  for (const ticket of isList(tickets) ? tickets : [tickets]) {
    checkTicket(ticket);
    const { kind, id, epoch, dueAt = options.dueAt ?? null, priority = options.priority ?? 0 } = ticket;
    if (dueAt !== null && !(Number.isFinite(dueAt) && dueAt >= 0 && dueAt <= latestMs))
      refuse(`The due time ${String(dueAt)} of ${kind} ${id} is no time in milliseconds since 1970.`, ticket);
    if (!Number.isInteger(priority) || priority < lowestPriority || priority > highestPriority) {
      refuse(
        `The priority ${String(priority)} of ${kind} ${id} is not a whole number from ${lowestPriority} to ${highestPriority}.`,
        ticket,
      );
    }
    const key = ticketKey(ticket);
    if (!checked.has(key)) checked.set(key, { kind, id, epoch, dueAt: dueAt === null ? null : Math.ceil(dueAt), priority });
  }
  return [...checked.values()];
}

/**
 * The queues of a consumer, each once, in order.
 *
 * @throws BatutaError NAME_INVALID, OPTION_INVALID
 */
export function checkConsume(queues: string | readonly string[], { concurrency }: ConsumeOptions): readonly string[] {
  const list = [...new Set(typeof queues === 'string' ? [queues] : queues)];
  if (list.length === 0) throw new BatutaError('OPTION_INVALID', 'A consumer needs at least one queue.');
  for (const queue of list) checkQueueName(queue);
  if (!Number.isInteger(concurrency) || concurrency < 1) {
    throw new BatutaError('OPTION_INVALID', `The concurrency ${String(concurrency)} of a consumer is not a whole number from 1.`);
  }
  return list;
}

/** A unique text for a ticket, the same for the same ticket. */
export function ticketKey({ kind, id, epoch }: Ticket): string {
  return `${kind}-${id}-${epoch}`;
}

function isList(tickets: NewTicket | readonly NewTicket[]): tickets is readonly NewTicket[] {
  return Array.isArray(tickets);
}

function refuse(message: string, { kind, id, epoch }: Ticket): never {
  throw new BatutaError('OPTION_INVALID', message, { details: { kind, id, epoch } });
}
