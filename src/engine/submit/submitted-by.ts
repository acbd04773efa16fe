/** Who submits a run: named by the options, else the run whose code does it. */
import { BatutaError } from '../../base/errors.ts';
import { cutText, isLongerThan } from '../../base/cut-text.ts';
import { currentScope } from '../../model/run-context.ts';
import { maxCallerChars, type Submitted, type SubmittedOptions } from '../../model/submitted.ts';
import { activeTraceparent, isTraceparent, traceparentOf } from '../../model/trace.ts';

/**
 * What is stored with the new run's parameters.
 *
 * @param parent of a sub-flow: its own row names its submitter
 * @throws BatutaError OPTION_INVALID
 */
export function submittedBy(
  { traceparent, callerRunId, refreshCache = false, replayOf }: SubmittedOptions,
  parent?: { readonly runId: string; readonly taskRunId: string },
): Submitted {
  if (traceparent !== undefined && !isTraceparent(String(traceparent))) throw refusal(traceparent, 'traceparent (W3C Trace Context)');
  if (callerRunId !== undefined && !isCallerId(callerRunId)) throw refusal(callerRunId, `callerRunId: 1 to ${maxCallerChars} characters`);
  if (typeof refreshCache !== 'boolean') throw refusal(refreshCache, 'refreshCache: true or false');
  if (replayOf !== undefined && !isCallerId(replayOf)) throw refusal(replayOf, 'replayOf: the id of a run');
  const scope = currentScope();
  // A sub-flow is below the task run that represents it.
  const around = parent === undefined ? (activeTraceparent() ?? undefined) : undefined;
  const trace =
    traceparent ??
    around ??
    (scope && traceparentOf(scope.runId, parent?.taskRunId ?? scope.taskRunId ?? scope.runId, scope.traceparent ?? null));
  const caller = callerRunId ?? (parent ? undefined : scope?.runId);
  return {
    ...(trace === undefined ? {} : { traceparent: trace }),
    ...(caller === undefined ? {} : { callerRunId: caller }),
    ...(refreshCache ? { refreshCache } : {}),
    ...(replayOf === undefined ? {} : { replayOf }),
  };
}

/** Whether a text may name a submitter. */
export function isCallerId(text: unknown): text is string {
  return typeof text === 'string' && text !== '' && !isLongerThan(text, maxCallerChars) && !/[\p{Cc}\p{Cs}]/u.test(text);
}

function refusal(given: unknown, what: string): BatutaError {
  return new BatutaError('OPTION_INVALID', `${cutText(JSON.stringify(given) ?? String(given), 60, '…')} is no ${what}.`);
}
