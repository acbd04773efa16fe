/**
 * Sends the deliveries that alerts have put into the outbox.
 *
 * Owned by a scheduler, receiver by receiver: claimed → the oldest is sent → its outcome is recorded → the next … → released. If a receiver
 * does not accept a delivery, it is retried at growing intervals, and later ones wait behind it; after a day it is given up. Each receiver
 * gets only a few per pass, so that a long backlog does not keep others waiting. A process that dies
 * holds its receivers until their lease ends; then another sends what is not recorded as sent, under the same id.
 */
import type { EngineServices } from '../engine/services.ts';
import type { PendingDelivery } from '../model/alerts/alert.ts';
import type { DeliveryOutcome, ReceiverClaim } from '../store/store.ts';

/** Sends one delivery. Returns the receiver's answer. @throws the failure; `NotSent` if retrying is useless */
export type SendDelivery = (delivery: PendingDelivery, signal: AbortSignal) => Promise<string>;

/** Thrown by a sender if another attempt would fail too. */
export class NotSent extends Error {
  override readonly name = 'NotSent';
}

export interface DeliverParts {
  readonly services: Pick<EngineServices, 'store' | 'log' | 'random' | 'owner'>;
  readonly send: SendDelivery;
  /** How long a receiver is held without an outcome, ms; longer than an attempt. */
  readonly leaseMs: number;
  /** How long deliveries to one receiver are begun in a pass, ms; default 5,000. */
  readonly turnMs?: number;
}

/** Most receivers in one pass. */
const mostReceivers = 16;
/** Most deliveries to a receiver in one pass, and the time after which none is begun, ms; then others have their turn. */
const turn = { deliveries: 20, ms: 5_000 };
/** Longest attempt of all but mail, ms. */
const attemptMostMs = 10_000;
/** Wait after a failed attempt, doubled for each in a row, and the longest, ms. */
const backoff = { firstMs: 1_000, longestMs: 60_000 };
/** A delivery not accepted for so long is given up, ms. */
export const givenUpAfterMs = 86_400_000;

/** One pass: a few for each receiver that is due. Returns whether more may be due at once. @throws BatutaError STORE_… */
export async function deliverAlerts(parts: DeliverParts, signal: AbortSignal): Promise<boolean> {
  const { store, owner } = parts.services;
  const claims = await store.alerts.outbox.claim(owner.id, parts.leaseMs, mostReceivers);
  const turnOver = AbortSignal.timeout(parts.turnMs ?? turn.ms);
  const served = await Promise.allSettled(claims.map((claim) => serve(parts, claim, signal, turnOver)));
  const failed = served.find((one) => one.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return claims.length === mostReceivers || served.some((one) => one.status === 'fulfilled' && one.value);
}

/** Sends to one receiver until nothing is left, one is not accepted, or its turn is over. Returns whether its turn ended it. */
async function serve(parts: DeliverParts, claim: ReceiverClaim, signal: AbortSignal, turnOver: AbortSignal): Promise<boolean> {
  const { store, random } = parts.services;
  const { outbox } = store.alerts;
  let { failures } = claim;
  let sent = 0;
  for (; !signal.aborted && sent < turn.deliveries && !turnOver.aborted; sent++) {
    const delivery = await outbox.next(claim.receiver);
    if (delivery === null) {
      await outbox.release(claim, 0, failures);
      return false;
    }
    const outcome = await attempt(parts, delivery, signal);
    // The process ends: an aborted attempt says nothing about the receiver.
    if (signal.aborted && outcome.state === 'pending') break;
    if (!(await outbox.settle(claim, delivery.id, outcome, parts.leaseMs))) return false;
    failures = outcome.state === 'pending' ? failures + 1 : 0;
    if (outcome.state !== 'pending') continue;
    const waitMs = Math.min(backoff.longestMs, backoff.firstMs * 2 ** Math.min(failures - 1, 20));
    await outbox.release(claim, Math.round(waitMs * (0.8 + 0.4 * random())), failures);
    return false;
  }
  await outbox.release(claim, 0, failures);
  return !signal.aborted;
}

async function attempt(
  { services, send, leaseMs }: DeliverParts,
  delivery: PendingDelivery,
  signal: AbortSignal,
): Promise<DeliveryOutcome> {
  const facts = { delivery: delivery.id, receiver: delivery.receiver, alert: delivery.rule };
  try {
    const longestMs = Math.round((leaseMs * 2) / 3);
    // A mail server may scan mail before it accepts it; any other silent receiver keeps others waiting.
    const attemptMs = delivery.action.kind === 'email' ? longestMs : Math.min(attemptMostMs, longestMs);
    const over = AbortSignal.any([signal, AbortSignal.timeout(attemptMs)]);
    return { state: 'sent', answer: await send(delivery, over) };
  } catch (error) {
    const answer = error instanceof Error ? error.message : String(error);
    const isOver = error instanceof NotSent || (await services.store.alerts.watch.now()) - delivery.createdAt > givenUpAfterMs;
    if (!signal.aborted)
      services.log[isOver ? 'error' : 'warn'](
        { ...facts, attempt: delivery.attempts + 1, answer },
        isOver ? 'An alert was not sent.' : 'An alert could not be sent; it is tried again.',
      );
    return { state: isOver ? 'failed' : 'pending', answer };
  }
}
