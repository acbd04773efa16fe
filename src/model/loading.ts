/**
 * The mark under which a file is loaded for its flows alone. The file may be a whole program that runs a flow when it is started; in a thread,
 * a worker or `batuta flow ls` that program must not run again, so whatever starts a run stands still there.
 *
 * Kept where the scope of a run is (`run-context.ts`): the mark reaches all that the file does while it is evaluated and from there on, in
 * any copy of the library, and nothing else of the process.
 */
import { currentScope, type Loading, runScope } from './run-context.ts';

/** Evaluates a file under its mark. */
export function runLoading(loading: Loading, evaluate: () => void): void {
  runScope.run({ loading, around: currentScope() }, evaluate);
}

/** The mark of the file whose code asks, undefined in one that is not loaded for its flows alone. */
export function currentLoading(): Loading | undefined {
  const scope = runScope.getStore();
  return scope !== undefined && 'loading' in scope ? scope.loading : undefined;
}

/** Notes that the flows of the file which is loaded are made of another file too. @param path absolute */
export function noteFileRead(path: string, content: string): void {
  currentLoading()?.onRead(path, content);
}

/** Resolves at once, or never in a file that is loaded for its flows alone. */
export async function stopIfLoading(): Promise<void> {
  const mark = currentLoading();
  if (mark === undefined) return;
  mark.onStop();
  await new Promise<never>(() => undefined);
}
