/**
 * Signals that this scheduler is alive and reaches the database: by a file if one is set, and in the log once it does again. Runs in every
 * scheduler, each with its own file.
 */
import { type Loop, makeLoop } from '../../src/base/loop.ts';
import { makeService, type Service } from '../../src/base/service.ts';
import type { HealthFile } from '../../src/observe/health-file.ts';
import type { LoopParts } from '../../src/upkeep/parts.ts';

/** Removes the file when it stops. */
export function beatLoop(
  { engine, log }: LoopParts,
  { intervalMs, healthFile }: { readonly intervalMs: number; readonly healthFile: HealthFile },
): Service {
  const { store, leaseClock, random } = engine.services;
  let unheard = false;
  const loop: Loop = makeLoop({
    name: 'beat',
    intervalMs,
    maxBackoffMs: intervalMs,
    clock: leaseClock,
    random,
    onError(error) {
      unheard = true;
      log.warn({ err: error }, 'The scheduler could not report that it is alive.');
    },
    async step() {
      await store.fleet.owners();
      await healthFile.beat();
      // An outage is logged by whatever it affects; this says that it is over.
      if (unheard) log.info('The scheduler reports again.');
      unheard = false;
    },
  });
  return makeService({
    name: 'beat',
    start: () => loop.start(),
    async stop() {
      await loop.stop();
      await healthFile.remove();
    },
  });
}
