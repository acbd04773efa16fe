/** Spans that user code makes with the OpenTelemetry API, if the program has no provider of its own: they go where those of runs go. */
import { context, type HrTime, propagation, trace } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { TracerProvider, type ReadableSpan, type Sampler, type SpanProcessor } from '@opentelemetry/sdk-trace';
import type { SpanAttributes, SpanRecord } from '../model/span.ts';
import { RunContextManager } from './context-manager.ts';
import { samplingOf } from './sampler.ts';

/** Registers the provider. Returns a function that unregisters it. @param take receives each ended span that is to be exported */
export function registerProvider(sampler: Sampler, take: (span: SpanRecord) => void): () => void {
  const processor: SpanProcessor = {
    onStart: () => undefined,
    onEnd: (span) => {
      if ((span.spanContext().traceFlags & 1) === 1) take(recordOf(span));
    },
    forceFlush: async () => undefined,
    shutdown: async () => undefined,
  };
  // If the program has one itself, it stays.
  const hasProvider = trace.setGlobalTracerProvider(new TracerProvider({ sampler, spanProcessors: [processor] }));
  const hasContexts = context.setGlobalContextManager(new RunContextManager(samplingOf(sampler)));
  const hasPropagator = propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  return () => {
    if (hasProvider) trace.disable();
    if (hasContexts) context.disable();
    if (hasPropagator) propagation.disable();
  };
}

function recordOf(span: ReadableSpan): SpanRecord {
  const { traceId, spanId } = span.spanContext();
  const { name, kind, parentSpanContext, startTime, endTime, status, attributes, links, events, instrumentationScope } = span;
  return {
    ...{ name: String(name), kind, traceId, spanId, parentSpanId: parentSpanContext?.spanId ?? null },
    ...{ startMs: msOf(startTime), endMs: msOf(endTime), attributes },
    ...{ hasFailed: status.code === 2, message: status.message ?? null },
    links: links.map((link) => ({
      traceId: link.context.traceId,
      spanId: link.context.spanId,
      attributes: (link.attributes ?? {}) as SpanAttributes,
    })),
    events: events.map((event) => ({ name: event.name, atMs: msOf(event.time), attributes: (event.attributes ?? {}) as SpanAttributes })),
    scope: { name: instrumentationScope.name, version: instrumentationScope.version },
  };
}

function msOf([seconds, nanos]: HrTime): number {
  return seconds * 1_000 + nanos / 1e6;
}
