/** What has gone through the tasks of the streams of a run, for people. */
import { formatDuration } from '../../base/duration.ts';
import type { TaskRun } from '../../model/run.ts';
import { countOf } from './bar.ts';
import { labelOf, type Paint } from './shapes.ts';
import { taskLabel } from './summary.ts';
import { type Column, tableLines } from './table.ts';

/** Counts of one task of a stream, of its last attempt. */
export interface StreamStats {
  readonly task: string;
  readonly state: string;
  /** Records it has taken and given; null where it takes or gives none. */
  readonly in: number | null;
  readonly out: number | null;
  readonly rejected: number;
  /** Records a second: of the last second while it runs, over the attempt once it has ended. */
  readonly perSecond: number;
  readonly attempt: number;
}

const columns: readonly Column[] = [
  { head: '  task' },
  { head: 'state' },
  { head: 'in', align: 'right' },
  { head: 'out', align: 'right' },
  { head: 'rejected', align: 'right' },
  { head: 'a second', align: 'right' },
  { head: 'took', align: 'right', drop: 1 },
  { head: 'attempt', align: 'right', drop: 2 },
];

/** The tasks of streams among them, in their order. */
export function streamStatsOf(taskRuns: readonly TaskRun[]): readonly StreamStats[] {
  return taskRuns.flatMap(({ name, state, metrics, attempt }) => {
    if (metrics?.['perSecond'] === undefined || (metrics['in'] === undefined && metrics['out'] === undefined)) return [];
    const { in: taken = null, out = null, rejected = 0, perSecond = 0 } = metrics;
    return [{ task: name, state: state.name, in: taken, out, rejected, perSecond, attempt }];
  });
}

/** A table of them; no lines where nothing streams. @param now wall clock, epoch ms */
export function streamStatsLines(
  taskRuns: readonly TaskRun[],
  { paint, width, now }: { readonly paint: Paint; readonly width: number; readonly now: number },
): string[] {
  const streaming = taskRuns.filter((taskRun) => streamStatsOf([taskRun]).length > 0);
  if (streaming.length === 0) return [];
  const rows = streaming.map((taskRun) => {
    const [stats] = streamStatsOf([taskRun]) as [StreamStats];
    const took = taskRun.startedAt === null ? '' : formatDuration((taskRun.endedAt ?? now) - taskRun.startedAt);
    const counts = [stats.in, stats.out].map((count) => (count === null ? '' : countOf(count)));
    const rejected = stats.rejected === 0 ? '0' : paint.red(countOf(stats.rejected));
    return [
      `  ${taskLabel(taskRun)}`,
      labelOf(taskRun.state, paint),
      ...counts,
      rejected,
      countOf(stats.perSecond),
      took,
      String(stats.attempt),
    ];
  });
  return tableLines(columns, rows, paint, width);
}
