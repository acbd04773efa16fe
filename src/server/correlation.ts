/** Where a request comes from, by its headers, and which run its answer is about: sent in the answer and logged. */
import type { FastifyRequest } from 'fastify';
import { isCallerId } from '../engine/submit/submitted-by.ts';
import type { SubmittedOptions } from '../model/submitted.ts';
import { isTraceparent, traceIdIn } from '../model/trace.ts';
import type { App } from './parts.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Id of the run the answer is about, null if unknown. */
    runId: string | null;
  }
}

const runIdHeader = 'x-run-id';

/** Adds `x-run-id` to answers about one run. Call before adding routes. */
export function addCorrelation(app: App): void {
  app.decorateRequest('runId', null);
  app.addHook('onSend', async ({ runId }, reply, payload) => {
    if (runId !== null) void reply.header(runIdHeader, runId);
    return payload;
  });
}

/** Header values for a run to be made; the body takes precedence. Malformed headers count as absent. */
export function submittedFrom({ headers }: FastifyRequest, given: SubmittedOptions): Pick<SubmittedOptions, 'traceparent' | 'callerRunId'> {
  const { [runIdHeader]: caller, traceparent } = headers;
  return {
    traceparent: given.traceparent ?? (isHeld(traceparent) && isTraceparent(traceparent) ? traceparent : undefined),
    callerRunId: given.callerRunId ?? (isCallerId(caller) ? caller : undefined),
  };
}

/** Log fields of a request. */
export function correlationFields({ headers, runId }: FastifyRequest): Readonly<Record<string, string>> {
  const { [runIdHeader]: caller, traceparent } = headers;
  const traceId = isHeld(traceparent) ? traceIdIn(traceparent) : null;
  return {
    ...(runId === null ? {} : { aboutRunId: runId }),
    ...(isCallerId(caller) ? { callerRunId: caller } : {}),
    ...(traceId === null ? {} : { traceId }),
  };
}

function isHeld(header: string | readonly string[] | undefined): header is string {
  return typeof header === 'string';
}
