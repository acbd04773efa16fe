/** How the processes of a fleet notify each other that a value was made, or will not be. */
import type { CacheNews } from '../engine/cache/cache-access.ts';
import type { LoopParts } from './parts.ts';

const channel = 'cache';

export function cacheNews({ broker }: Pick<LoopParts, 'broker'>): CacheNews {
  return {
    tell: () => broker.notify(channel, 'made'),
    async listen(listener) {
      await broker.subscribe(channel, listener);
    },
  };
}
