/** Records what a run opens: each opening is one row, written again as it goes on. */
import { cutText } from '../../base/cut-text.ts';
import { withoutHidden } from '../../base/hidden-values.ts';
import type { ResourceUse } from '../../model/resource-use.ts';
import type { OpeningFollower } from '../../resources/scope.ts';
import type { EngineServices } from '../services.ts';
import type { RunRecord } from './transition.ts';

/** Longest text of an error that is kept, characters. */
const maxErrorChars = 2_000;

/** What an opening is recorded by. */
export interface UseRecord {
  readonly services: Pick<EngineServices, 'clock' | 'makeId'>;
  readonly record: Pick<RunRecord, 'noteResourceUse'>;
  readonly runId: string;
  /** Null for what the run itself opens. */
  readonly taskRunId: string | null;
}

/** Begins to record an opening. @param shown the name of the resource, with its key where it has one */
export function followUse({ services, record, runId, taskRunId }: UseRecord, shown: string): OpeningFollower {
  const { clock, makeId } = services;
  let use: ResourceUse = {
    ...{ id: makeId(), runId, taskRunId, resource: withoutHidden(shown), scope: taskRunId === null ? 'run' : 'task' },
    ...{ beganAt: clock.now(), openedAt: null, closingAt: null, closedAt: null, error: null },
  };
  const note = (change: Partial<ResourceUse>): void => {
    use = { ...use, ...change };
    record.noteResourceUse(use);
  };
  note({});
  return {
    opened: () => note({ openedAt: clock.now() }),
    openFailed: (error) => note({ closedAt: clock.now(), error: errorText(error) }),
    closing: () => note({ closingAt: clock.now() }),
    closed: (error) => note({ closedAt: clock.now(), ...(error !== null && { error: errorText(error) }) }),
  };
}

function errorText(error: unknown): string {
  return cutText(withoutHidden(error instanceof Error ? error.message : String(error)), maxErrorChars, '…');
}
