/**
 * Spans for a program that has a tracer provider of its own: they are made by its API, and go wherever its spans go.
 *
 * The ids of these spans are known before they are made, which the API has no word for: a span is made as usual, and then says of itself what its ids
 * are. Its processors and exporters ask it, as the SDK of OpenTelemetry has them do.
 */
import { context, ROOT_CONTEXT, trace, type Attributes, type Tracer } from '@opentelemetry/api';
import { packageVersion } from '../base/installed.ts';
import type { Middleware } from '../model/middleware.ts';
import { currentScope } from '../model/run-context.ts';
import type { SpanRecord } from '../model/span.ts';
import { contextOfScope } from './context-manager.ts';
import type { Sampling } from './run-spans.ts';
import type { RunTrace, SpanSink, TaskRow } from './span-sink.ts';
import { spansOfTask } from './task-spans.ts';

export class ForeignSpans implements SpanSink {
  readonly #tracer: Tracer = trace.getTracer('batuta', packageVersion());

  addTask(of: RunTrace, row: TaskRow): void {
    for (const span of spansOfTask(of, row)) this.addSpan(span);
  }

  addSpan({
    name,
    kind,
    traceId,
    spanId,
    parentSpanId,
    startMs,
    endMs,
    attributes,
    hasFailed,
    message,
    links,
    events = [],
  }: SpanRecord): void {
    const parent =
      parentSpanId === null
        ? ROOT_CONTEXT
        : trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId: parentSpanId, traceFlags: 1, isRemote: true });
    const span = this.#tracer.startSpan(
      name,
      {
        ...{ kind, startTime: startMs, root: parentSpanId === null, attributes: attributes as Attributes },
        links: links.map((link) => ({
          context: { traceId: link.traceId, spanId: link.spanId, traceFlags: 1 },
          attributes: (link.attributes ?? {}) as Attributes,
        })),
      },
      parent,
    );
    const own = { ...span.spanContext(), traceId, spanId };
    span.spanContext = () => own;
    for (const event of events) span.addEvent(event.name, (event.attributes ?? {}) as Attributes, event.atMs);
    if (hasFailed) span.setStatus({ code: 2, ...(message === null ? {} : { message }) });
    span.end(endMs);
  }

  async close(): Promise<void> {
    // What it has made is for the program to export.
  }
}

/** Has the user's code find the span of its attempt, or of its run, as the active one. */
export function activeInRuns(sampling: Sampling): Middleware {
  return (_ctx, next) => {
    const scope = currentScope();
    return scope === undefined ? next() : context.with(contextOfScope(scope, sampling), next);
  };
}

/** What the submitter has decided; where nothing is known of that, the provider decides about each span. */
export const foreignSampling: Sampling = (_traceId, parent) => parent?.isSampled ?? true;
