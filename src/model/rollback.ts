/** Undoing what the tasks of a run have done, because it ended badly. Pure. */
import type { Failure } from './failure.ts';
import type { State } from './state.ts';

/** How far the rollback of a run has come. */
export type RollbackStage =
  /** The run has done what is to be undone should it end badly. */
  | 'armed'
  /** It has ended badly; what it has done is being undone. */
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
  /** Method that should have undone it. */
  readonly undo: string;
  /** Why it could not. */
  readonly message: string;
}

/** The end that a run comes to once everything that can be undone is. */
export interface IntendedEnd {
  readonly state: State;
  readonly error: Failure | null;
}

/** The rollback of a run. */
export interface Rollback {
  readonly runId: string;
  readonly stage: RollbackStage;
  /** When it came to this stage, UTC epoch ms. */
  readonly at: number;
  /** Null before it has begun. */
  readonly end: IntendedEnd | null;
  /** Task runs undone; null before it has ended. */
  readonly undone: number | null;
  /** What could not be undone, the latest done first. */
  readonly remaining: readonly NotUndone[];
}

/** The part of a rollback that stands with its run in lists. */
export interface RollbackSummary extends Pick<Rollback, 'runId' | 'undone' | 'remaining'> {
  readonly stage: Exclude<RollbackStage, 'armed'>;
}

const keyHead = 'rollback:';

/** Key of the task run that undoes another, in that attempt of the run. */
export function undoKey(key: string, attempt: number): string {
  return `${keyHead}${attempt}:${key}`;
}

/** Whether a task run undoes another, by its key. */
export function isUndo({ key }: { readonly key: string }): boolean {
  return key.startsWith(keyHead);
}

/** The beginning of such keys, as a pattern of SQL. */
export const undoKeyPattern = `${keyHead}%`;

/** Most names in the sentence about what could not be undone. */
const maxNamed = 5;

/** What a run's message says about its rollback. */
export function rollbackSentence(undone: number, remaining: readonly NotUndone[]): string {
  if (remaining.length === 0) return `Rolled back: ${undone} ${undone === 1 ? 'task was' : 'tasks were'} undone.`;
  const named = remaining.slice(0, maxNamed).map(({ task, index }) => (index === null ? task : `${task}[${index}]`));
  const more = remaining.length > maxNamed ? ` and ${remaining.length - maxNamed} more` : '';
  return `Rollback incomplete: ${remaining.length} of ${undone + remaining.length} could not be undone (${named.join(', ')}${more}).`;
}
