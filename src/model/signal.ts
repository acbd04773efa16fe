/** Signals: messages to a run from outside while it runs or waits. */
import { BatutaError } from '../base/errors.ts';
import type { TaskRun } from './run.ts';

/** One signal sent to a run. */
export interface Signal {
  readonly runId: string;
  readonly name: string;
  /** Number among this run's signals of the name, from 1. */
  readonly number: number;
  /** Its data as `encodeValue` writes it, null if none. */
  readonly data: string | null;
  /** UTC epoch ms. */
  readonly sentAt: number;
}

/** @throws BatutaError NAME_INVALID unless it is 1 to 100 letters, digits, `_`, `.`, `:` or `-` */
export function checkSignalName(name: string): void {
  if (/^[\w.:-]{1,100}$/.test(name)) return;
  throw new BatutaError('NAME_INVALID', `'${name}' is not a valid name for a signal: use 1 to 100 letters, digits, _, ., : or -.`, {
    details: { signal: name },
  });
}

const taskPrefix = 'signal:';

/** Name of the task run that waits for a signal. */
export function signalTaskName(name: string): string {
  return taskPrefix + name;
}

/** Names of the signals a run waits for now, each once. */
export function awaitedSignals(taskRuns: readonly Pick<TaskRun, 'name' | 'state'>[]): string[] {
  const waiting = taskRuns.filter(({ name, state }) => state.type === 'PAUSED' && name.startsWith(taskPrefix));
  return [...new Set(waiting.map(({ name }) => name.slice(taskPrefix.length)))];
}
