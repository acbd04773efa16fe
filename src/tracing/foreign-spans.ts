/**
 * Spans for a program with its own tracer provider: they are made through its API and go where its spans go.
 *
 * The ids of these spans are known in advance, which the API does not support: a span is made as usual, then its reported ids are
 * overridden. Processors and exporters read them from the span, as in OpenTelemetry's SDK.
 */
import { context, ROOT_CONTEXT, trace, type Attributes, type Tracer } from '@opentelemetry/api';
import type { Logger } from 'pino';
import { environmentVariable } from '../base/config.ts';
import { packageVersion } from '../base/installed.ts';
import type { Middleware } from '../model/middleware.ts';
import { currentScope } from '../model/run-context.ts';
import type { SpanRecord } from '../model/span.ts';
import { contextOfScope } from './context-manager.ts';
import type { Sampling } from './run-spans.ts';
import { readSampler, samplingOf } from './sampler.ts';
import { spansOfRow } from './row-spans.ts';
import { type RunTrace, type SpanRow, type SpanSink, withoutSecrets } from './span-sink.ts';

export class ForeignSpans implements SpanSink {
  readonly #tracer: Tracer = trace.getTracer('batuta', packageVersion());
  readonly #log: Logger;
  #hasFailed = false;

  constructor(log: Logger) {
    this.#log = log;
  }

  addRow(of: RunTrace, row: SpanRow): void {
    for (const span of spansOfRow(of, row)) this.addSpan(span);
  }

  /** Errors of the program's provider, including its processors and exporters, are logged: runs do not fail because of them. */
  addSpan(span: SpanRecord): void {
    try {
      this.#make(withoutSecrets(span));
    } catch (err) {
      if (!this.#hasFailed) this.#log.warn({ err }, 'The tracer provider of this program failed to accept a span; this is logged once.');
      this.#hasFailed = true;
    }
  }

  async close(): Promise<void> {
    // The program exports the spans.
  }

  #make({
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
}

/** Makes the span of the attempt, or of the run, the active one in the user's code. */
export function activeInRuns(sampling: Sampling): Middleware {
  return (_ctx, next) => {
    const scope = currentScope();
    return scope === undefined ? next() : context.with(contextOfScope(scope, sampling), next);
  };
}

/** The submitter's decision, else that of the variables, which the provider reads as well: a sampler set in code cannot be queried. */
export function openForeignSampling(): Sampling {
  const byVariables = samplingOf(readSampler(environmentVariable, () => undefined));
  return (traceId, parent) => parent?.isSampled ?? byVariables(traceId, null);
}
