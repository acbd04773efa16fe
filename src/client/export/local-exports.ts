/** Exports of the local client; the code for the formats is loaded on first use. */
import type { Clock } from '../../base/clock.ts';
import type { Store } from '../../store/store.ts';
import type { ExportsClient } from './export-client.ts';

export type { ExportsClient } from './export-client.ts';

export function localExports(store: Store, clock: Clock): ExportsClient {
  return {
    async *bytes(kind, options) {
      const { exportBytes } = await import('./export-bytes.ts');
      yield* exportBytes(store, clock, kind, options);
    },
  };
}
