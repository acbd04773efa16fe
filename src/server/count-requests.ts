/** Counts running requests, so that a stopping server can wait for them. Event streams do not count: they end on request. */
import type { Clock } from '../base/clock.ts';
import { onceGone } from './connections.ts';
import type { App } from './parts.ts';

export interface RequestsUnderWay {
  /** Resolves once none is running, or on timeout. */
  done(clock: Clock, mostMs: number): Promise<void>;
}

export function countRequests(app: App): RequestsUnderWay {
  const underWay = new Set<string>();
  let onNone: (() => void) | null = null;
  const end = (id: string): void => {
    underWay.delete(id);
    if (underWay.size === 0) onNone?.();
  };
  app.addHook('onRequest', async ({ id, method, routeOptions }, reply) => {
    if (method === 'GET' && routeOptions.url === '/api/events') return;
    underWay.add(id);
    // However it ends, even if the caller hangs up.
    onceGone(reply.raw, () => end(id));
  });
  app.addHook('onResponse', async ({ id }) => end(id));
  return {
    async done(clock, mostMs) {
      if (underWay.size === 0) return;
      await new Promise<void>((resolve) => {
        const timer = clock.setTimer(mostMs, resolve);
        onNone = () => {
          timer.cancel();
          resolve();
        };
      });
    },
  };
}
