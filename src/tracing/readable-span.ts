/** Spans in the form OpenTelemetry exporters take. */
import type { HrTime, SpanContext } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { SpanRecord } from '../model/span.ts';
import type { SpanBatch } from './exporter-protocol.ts';
import { spansOfRow } from './row-spans.ts';
import { rowFields, type RunTrace, type SpanRow } from './span-sink.ts';

/** Fields shared by all spans of a process. */
export interface SpanMaker {
  readonly resource: Resource;
  /** Batuta's version. */
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
    part.push(new ExportedSpan(span, maker) as ReadableSpan);
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

/** The fields that exporters read; one object per span, all of one shape. */
class ExportedSpan implements Omit<ReadableSpan, 'parentSpanContext'> {
  readonly name: string;
  readonly kind: number;
  readonly parentSpanContext: SpanContext | undefined;
  readonly startTime: HrTime;
  readonly endTime: HrTime;
  readonly status: ReadableSpan['status'];
  readonly attributes: ReadableSpan['attributes'];
  readonly links: ReadableSpan['links'];
  readonly events: ReadableSpan['events'];
  readonly ended = true;
  readonly resource: Resource;
  readonly instrumentationScope: ReadableSpan['instrumentationScope'];
  readonly droppedAttributesCount = 0;
  readonly droppedEventsCount = 0;
  readonly droppedLinksCount = 0;
  readonly #context: SpanContext;

  constructor(span: SpanRecord, { resource, version }: SpanMaker) {
    const { traceId, parentSpanId, startMs, endMs, hasFailed, message, links, events, scope } = span;
    this.#context = contextOf(traceId, span.spanId);
    this.name = span.name;
    this.kind = span.kind;
    this.parentSpanContext = parentSpanId === null ? undefined : contextOf(traceId, parentSpanId);
    this.startTime = hrTime(startMs);
    this.endTime = endMs === startMs ? this.startTime : hrTime(endMs);
    this.status = !hasFailed ? unset : message === null ? { code: 2 } : { code: 2, message };
    this.attributes = span.attributes as ReadableSpan['attributes'];
    this.links = links.length === 0 ? [] : links.map(linkOf);
    this.events = events === undefined ? [] : events.map(eventOf);
    this.resource = resource;
    this.instrumentationScope = (scope ?? { name: 'batuta', version }) as ReadableSpan['instrumentationScope'];
  }

  spanContext(): SpanContext {
    return this.#context;
  }

  get duration(): HrTime {
    const [[from, fromNanos], [to, toNanos]] = [this.startTime, this.endTime];
    return hrTime(Math.max(0, (to - from) * 1_000 + (toNanos - fromNanos) / 1e6));
  }
}

const unset = { code: 0 };

function linkOf({ traceId, spanId, attributes = {} }: SpanRecord['links'][number]): ReadableSpan['links'][number] {
  return { context: contextOf(traceId, spanId), attributes: attributes as ReadableSpan['attributes'] };
}

function eventOf({ name, atMs, attributes = {} }: NonNullable<SpanRecord['events']>[number]): ReadableSpan['events'][number] {
  return { name, time: hrTime(atMs), attributes: attributes as ReadableSpan['attributes'] };
}

function contextOf(traceId: string, spanId: string): SpanContext {
  return { traceId, spanId, traceFlags: 1 };
}

function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1_000);
  return [seconds, Math.round((ms - seconds * 1_000) * 1e6)];
}
