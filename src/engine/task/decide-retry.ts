/** Whether a failed attempt is followed by another, and after how long. */
import { isBatutaError } from '../../base/errors.ts';
import { isNonRetryable, retryDelayMs } from '../../model/retry.ts';
import { runScope } from '../../model/run-context.ts';
import type { TaskAttempt } from './task-attempt.ts';

/** An attempt that has failed. */
export interface FailedAttempt {
  readonly kind: 'failed';
  readonly execution: TaskAttempt;
  readonly error: unknown;
  readonly timedOut: boolean;
}

/**
 * How long to wait before the next attempt, ms; null if there is none.
 *
 * @param failures attempts that have failed, including this one
 */
export async function decideRetry({ execution, error }: FailedAttempt, failures: number): Promise<number | null> {
  return (await mayRetry(execution, error, failures)) ? delayMs(execution, error, failures) : null;
}

async function mayRetry(execution: TaskAttempt, error: unknown, failures: number): Promise<boolean> {
  const { active, definition, attempt } = execution;
  const { retry } = definition;
  if (active.stopReason || failures > retry.retries || isFinal(error)) return false;
  if (retry.retryIf === null) return true;
  try {
    const { retryIf } = retry;
    return await active.untilForced(() => runScope.run(execution, () => retryIf(error, attempt)));
  } catch (thrown) {
    if (active.stopReason) return false;
    execution.log.error({ err: thrown }, 'retryIf threw; the task is not retried.');
    return false;
  }
}

function delayMs(execution: TaskAttempt, error: unknown, failures: number): number {
  try {
    const { definition, active } = execution;
    return runScope.run(execution, () => retryDelayMs(definition.retry, failures, error, active.services.random));
  } catch (thrown) {
    execution.log.error({ err: thrown }, 'retryDelay threw; the next attempt follows at once.');
    return 0;
  }
}

const finalCodes = [
  'RESULT_NOT_SERIALIZABLE',
  'ISOLATION_UNAVAILABLE',
  'CACHE_KEY_INVALID',
  'SECRET_EXPOSED',
  'RESOURCE_SCOPE',
  'RESOURCE_CYCLE',
  'RESOURCE_DUPLICATE',
  'MIDDLEWARE_MISUSED',
  'STREAM_MISUSED',
  'STREAM_DEADLOCK',
  'TOO_MANY_REJECTS',
] as const;

/** Errors that another attempt cannot fix. */
function isFinal(error: unknown): boolean {
  return isNonRetryable(error) || finalCodes.some((code) => isBatutaError(error, code));
}
