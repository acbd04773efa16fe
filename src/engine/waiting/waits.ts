/** What the body of a code flow waits for: time and signals. Each wait is its own task run, so that it is known after a crash. */
import { type Duration, formatDuration, parseDuration } from '../../base/duration.ts';
import { BatutaError } from '../../base/errors.ts';
import { failureOf } from '../../model/failure.ts';
import type { TaskRun } from '../../model/run.ts';
import { checkSignalName, type Signal, signalTaskName } from '../../model/signal.ts';
import { stateOf } from '../../model/state.ts';
import type { RunAttempt } from '../run/run-attempt.ts';
import { outcomeOf, recordedError, valueOf } from '../task/outcome.ts';
import { newRow } from '../task/task-row.ts';
import { dropped, droppedState, isDropped } from './dropped.ts';

/** The body that waits. */
export interface Waiter {
  readonly active: RunAttempt;
  keyOf(name: string, inputs: readonly unknown[]): string;
}

/** Between polls for a signal, ms. */
const signalPollMs = 200;

/** Waits until the recorded instant. @throws BatutaError DURATION_INVALID, and why the run was stopped */
export async function sleep(waiter: Waiter, duration: Duration): Promise<void> {
  const { active } = waiter;
  const ms = parseDuration(duration);
  const row = beginWait(waiter, 'ctx.sleep', [ms], ms, `Sleeping for ${formatDuration(ms)}.`);
  if (row.state.type !== 'PAUSED') return;
  await active.activity.work(() => waitUntil(active, row.dueAt ?? 0, row.state.message ?? '', false));
  if (active.stopReason) throw active.stopReason;
  if (isDropped(active)) return drop(active, row);
  await active.record.endTask('PAUSED', row, stateOf('COMPLETED'));
}

/** Waits for the next signal of the name. @throws BatutaError WAIT_TIMED_OUT, NAME_INVALID, DURATION_INVALID, and why the run was stopped */
export async function waitForSignal(waiter: Waiter, name: string, timeout: Duration | undefined): Promise<unknown> {
  const { active } = waiter;
  checkSignalName(name);
  const timeoutMs = timeout === undefined ? null : parseDuration(timeout);
  const why = `Waiting for the signal '${name}'${timeoutMs === null ? '' : ` for ${formatDuration(timeoutMs)}`}.`;
  // The timeout is not part of the identity: it is the next signal of its name, however long the wait may take.
  const row = beginWait(waiter, signalTaskName(name), [], timeoutMs, why);
  if (row.state.type !== 'PAUSED') return valueOf(await outcomeOf(active, row));
  const awaited = { runId: active.run.id, name, number: occurrenceOf(row.key) };
  const signal = await active.activity.work(() =>
    active.activity.wait({ dueAt: row.dueAt, why, isRetry: false, signal: awaited }, () => nextSignal(waiter, awaited, row.dueAt)),
  );
  if (active.stopReason) throw active.stopReason;
  if (isDropped(active)) return drop(active, row);
  if (signal) {
    const ended: TaskRun = { ...row, state: stateOf('COMPLETED'), result: signal.data };
    await active.record.endTask('PAUSED', ended, ended.state);
    return valueOf(await outcomeOf(active, ended));
  }
  const error = new BatutaError('WAIT_TIMED_OUT', `The signal '${name}' did not come within ${formatDuration(timeoutMs ?? 0)}.`, {
    details: { signal: name, timeoutMs },
  });
  const failure = failureOf(error);
  await active.record.endTask('PAUSED', row, stateOf('FAILED', 'TimedOut', error.message), { error: failure });
  throw recordedError(failure, error);
}

/** Waits until an instant, counted as waiting, or until the run is stopped. False if the wait was dropped. */
export async function waitUntil(active: RunAttempt, dueAt: number, why: string, isRetry: boolean): Promise<boolean> {
  const { waitSignal, services } = active;
  const restMs = dueAt - services.clock.now();
  if (restMs <= 0) return true;
  if (!waitSignal.aborted)
    await active.activity.wait({ dueAt, why, isRetry }, () => active.sleeps.until(services.clock, restMs, waitSignal));
  return !isDropped(active);
}

/** Which signal of its name a recorded wait is for, from 1. */
export function occurrenceOf(key: string): number {
  return Number(/#.*#(\d+)$/.exec(key)?.[1] ?? 1);
}

/** Records the wait with the instant at which it ends; one recorded before keeps its instant, or has ended. */
export function beginWait(waiter: Waiter, name: string, inputs: readonly unknown[], ms: number | null, message: string): TaskRun {
  const { active } = waiter;
  const key = waiter.keyOf(name, inputs);
  const recorded = active.recorded.get(key);
  if (recorded && ['COMPLETED', 'FAILED', 'PAUSED'].includes(recorded.state.type)) return recorded;
  const now = active.services.clock.now();
  const row: TaskRun = {
    ...(recorded ?? newRow(active, key, name, null, null)),
    state: stateOf('PAUSED', 'Suspended', message),
    attempt: (recorded?.attempt ?? 0) + 1,
    startedAt: now,
    endedAt: null,
    error: null,
    dueAt: ms === null ? null : now + ms,
  };
  // Not awaited: a crash before it is durable only restarts the wait.
  active.record.setTask(null, row).catch(() => undefined);
  return row;
}

export async function drop(active: RunAttempt, row: TaskRun): Promise<never> {
  await active.record.endTask('PAUSED', row, droppedState);
  throw dropped;
}

/** The signal with that number once it arrives; null if the wait is over without it, or nothing waits any more. */
export async function nextSignal(
  { active }: Waiter,
  { runId, name, number }: Pick<Signal, 'runId' | 'name' | 'number'>,
  dueAt: number | null,
): Promise<{ readonly data: string | null } | null> {
  const { waitSignal: ended, services } = active;
  const { store, clock, leaseClock } = services;
  let isOver = false;
  const over = dueAt === null ? null : clock.setTimer(dueAt - clock.now(), () => (isOver = true));
  try {
    while (!ended.aborted) {
      // Read before the poll: a signal that came in time is taken, even if it is seen late.
      const last = isOver;
      const signal = await store.signals.get(runId, name, number);
      if (signal || last) return signal;
      await leaseClock.sleep(signalPollMs, ended).catch(() => undefined);
    }
    return null;
  } finally {
    over?.cancel();
  }
}
