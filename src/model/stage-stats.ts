/** What has gone through the tasks of the streams of a run. Pure. */
import type { TaskRun } from './run.ts';

/** What is read of a task run. */
type Counted = Pick<TaskRun, 'name' | 'state' | 'metrics' | 'attempt' | 'startedAt' | 'endedAt'>;

/** Counts of one task, of its last attempt. */
export interface StageStats {
  readonly task: string;
  readonly state: string;
  /** Records that it has taken; null where it takes no stream. */
  readonly in: number | null;
  /** Records that it has given; null where it gives no stream. */
  readonly out: number | null;
  /** Records that it has put aside by `ctx.reject`. */
  readonly rejected: number;
  /** Lines and records that the readers of `batuta/streams` could not read in it. */
  readonly parseErrors: number;
  /** Empty lines and comments that the readers have passed over in it, and records that `filter` has left out. */
  readonly skipped: number;
  /** Records a second: of the last second while it runs, over the attempt once it has ended; null where it takes and gives no stream. */
  readonly perSecond: number | null;
  /** From its first start to its end, ms; null before its end. */
  readonly tookMs: number | null;
  readonly attempt: number;
}

/** Of the tasks that take or give a stream, and of those that have rejected records or could not read some, in the order of the list. */
export function stageStatsOf(taskRuns: readonly Counted[]): readonly StageStats[] {
  return taskRuns.flatMap(({ name, state, metrics, attempt, startedAt, endedAt }) => {
    const { in: taken, out, rejected, parseErrors, skipped = 0, perSecond } = metrics ?? {};
    const streams = perSecond !== undefined && (taken !== undefined || out !== undefined);
    if (!streams && rejected === undefined && parseErrors === undefined) return [];
    return [
      {
        ...{ task: name, state: state.name, in: streams ? (taken ?? null) : null, out: streams ? (out ?? null) : null },
        ...{ rejected: rejected ?? 0, parseErrors: parseErrors ?? 0, skipped, perSecond: streams ? perSecond : null },
        ...{ tookMs: startedAt === null || endedAt === null ? null : endedAt - startedAt, attempt },
      },
    ];
  });
}
