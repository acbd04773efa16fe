/** Throughput of the streaming tasks of a run. Pure. */
import type { TaskRun } from './run.ts';

/** Input from a task run. */
type Counted = Pick<TaskRun, 'name' | 'state' | 'metrics' | 'attempt' | 'startedAt' | 'endedAt'>;

/** Counts of one task, of its last attempt. */
export interface StageStats {
  readonly task: string;
  readonly state: string;
  /** Records taken; null if it takes no stream. */
  readonly in: number | null;
  /** Records yielded; null if it yields no stream. */
  readonly out: number | null;
  /** Records rejected by `ctx.reject`. */
  readonly rejected: number;
  /** Lines and records that the readers of `batuta/streams` could not read. */
  readonly parseErrors: number;
  /** Empty lines and comments that the readers skipped, and records that `filter` left out. */
  readonly skipped: number;
  /** Records per second: over the last second while it runs, over the attempt once ended; null if it takes and yields no stream. */
  readonly perSecond: number | null;
  /** From its first start to its end, ms; null before its end. */
  readonly tookMs: number | null;
  readonly attempt: number;
}

/** For the tasks that take or yield a stream, and those that rejected records or could not read some, in list order. */
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
