/** Spans in the form that exporters of OpenTelemetry take. */
import type { HrTime, SpanContext } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { SpanRecord } from '../model/span.ts';
import type { SpanBatch } from './exporter-protocol.ts';
import { spansOfRow } from './row-spans.ts';
import { rowFields, type RunTrace, type SpanRow } from './span-sink.ts';

/** What all spans of a process share. */
export interface SpanMaker {
  readonly resource: Resource;
  /** Of Batuta. */
  readonly version: string;
}

/** The spans of a batch, `size` at a time. */
export function* readableSpans({ traces, rows, spans }: SpanBatch, maker: SpanMaker, size: number): Generator<ReadableSpan[]> {
  let part: ReadableSpan[] = [];
  const known = tracesOf(traces);
  const all = function* (): Generator<SpanRecord> {
    for (let at = 0; at < rows.length; at += rowFields) {
      const trace = known[rows[at] as number];
      if (trace) yield* spansOfRow(trace, rows.slice(at + 1, at + rowFields) as unknown as SpanRow);
    }
    yield* spans;
  };
  for (const span of all()) {
    part.push(readableSpan(span, maker));
    if (part.length < size) continue;
    yield part;
    part = [];
  }
  if (part.length > 0) yield part;
}

function tracesOf(flat: SpanBatch['traces']): RunTrace[] {
  const traces: RunTrace[] = [];
  for (let at = 0; at < flat.length; at += 5) {
    const [runId, flow, traceId, parentSpanId, owner] = flat.slice(at, at + 5) as [string, string, string, string | null, string];
    traces.push({ runId, flow, traceId, parentSpanId, owner, isSampled: true });
  }
  return traces;
}

function readableSpan(span: SpanRecord, { resource, version }: SpanMaker): ReadableSpan {
  const { traceId, parentSpanId, startMs, endMs, hasFailed, message, events = [], scope } = span;
  const context = contextOf(traceId, span.spanId);
  return {
    name: span.name,
    kind: span.kind,
    spanContext: () => context,
    ...(parentSpanId === null ? {} : { parentSpanContext: contextOf(traceId, parentSpanId) }),
    startTime: hrTime(startMs),
    endTime: hrTime(endMs),
    duration: hrTime(Math.max(0, endMs - startMs)),
    status: hasFailed ? { code: 2, ...(message === null ? {} : { message }) } : { code: 0 },
    attributes: span.attributes as ReadableSpan['attributes'],
    links: span.links.map(({ traceId: of, spanId, attributes = {} }) => ({
      context: contextOf(of, spanId),
      attributes: attributes as ReadableSpan['attributes'],
    })),
    events: events.map(({ name, atMs, attributes = {} }) => ({
      name,
      time: hrTime(atMs),
      attributes: attributes as ReadableSpan['attributes'],
    })),
    ended: true,
    resource,
    instrumentationScope: { name: scope?.name ?? 'batuta', version: scope === undefined ? version : scope.version },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  } as ReadableSpan;
}

function contextOf(traceId: string, spanId: string): SpanContext {
  return { traceId, spanId, traceFlags: 1 };
}

function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1_000);
  return [seconds, Math.round((ms - seconds * 1_000) * 1e6)];
}
