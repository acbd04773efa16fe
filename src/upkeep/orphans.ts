/**
 * Cancels sub-flows whose caller has ended without doing so: the process that ended it died in between.
 *
 * Runs in every scheduler and worker. It looks at a page of open sub-flows per step, so that a hundred thousand of them delay nobody.
 */
import type { Loop } from '../base/loop.ts';
import type { SubFlowPlace } from '../store/store.ts';
import { cancelRun, eachApart, type LoopParts, upkeepLoop } from './parts.ts';

/** Open sub-flows per step. */
const page = 1_000;
/** Whoever ends a run cancels its sub-flows right after; by then that is done, or will not be. */
const graceMs = 10_000;
const message = 'The run that called it has ended.';

export function orphansLoop(parts: LoopParts, { intervalMs }: { readonly intervalMs: number }): Loop {
  const { store } = parts.engine.services;
  let after: SubFlowPlace | null = null;
  return upkeepLoop(parts, {
    name: 'orphans',
    intervalMs,
    failed: 'Sub-flows of runs that have ended could not be looked for.',
    async step() {
      const { orphans, last } = await store.fleet.orphans({ after, graceMs, limit: page });
      await eachApart(
        parts,
        orphans,
        ({ id }) => cancelRun(parts, id, message),
        ({ id }) => [{ run: id }, 'A sub-flow of a run that has ended cannot be cancelled.'],
      );
      if (orphans.length > 0)
        parts.log.warn({ runs: orphans.length }, 'Sub-flows were left behind by runs that have ended, and are cancelled.');
      after = last;
    },
  });
}
