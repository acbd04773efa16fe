/**
 * Sends what alerts have put into the outbox.
 *
 * Owned by a scheduler, receiver by receiver: claimed → the oldest is sent → its outcome is recorded → the next … → given back. While a receiver
 * does not take what is sent, it waits, longer from time to time, and what came later waits behind; after a day it is given up. A process that dies
 * holds its receivers until their lease ends; then another sends what is not recorded as sent, under the same id.
 */
import type { EngineServices } from '../engine/services.ts';
import type { PendingDelivery } from '../model/alerts/alert.ts';
import type { DeliveryOutcome, ReceiverClaim } from '../store/store.ts';

/** Sends one. Gives what the receiver answered. @throws whatever kept it, `NotSent` where trying again is of no use */
export type SendDelivery = (delivery: PendingDelivery, signal: AbortSignal) => Promise<string>;

/** Thrown by a sender for what another attempt would not change. */
export class NotSent extends Error {
  override readonly name = 'NotSent';
}

export interface DeliverParts {
  readonly services: Pick<EngineServices, 'store' | 'log' | 'random' | 'owner'>;
  readonly send: SendDelivery;
  /** How long a receiver is held without an outcome, ms; longer than an attempt may take. */
  readonly leaseMs: number;
}

/** Receivers of one pass. */
const mostReceivers = 16;
/** First wait after an attempt that failed, which each in a row doubles, and the longest, ms. */
const backoff = { firstMs: 1_000, longestMs: 60_000 };
/** What nobody has taken for so long is given up, ms. */
export const givenUpAfterMs = 86_400_000;

/** One pass: everything that is due. Gives whether more may be due at once. @throws BatutaError STORE_… */
export async function deliverAlerts(parts: DeliverParts, signal: AbortSignal): Promise<boolean> {
  const { store, owner } = parts.services;
  const claims = await store.alerts.outbox.claim(owner.id, parts.leaseMs, mostReceivers);
  await Promise.all(claims.map((claim) => serve(parts, claim, signal)));
  return claims.length === mostReceivers;
}

/** Sends to one receiver until nothing is left, or it does not take one. */
async function serve(parts: DeliverParts, claim: ReceiverClaim, signal: AbortSignal): Promise<void> {
  const { store, random } = parts.services;
  const { outbox } = store.alerts;
  let { failures } = claim;
  while (!signal.aborted) {
    const delivery = await outbox.next(claim.receiver);
    if (delivery === null) return await outbox.release(claim, 0, failures);
    const outcome = await attempt(parts, delivery, signal);
    // The process ends: what was cut off says nothing of the receiver.
    if (signal.aborted && outcome.state === 'pending') break;
    if (!(await outbox.settle(claim, delivery.id, outcome, parts.leaseMs))) return;
    failures = outcome.state === 'pending' ? failures + 1 : 0;
    if (outcome.state !== 'pending') continue;
    const waitMs = Math.min(backoff.longestMs, backoff.firstMs * 2 ** Math.min(failures - 1, 20));
    return await outbox.release(claim, Math.round(waitMs * (0.8 + 0.4 * random())), failures);
  }
  await outbox.release(claim, 0, failures);
}

async function attempt(
  { services, send, leaseMs }: DeliverParts,
  delivery: PendingDelivery,
  signal: AbortSignal,
): Promise<DeliveryOutcome> {
  const facts = { delivery: delivery.id, receiver: delivery.receiver, alert: delivery.rule };
  try {
    const over = AbortSignal.any([signal, AbortSignal.timeout(Math.round((leaseMs * 2) / 3))]);
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
