/** The record of an opening: one record, passed on again with each step. */
import type { ResourceUse } from '../model/resource-use.ts';
import type { OpeningFollower } from './scope.ts';

/** Whose openings are recorded, and where. */
export interface UseNotes {
  readonly runId: string;
  /** Null for openings of the run itself. */
  readonly taskRunId: string | null;
  /** UTC epoch ms. */
  now(): number;
  makeId(): string;
  /** Takes the current record, `error` in full. */
  note(use: ResourceUse): void;
}

/** Begins the record of an opening. @param shown the name of the resource, with its key if it has one */
export function followUse({ runId, taskRunId, now, makeId, note }: UseNotes, shown: string): OpeningFollower {
  let use: ResourceUse = {
    ...{ id: makeId(), runId, taskRunId, resource: shown, scope: taskRunId === null ? 'run' : 'task' },
    ...{ beganAt: now(), openedAt: null, closingAt: null, closedAt: null, error: null },
  };
  const change = (changed: Partial<ResourceUse>): void => {
    use = { ...use, ...changed };
    note(use);
  };
  note(use);
  return {
    opened: () => change({ openedAt: now() }),
    openFailed: (error) => change({ closedAt: now(), error: textOf(error) }),
    closing: () => change({ closingAt: now() }),
    closed: (error) => change({ closedAt: now(), ...(error !== null && { error: textOf(error) }) }),
  };
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
