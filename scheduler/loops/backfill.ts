/**
 * Advances backfills: makes their runs as places become free, reruns what a resume requested, and cancels what was cancelled.
 *
 * Woken when a run of a backfill ends, and when a backfill is begun, cancelled or resumed; polls once a second. While none is open a poll
 * is one small query. Any number of schedulers may run; a crash loses nothing, because the progress of a backfill is in the store.
 */
import { makeService, type Service } from '../../src/base/service.ts';
import { advanceBackfill } from '../../src/engine/submit/advance-backfill.ts';
import { backfillsChannel } from '../../src/model/deployment.ts';
import { isOutage, type LoopParts, tryPutTickets, upkeepLoop } from '../../src/upkeep/parts.ts';

/** Backfills per poll. */
const maxOpen = 1_000;

export function backfillLoop(parts: LoopParts, { intervalMs }: { readonly intervalMs: number }): Service {
  const { engine, broker, log } = parts;
  const { services } = engine;
  let unsubscribe: (() => void) | undefined;
  const loop = upkeepLoop(parts, {
    name: 'backfill',
    intervalMs,
    failed: 'Backfills could not continue; they will once the database is back.',
    async step(signal) {
      let again = false;
      for (const backfill of await services.store.backfills.open(maxOpen)) {
        if (signal.aborted) return undefined;
        const step = await advanceBackfill(services, backfill).catch((error: unknown) => {
          if (isOutage(error)) throw error;
          // One that is stuck must not hold up the others.
          log.warn({ err: error, backfill: backfill.id }, 'A backfill cannot continue.');
          return null;
        });
        if (step === null) continue;
        await tryPutTickets(parts, step.waiting, services.clock.now());
        again ||= step.again;
      }
      return again ? 'again' : undefined;
    },
  });
  return makeService({
    name: 'backfill',
    async start() {
      await loop.start();
      unsubscribe = await broker.subscribe(backfillsChannel, loop.wake).catch((error: unknown) => {
        log.warn({ err: error }, 'Backfills will continue by polling, up to a second later.');
        return undefined;
      });
    },
    async stop() {
      unsubscribe?.();
      await loop.stop();
    },
  });
}
