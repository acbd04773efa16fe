/** What an attempt has to have before it begins: slots of limits, and a place for its thread or process. */
import { BatutaError } from '../../base/errors.ts';
import type { TaskRun } from '../../model/run.ts';
import type { TaskDefinition } from '../../model/task.ts';
import type { RunAttempt } from '../run/run-attempt.ts';

/** The run was stopped before the attempt began. */
export interface Stopped {
  readonly kind: 'stopped';
  readonly error: BatutaError;
}

export interface AttemptWaiting<Attempt> {
  /** Records that it waits, and for what. */
  awaits(message: string): void;
  attempt(): Promise<Attempt>;
}

/** An attempt that needs a slot of each of these limits first. */
export async function underLimits<Attempt>(
  active: RunAttempt,
  { name, priority }: TaskDefinition,
  row: TaskRun,
  names: readonly string[],
  { awaits, attempt }: AttemptWaiting<Attempt>,
): Promise<Attempt | Stopped> {
  const { services, signal, stopReason, record, run, isSpread } = active;
  if (stopReason) return { kind: 'stopped', error: stopReason };
  const wish = {
    ...{ holder: row.id, runId: row.runId, epoch: record.claim.epoch, spread: isSpread },
    ...{ names, task: name, priority: priority === 0 ? run.priority : priority },
  };
  const held = await services.limits.tasks.take(wish, signal, awaits);
  if (!held) return stopped(active);
  try {
    return await attempt();
  } finally {
    held.give();
  }
}

/** An attempt in a thread or process of its own: no sooner than there is a place for it, for its timeout begins with it. */
export async function apart<Attempt>(
  active: RunAttempt,
  definition: TaskDefinition,
  { awaits, attempt }: AttemptWaiting<Attempt>,
): Promise<Attempt | Stopped> {
  const { isolate } = active.services;
  const waiting = isolate.takePlace(definition, active.signal);
  if (waiting) {
    awaits(waiting.message);
    if (!(await waiting.taken)) return stopped(active);
  }
  try {
    return await attempt();
  } finally {
    isolate.givePlace(definition);
  }
}

function stopped({ stopReason }: Pick<RunAttempt, 'stopReason'>): Stopped {
  return { kind: 'stopped', error: stopReason ?? new BatutaError('INTERNAL', 'The run was stopped.') };
}
