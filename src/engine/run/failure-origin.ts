/** Determines where a run's failure comes from (task, attempt and place in the user's code) and which failures are alike. */
import { createHash } from 'node:crypto';
import { isAbsolute, relative } from 'node:path';
import { userFrame } from '../../base/user-frame.ts';
import type { Failure, FailureOrigin } from '../../model/failure.ts';
import type { FlowDefinition } from '../../model/flow.ts';
import { noRetry } from '../../model/retry.ts';
import type { Run, TaskRun } from '../../model/run.ts';
import { cutText } from '../../base/cut-text.ts';

/** The run's attempt, and the first failed task run of each task. */
export interface FailedRecord {
  readonly run: Pick<Run, 'attempt'>;
  readonly failed: ReadonlyMap<string, TaskRun>;
}

/**
 * The failure with its origin as the first member: an index reads its key there.
 *
 * @param task that made the run fail, if the graph tells
 */
export function withOrigin(failure: Failure, { run, failed }: FailedRecord, definition: FlowDefinition, task: string | null): Failure {
  const taskRun = task === null ? thrownBy(failure, failed) : (failed.get(task) ?? null);
  const frame = frameOf(failure);
  const { retry } = taskRun === null ? definition : (definition.tasks.get(taskRun.name) ?? { retry: noRetry });
  const attempt = taskRun?.attempt ?? run.attempt;
  const origin: FailureOrigin = {
    key: keyOf([taskRun?.name ?? '', failure.name, frame ?? '', withoutNumbers(failure.message)]),
    task: taskRun === null ? null : labelOf(taskRun),
    attempt,
    attempts: Math.max(attempt, retry.retries + 1),
    frame,
  };
  // A sub-flow passes on its run's failure, which has its own origin.
  const { origin: _below, ...rest } = failure;
  return { origin, ...rest };
}

/** The task run whose error a code flow's body threw, directly or as a cause; null if neither. */
function thrownBy(failure: Failure, failed: ReadonlyMap<string, TaskRun>): TaskRun | null {
  for (let at: Failure | null = failure; at !== null; at = at.cause) {
    const { name, message } = at;
    for (const row of failed.values()) if (row.error?.message === message && row.error.name === name) return row;
  }
  return null;
}

/** The frame of the failure, or of the nearest cause that has one. */
function frameOf(failure: Failure): string | null {
  for (let at: Failure | null = failure; at !== null; at = at.cause) {
    const frame = userFrame(at.stack);
    if (frame !== null) return `${shown(frame.file)}:${frame.line}`;
  }
  return null;
}

function shown(file: string): string {
  const path = relative(process.cwd(), file);
  return path.startsWith('..') || isAbsolute(path) ? file : path;
}

function labelOf({ displayName, index, name }: TaskRun): string {
  return displayName ?? (index === null ? name : `${name}[${index}]`);
}

/** Ids, numbers and quoted values vary between failures. */
function withoutNumbers(message: string): string {
  return cutText(message, 2_000)
    .replace(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi, '#')
    .replace(/"[^"]*"|'[^']*'|`[^`]*`/g, '#')
    .replace(/0x[0-9a-f]+|\d+(?:[.,:]\d+)*/gi, '#');
}

function keyOf(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}
