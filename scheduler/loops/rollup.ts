/**
 * Summarises past hours, so that figures over many runs need not read them all.
 *
 * Runs in every scheduler; one at a time summarises, and the others find nothing left to do. A crash leaves what was already summarised.
 */
import type { Loop } from '../../src/base/loop.ts';
import { type LoopParts, upkeepLoop } from '../../src/upkeep/parts.ts';

export function rollupLoop(parts: LoopParts, { intervalMs }: { readonly intervalMs: number }): Loop {
  const { store } = parts.engine.services;
  return upkeepLoop(parts, {
    name: 'rollup',
    intervalMs,
    failed: 'Figures could not be summed up; they are counted from the runs meanwhile.',
    async step() {
      return (await store.figures.rollUp()).more ? 'again' : undefined;
    },
  });
}
