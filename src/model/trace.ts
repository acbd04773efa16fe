/** The trace of a run, per W3C Trace Context: one trace for a run and its sub-flows, one span for each run and task run. */
import { hash } from 'node:crypto';

/** Versions after 00 may add parts, ignored here. */
const form = /^(?!ff)[0-9a-f]{2}-(?<trace>(?!0{32})[0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-(?<flags>[0-9a-f]{2})(?:-.*)?$/;

/** The usual form of ids; most match. */
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const noSpan = '0000000000000000';

/** Whether a text is a `traceparent`. Source: https://www.w3.org/TR/trace-context/#traceparent-header */
export function isTraceparent(text: string): boolean {
  return text.length <= 256 && form.test(text) && (!text.startsWith('00') || text.length === 55);
}

/** Trace id of a `traceparent`; null for other text. */
export function traceIdIn(text: string): string | null {
  return isTraceparent(text) ? (form.exec(text)?.groups?.['trace'] ?? null) : null;
}

/** Trace id, 32 hexadecimal digits: that of the submitting request, else derived from the run's id. */
export function traceIdOf(runId: string, traceparent: string | null): string {
  return form.exec(traceparent ?? '')?.groups?.['trace'] ?? digitsOf(runId);
}

/** Address of a trace. @param template with `{traceId}` in it; null: none */
export function traceUrlOf(template: string | null, traceId: string): string | null {
  return template?.replaceAll('{traceId}', traceId) ?? null;
}

/**
 * The `traceparent` to pass on.
 *
 * @param spanOwner id of the task run, or of the run outside tasks
 * @param traceparent what the run was submitted with, else null; then the trace counts as sampled
 */
export function traceparentOf(runId: string, spanOwner: string, traceparent: string | null): string {
  const flags = form.exec(traceparent ?? '')?.groups?.['flags'] ?? '01';
  return `00-${traceIdOf(runId, traceparent)}-${spanIdOf(spanOwner)}-${flags}`;
}

/** Parts of a `traceparent`; null for other text. */
export function readTraceparent(
  text: string | null | undefined,
): { readonly traceId: string; readonly spanId: string; readonly isSampled: boolean } | null {
  if (text === null || text === undefined || !isTraceparent(text)) return null;
  const [, traceId = '', spanId = '', flags = ''] = text.split('-');
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/**
 * Span id of a run or task run, 16 hexadecimal digits. Derived from the id, so that every process of a fleet knows it: work executed
 * elsewhere, or later after a crash, belongs to the same span.
 */
export function spanIdOf(id: string): string {
  if (!uuid.test(id)) return digitsOf(id).slice(16);
  const last = id.slice(19, 23) + id.slice(24);
  return last === noSpan ? digitsOf(id).slice(16) : last;
}

/** Span id of one attempt of a task run. Span ids of UUIDs begin with 8, 9, a or b, these with a lower digit. */
export function attemptSpanIdOf(taskRunId: string, attempt: number): string {
  return attemptSpanIdBelow(spanIdOf(taskRunId), attempt);
}

/** The same if the task run's span is known. */
export function attemptSpanIdBelow(own: string, attempt: number): string {
  if (attempt <= 7) return attempt + own.slice(1);
  const low = (Number.parseInt(own.slice(8), 16) ^ (attempt >>> 3)) >>> 0;
  return `${attempt & 7}${own.slice(1, 8)}${low.toString(16).padStart(8, '0')}`;
}

/** OpenTelemetry's API, as its copies in a process find it. */
const openTelemetry = Symbol.for('opentelemetry.js.api.1');
const spanKey = Symbol.for('OpenTelemetry Context Key SPAN');

interface OpenTelemetryGlobals {
  readonly trace?: unknown;
  readonly context?: { active(): { getValue(key: symbol): unknown } };
}

interface SpanLike {
  spanContext(): { readonly traceId: string; readonly spanId: string; readonly traceFlags: number };
}

function globals(): OpenTelemetryGlobals | undefined {
  return (globalThis as { [openTelemetry]?: OpenTelemetryGlobals })[openTelemetry];
}

/** Whether the program registered an OpenTelemetry tracer provider. Checked without loading it. */
export function hasTracerProvider(): boolean {
  return globals()?.trace !== undefined;
}

/** The `traceparent` of the calling code's OpenTelemetry span; null if there is none, as in a process without traces. */
export function activeTraceparent(): string | null {
  const span = globals()?.context?.active().getValue(spanKey) as SpanLike | undefined;
  if (span === undefined) return null;
  const { traceId, spanId, traceFlags } = span.spanContext();
  const text = `00-${traceId}-${spanId}-${(traceFlags & 0xff).toString(16).padStart(2, '0')}`;
  return isTraceparent(text) ? text : null;
}

/** The digits of a UUID; for any other id, digits derived from it. */
function digitsOf(id: string): string {
  const digits = id.replaceAll('-', '').toLowerCase();
  return /^[0-9a-f]{16}(?!0{16})[0-9a-f]{16}$/.test(digits) ? digits : hash('sha256', id, 'hex').slice(0, 32);
}
