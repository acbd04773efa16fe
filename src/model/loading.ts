/**
 * The mark under which a file is loaded for its flows alone. The file may be a whole program that runs a flow when it is started; in a thread,
 * a worker or `batuta flow ls` that program must not run again, so whatever starts a run stands still there.
 *
 * Kept in an AsyncLocalStorage behind a `Symbol.for`: the mark reaches all that the file does while it is evaluated, in any copy of the
 * library, and nothing else of the process.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { FlowClass } from './flow-types.ts';

/** One file that is being loaded. */
export interface Loading {
  /** Flow classes that it has defined so far. */
  readonly classes: Set<FlowClass>;
  /** Called when the file goes on to run a flow. */
  onStop(): void;
}

const key = Symbol.for('batuta.loading');
type Holder = { [key]?: AsyncLocalStorage<Loading> };

export const loading: AsyncLocalStorage<Loading> = ((globalThis as Holder)[key] ??= new AsyncLocalStorage<Loading>());

/** Resolves at once, or never in a file that is loaded for its flows alone. */
export async function stopIfLoading(): Promise<void> {
  const mark = loading.getStore();
  if (mark === undefined) return;
  mark.onStop();
  await new Promise<never>(() => undefined);
}
