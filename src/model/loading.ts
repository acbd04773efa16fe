/**
 * The mark under which a file is loaded only for its flows. The file may be a whole program that runs a flow when started; in a thread, a
 * worker or `batuta flow ls` that program must not run again, so anything that starts a run never returns.
 *
 * Kept with the scope of a run (`run-context.ts`): the mark reaches everything the file does during evaluation and after it, in any copy of
 * the library, and nothing else in the process.
 */
import { currentScope, type Loading, runScope } from './run-context.ts';

/** Evaluates a file under its mark. */
export function runLoading(loading: Loading, evaluate: () => void): void {
  runScope.run({ loading, around: currentScope() }, evaluate);
}

/** The mark of the calling code's file, undefined unless loaded only for its flows. */
export function currentLoading(): Loading | undefined {
  const scope = runScope.getStore();
  return scope !== undefined && 'loading' in scope ? scope.loading : undefined;
}

/** Notes that the loaded file's flows depend on another file too. @param path absolute */
export function noteFileRead(path: string, content: string): void {
  currentLoading()?.onRead(path, content);
}

/** Resolves at once, or never in a file loaded only for its flows. */
export async function stopIfLoading(): Promise<void> {
  const mark = currentLoading();
  if (mark === undefined) return;
  mark.onStop();
  await new Promise<never>(() => undefined);
}
