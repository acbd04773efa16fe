/** Summary of an ended run: outcome, cause, result, and where to look next. */
import { formatDuration } from '../../base/duration.ts';
import { programName } from '../../base/program-name.ts';
import type { Run, TaskRun } from '../../model/run.ts';
import { runTimes } from '../../model/run-times.ts';
import { countOf } from './bar.ts';
import { failureLines } from './failure.ts';
import { shortId } from '../../model/ids.ts';
import { glyphOf, type Paint, shapeOf } from './shapes.ts';
import type { PhaseCounts } from './task-group.ts';
import { oneLine } from './width.ts';
import { valueLine } from './value.ts';

/** Data of a summary. */
export interface Outcome {
  readonly run: Run;
  readonly counts: PhaseCounts;
  /** The task run whose failure made the run fail, if known. */
  readonly failed: TaskRun | null;
  readonly result: unknown;
}

const countWords = [
  ['done', 'done'],
  ['failed', 'failed'],
  ['blocked', 'not reached'],
  ['skipped', 'skipped'],
  ['cancelled', 'cancelled'],
  ['running', 'running'],
  ['waiting', 'not started'],
] as const;

/** How a summary is rendered. */
export interface SummaryOptions {
  readonly cwd: string;
  readonly width: number;
  /** Whether to print whole stacks. */
  readonly verbose: boolean;
}

/** Lines of the summary. */
export function summaryLines(outcome: Outcome, paint: Paint, options: SummaryOptions): string[] {
  const { run } = outcome;
  const hue = shapeOf(run.state).hue;
  const times = run.endedAt === null ? null : runTimes(run, run.endedAt);
  const waited = times !== null && times.waitingMs >= 1_000 ? ` (and waited ${formatDuration(times.waitingMs)})` : '';
  const took = times === null ? '' : ` in ${formatDuration(times.executingMs)}${waited}`;
  const head = `${glyphOf(run.state, paint)} ${paint[hue](paint.bold(run.state.name))}${took} ${paint.dim('·')} ${countsText(outcome.counts)}`;
  return [head, ...reasonLines(outcome, paint, options), ...resultLines(outcome, paint, options.width), ...nextLines(run, paint)];
}

/** `4 tasks done, 1 failed`. */
export function countsText(counts: PhaseCounts): string {
  const parts = countWords.filter(([phase]) => counts[phase] > 0).map(([phase, word]) => `${countOf(counts[phase])} ${word}`);
  return parts.length === 0 ? 'no tasks' : `tasks: ${parts.join(', ')}`;
}

function reasonLines({ run, failed }: Outcome, paint: Paint, options: SummaryOptions): string[] {
  if (run.state.type === 'COMPLETED') return [];
  const error = failed?.error ?? run.error;
  const where = failed
    ? `  ${paint.bold(taskLabel(failed))}${failed.attempt > 1 ? ` failed on attempt ${failed.attempt}` : ' failed'}`
    : null;
  if (!error) return run.state.message === null ? [] : [`  ${oneLine(run.state.message)}`];
  return [
    ...(where === null ? [] : [where]),
    ...failureLines(error, paint, { indent: 2, stack: options.verbose, cwd: options.cwd, width: options.width }),
  ];
}

function resultLines({ run, result }: Outcome, paint: Paint, width: number): string[] {
  if (run.state.type !== 'COMPLETED' || result === undefined || result === null) return [];
  return [`  ${paint.dim('result')}  ${valueLine(result, Math.max(20, width - 11))}`];
}

function nextLines(run: Run, paint: Paint): string[] {
  const program = programName();
  const id = shortId(run.id);
  const reopen = run.state.type === 'FAILED' || run.state.type === 'CRASHED' || run.state.type === 'CANCELLED';
  const commands = [`${program} runs inspect ${id}`, `${program} runs logs ${id}`, ...(reopen ? [`${program} runs retry ${id}`] : [])];
  return commands.map((command, at) => `  ${paint.dim(at === 0 ? 'next  ' : '      ')}  ${paint.cyan(command)}`);
}

/** Name of a task run for people: its own, else the task's with the index of its item. */
export function taskLabel(taskRun: Pick<TaskRun, 'name' | 'displayName' | 'index'>): string {
  return oneLine(taskRun.displayName ?? (taskRun.index === null ? taskRun.name : `${taskRun.name}[${taskRun.index}]`));
}

/** The task run that made a run fail: the first to end of those that failed by themselves. */
export function firstFailed(taskRuns: readonly TaskRun[]): TaskRun | null {
  let first: TaskRun | null = null;
  for (const taskRun of taskRuns) {
    const failed = (taskRun.state.type === 'FAILED' || taskRun.state.type === 'CRASHED') && taskRun.state.name !== 'UpstreamFailed';
    if (failed && (first === null || (taskRun.endedAt ?? 0) < (first.endedAt ?? 0))) first = taskRun;
  }
  return first;
}
