/** Undoing what the tasks of a run did, because it ended badly. Pure. */
import type { Failure } from './failure.ts';
import type { State } from './state.ts';

/** Stages of a run's rollback. */
export type RollbackStage =
  /** The run did something to undo if it ends badly. */
  | 'armed'
  /** It ended badly; what it did is being undone. */
  | 'begun'
  /** All of it was undone. */
  | 'complete'
  /** Some of it could not be undone. */
  | 'incomplete';

/** A task run that could not be undone. */
export interface NotUndone {
  readonly task: string;
  readonly index: number | null;
  readonly taskRunId: string;
  /** Method meant to undo it. */
  readonly undo: string;
  /** Why it failed. */
  readonly message: string;
}

/** The end of a run once everything that can be undone is. */
export interface IntendedEnd {
  readonly state: State;
  readonly error: Failure | null;
}

/** The rollback of a run. */
export interface Rollback {
  readonly runId: string;
  readonly stage: RollbackStage;
  /** When it reached this stage, UTC epoch ms. */
  readonly at: number;
  /** Null before it has begun. */
  readonly end: IntendedEnd | null;
  /** Task runs undone; null before it has ended. */
  readonly undone: number | null;
  /** What could not be undone, latest first. */
  readonly remaining: readonly NotUndone[];
}

/** The part of a rollback shown with its run in lists. */
export interface RollbackSummary extends Pick<Rollback, 'runId' | 'undone' | 'remaining'> {
  readonly stage: Exclude<RollbackStage, 'armed'>;
}

const keyHead = 'rollback:';

/** Key of the task run that undoes another, in that run attempt. */
export function undoKey(key: string, attempt: number): string {
  return `${keyHead}${attempt}:${key}`;
}

/** Whether a task run undoes another, by its key. */
export function isUndo({ key }: { readonly key: string }): boolean {
  return key.startsWith(keyHead);
}

/** Prefix of such keys, as a SQL pattern. */
export const undoKeyPattern = `${keyHead}%`;

/** Most names in the sentence on what could not be undone. */
const maxNamed = 5;

/** A run's message about its rollback. */
export function rollbackSentence(undone: number, remaining: readonly NotUndone[]): string {
  if (remaining.length === 0) return `Rolled back: ${undone} ${undone === 1 ? 'task was' : 'tasks were'} undone.`;
  const named = remaining.slice(0, maxNamed).map(({ task, index }) => (index === null ? task : `${task}[${index}]`));
  const more = remaining.length > maxNamed ? ` and ${remaining.length - maxNamed} more` : '';
  return `Rollback incomplete: ${remaining.length} of ${undone + remaining.length} could not be undone (${named.join(', ')}${more}).`;
}
