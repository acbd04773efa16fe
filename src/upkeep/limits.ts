/**
 * Passes free slots of limits, and room of rates, to those that wait for them: a safety net behind the freeing processes, and for what a
 * raised limit, or a process that died, leaves behind.
 *
 * Runs in every scheduler and, slower, in every worker. The cost of a pass grows with the limits that are waited for, not with the runs
 * that wait.
 */
import type { Loop } from '../base/loop.ts';
import type { LimitNews } from '../engine/limits/limits.ts';
import { type LoopParts, putTickets, upkeepLoop } from './parts.ts';

/** A run ticketed more recently than this is left alone, ms: it waits for a worker now. */
const ticketedBeforeMs = 5_000;
/** Channel that announces that a slot may be free. */
const channel = 'limits';

export function limitsLoop(parts: LoopParts, { intervalMs }: { readonly intervalMs: number }): Loop {
  return upkeepLoop(parts, {
    name: 'limits',
    intervalMs,
    failed: 'Free slots of limits could not be given to those that wait.',
    step: () => giveOnSlots(parts, ticketedBeforeMs),
  });
}

/** A pass at once, when something was just freed; if it fails, the next one follows. */
export async function tryGiveOnSlots(parts: LoopParts): Promise<void> {
  await giveOnSlots(parts, 0).catch((error: unknown) => parts.log.warn({ err: error }, 'Free slots could not be given on at once.'));
}

/** One pass. @throws BatutaError BROKER_UNAVAILABLE, STORE_… */
async function giveOnSlots(parts: LoopParts, ticketedBefore: number): Promise<void> {
  const { engine, broker } = parts;
  const { store, clock } = engine.services;
  const runs = await store.limits.nextRuns({ key: null, ticketedBeforeMs: ticketedBefore });
  if (runs.length > 0) await putTickets(parts, runs, clock.now());
  const advanced = await store.rates.advance();
  if (advanced.length > 0) await putTickets(parts, advanced, clock.now());
  const { owners } = await store.limits.sweepSlots();
  if (owners.length > 0) await broker.notify(channel, 'free');
}

/** How the processes of a fleet notify each other that a slot may be free. */
export function limitNews({ broker }: Pick<LoopParts, 'broker'>): LimitNews {
  return {
    tell: () => broker.notify(channel, 'free'),
    async listen(listener) {
      await broker.subscribe(channel, listener);
    },
  };
}
