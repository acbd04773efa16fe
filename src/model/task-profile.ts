/** `@Task({ profile: true })`: saves a CPU profile and heap figures of an attempt as its artifacts. */
import { Buffer } from 'node:buffer';
import { type HeapFigures, heapFigures, type Profiling, startProfiling } from '../base/profiler.ts';
import type { TaskContext } from './context.ts';

/** Suffix of profile file names. */
export const profileEnding = '.cpuprofile';

/** The parts of a context used here. */
type ProfiledContext = Pick<TaskContext, 'artifact' | 'log' | 'signal' | 'task'>;

/**
 * Result of the work. Its profile is kept whether it succeeds or throws, but not if it is ended from outside. If profiling or saving fails,
 * it is only logged.
 */
export async function profiled<T>(context: ProfiledContext, work: () => T): Promise<Awaited<T>> {
  const { signal } = context;
  const before = heapFigures();
  const profiling = await startProfiling().catch((error: unknown) => void warn(context, error));
  // Its code may run forever, and so would the profile.
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
