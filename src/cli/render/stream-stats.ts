/** Throughput of a run's stream tasks, for people. */
import { formatDuration } from '../../base/duration.ts';
import type { TaskRun } from '../../model/run.ts';
import { stageStatsOf } from '../../model/stage-stats.ts';
import { countOf } from './bar.ts';
import { labelOf, type Paint } from './shapes.ts';
import { taskLabel } from './summary.ts';
import { type Column, tableLines } from './table.ts';

const columns: readonly Column[] = [
  { head: '  task' },
  { head: 'state' },
  { head: 'in', align: 'right' },
  { head: 'out', align: 'right' },
  { head: 'rejected', align: 'right' },
  { head: 'parse errors', align: 'right', drop: 2 },
  { head: 'skipped', align: 'right', drop: 3 },
  { head: 'per second', align: 'right' },
  { head: 'duration', align: 'right', drop: 1 },
  { head: 'attempt', align: 'right', drop: 4 },
];

/** A table of them; no lines if nothing streams. @param now wall clock, epoch ms */
export function streamStatsLines(
  taskRuns: readonly TaskRun[],
  { paint, width, now }: { readonly paint: Paint; readonly width: number; readonly now: number },
): string[] {
  const rows = taskRuns.flatMap((taskRun) =>
    stageStatsOf([taskRun]).map((stats) => {
      const took = taskRun.startedAt === null ? '' : formatDuration((taskRun.endedAt ?? now) - taskRun.startedAt);
      const bad = [stats.rejected, stats.parseErrors].map((count) => (count === 0 ? '0' : paint.red(countOf(count))));
      const texts = [stats.in, stats.out].map((count) => (count === null ? '' : countOf(count)));
      const perSecond = stats.perSecond === null ? '' : countOf(stats.perSecond);
      const name = [`  ${taskLabel(taskRun)}`, labelOf(taskRun.state, paint)];
      return [...name, ...texts, ...bad, countOf(stats.skipped), perSecond, took, String(stats.attempt)];
    }),
  );
  return rows.length === 0 ? [] : tableLines(columns, rows, paint, width);
}
