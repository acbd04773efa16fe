/**
 * Fires the triggers of deployments, pass by pass: see `fire-triggers.ts`.
 *
 * Woken when an event is emitted; polls twice a second, which is one small query while there are no triggers.
 */
import { makeService, type Service } from '../../src/base/service.ts';
import { triggersChannel } from '../../src/model/triggers/trigger.ts';
import { type LoopParts, tryPutTickets, upkeepLoop } from '../../src/upkeep/parts.ts';
import { fireTriggers } from '../fire-triggers.ts';

export function triggersLoop(parts: LoopParts, { intervalMs }: { readonly intervalMs: number }): Service {
  const { engine, broker, log } = parts;
  let unsubscribe: (() => void) | undefined;
  const loop = upkeepLoop(parts, {
    name: 'triggers',
    intervalMs,
    failed: 'Triggers could not fire; they do once the database is back.',
    async step() {
      const { waiting, again } = await fireTriggers({ ...engine.services, log });
      await tryPutTickets(parts, waiting, engine.services.clock.now());
      return again ? 'again' : undefined;
    },
  });
  return makeService({
    name: 'triggers',
    async start() {
      await loop.start();
      unsubscribe = await broker.subscribe(triggersChannel, loop.wake).catch((error: unknown) => {
        log.warn({ err: error }, 'Events will be found by polling, up to half a second later.');
        return undefined;
      });
    },
    async stop() {
      unsubscribe?.();
      await loop.stop();
    },
  });
}
