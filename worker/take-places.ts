/**
 * Gets a ticket the places that its run or spread task needs, before that is claimed: until then it has no owner, and can be cancelled,
 * expire, or be claimed by another.
 *
 * If too few are free, the ticket goes to another worker that has them. If there is none, places that become free here are kept for it, and
 * this worker takes nothing new meanwhile; a second such ticket goes back to the queue. One that needs more than this worker has at all
 * goes to a larger one. A crash leaves the ticket to whoever finds it next.
 */
import { type Clock, settledWithin } from '../src/base/clock.ts';
import type { Delivery, Ticket } from '../src/broker/broker.ts';
import type { HeavyRun } from '../src/store/store.ts';
import type { FlowRoutes } from './flow-routes.ts';

/** How a ticket came to this worker. */
export interface Arrived {
  readonly delivery: Delivery;
  /** Whether another worker has left it to this one. */
  readonly wasLeft: boolean;
}

export interface PlaceParts {
  readonly clock: Clock;
  readonly routes?: Pick<FlowRoutes, 'leave'> & Partial<Pick<FlowRoutes, 'findPlaces'>>;
  /** Whether it still waits for a worker. */
  isWaiting(): Promise<boolean>;
}

/**
 * `taken`: the ticket holds its places · `left`: another worker has it, or it comes again · `none`: no running worker has so many; `most`
 * is what the largest has.
 */
export type Places = { readonly kind: 'taken' } | { readonly kind: 'left' } | { readonly kind: 'none'; readonly most: number };

/** Between checks whether it still waits, and whether another worker has the places, ms. */
const lookMs = 1_000;
const left: Places = { kind: 'left' };

/** @throws BatutaError STORE_…, BROKER_UNAVAILABLE */
export async function takePlaces(parts: PlaceParts, ticket: Ticket, wish: HeavyRun, { delivery, wasLeft }: Arrived): Promise<Places> {
  const { clock, routes } = parts;
  const { places } = delivery;
  const leaveTo = async (isFree: boolean): Promise<{ readonly isLeft: boolean; readonly most: number }> => {
    // Free places are known only as of a while ago: a ticket is passed on once.
    if (routes?.findPlaces === undefined || (wasLeft && isFree)) return { isLeft: false, most: 0 };
    const { key, most } = await routes.findPlaces(wish, { isFree });
    if (key !== null) await routes.leave(ticket, wish.queue, key);
    return { isLeft: key !== null, most };
  };
  if (wish.slots > places.total) {
    const { isLeft, most } = await leaveTo(false);
    return isLeft ? left : { kind: 'none', most: Math.max(most, places.total) };
  }
  if (!places.areFree(wish.slots) && (await leaveTo(true)).isLeft) return left;
  if (places.areKept) {
    delivery.giveBack();
    return left;
  }
  const widened = places.widen(wish.slots);
  while (!(await settledWithin(clock, lookMs, widened))) {
    if ((await parts.isWaiting()) && !(await leaveTo(true)).isLeft) continue;
    places.cancel();
    // If they were granted just now, they are given back with the ticket.
    await widened;
    return left;
  }
  if (await widened) return { kind: 'taken' };
  delivery.giveBack();
  return left;
}
