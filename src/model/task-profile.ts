/** `@Task({ profile: true })`: keeps a CPU profile and heap figures of an attempt as its artifacts. */
import { Buffer } from 'node:buffer';
import { type HeapFigures, heapFigures, type Profiling, startProfiling } from '../base/profiler.ts';
import type { TaskContext } from './context.ts';

/** How the names of files with profiles end. */
export const profileEnding = '.cpuprofile';

/** The part of a context that is used here. */
type ProfiledContext = Pick<TaskContext, 'artifact' | 'log' | 'signal' | 'task'>;

/**
 * What the work gives. Its profile is kept whether it succeeds or throws; of one that is ended from outside there is none. A profile that cannot
 * be taken or kept fails nothing, and stands in the log.
 */
export async function profiled<T>(context: ProfiledContext, work: () => T): Promise<Awaited<T>> {
  const { signal } = context;
  const before = heapFigures();
  const profiling = await startProfiling().catch((error: unknown) => void warn(context, error));
  // Its code may go on for ever, and so would the profile.
  const giveUp = (): void => void profiling?.stop().catch(() => undefined);
  if (signal.aborted) giveUp();
  else signal.addEventListener('abort', giveUp, { once: true });
  try {
    return await work();
  } finally {
    if (!signal.aborted) {
      signal.removeEventListener('abort', giveUp);
      await keep(context, before, profiling);
    }
  }
}

async function keep(context: ProfiledContext, before: HeapFigures, profiling: Profiling | void): Promise<void> {
  const after = heapFigures();
  const { name, index, attempt } = context.task;
  const shown = `${name}${index === null ? '' : `[${index}]`}, attempt ${attempt}`;
  const fileName = `${name}${index === null ? '' : `.${index}`}-${attempt}${profileEnding}`;
  try {
    const text = await profiling?.stop();
    if (text !== undefined) await context.artifact.file(`CPU profile of ${shown}`, Buffer.from(text), { fileName });
    await context.artifact.json(`Heap of ${shown}`, { before, after });
  } catch (error) {
    warn(context, error);
  }
}

function warn({ log }: ProfiledContext, error: unknown): void {
  log.warn({ err: error }, 'The profile could not be kept.');
}
