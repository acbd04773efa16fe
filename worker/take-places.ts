/**
 * Gets a ticket the places that its run or spread task takes, before that is claimed: until then nobody owns it, and it can be cancelled, expire, or be
 * another's.
 *
 * Where there are too few free, another worker that has them is given the ticket. Where there is none, the places that become free here are kept for it,
 * and this worker takes nothing new meanwhile; a second one goes back to the queue. One that needs more than this worker has at all goes to a larger one.
 * A crash leaves the ticket to whoever finds it next.
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
 * `taken`: the ticket holds its places · `left`: another worker has it, or it comes by again · `none`: no worker at work has so many; `most` is what the
 * largest has.
 */
export type Places = { readonly kind: 'taken' } | { readonly kind: 'left' } | { readonly kind: 'none'; readonly most: number };

/** Between two looks whether it still waits, and whether another worker has the places, ms. */
const lookMs = 1_000;
const left: Places = { kind: 'left' };

/** @throws BatutaError STORE_…, BROKER_UNAVAILABLE */
export async function takePlaces(parts: PlaceParts, ticket: Ticket, wish: HeavyRun, { delivery, wasLeft }: Arrived): Promise<Places> {
  const { clock, routes } = parts;
  const { places } = delivery;
  const leaveTo = async (isFree: boolean): Promise<{ readonly isLeft: boolean; readonly most: number }> => {
    // What is free is known as it was a while ago: a ticket goes from one to the other once.
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
    // Granted in this very moment, they are given back with the ticket.
    await widened;
    return left;
  }
  if (await widened) return { kind: 'taken' };
  delivery.giveBack();
  return left;
}
