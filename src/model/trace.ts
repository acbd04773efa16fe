/** The trace of a run, as W3C Trace Context has it: one trace for a run and its sub-flows, one span for each run and task run. */
import { hash } from 'node:crypto';

/** Versions after 00 may add parts, which are not for us. */
const form = /^(?!ff)[0-9a-f]{2}-(?<trace>(?!0{32})[0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-(?<flags>[0-9a-f]{2})(?:-.*)?$/;

/** Whether a text is a `traceparent`. Source: https://www.w3.org/TR/trace-context/#traceparent-header */
export function isTraceparent(text: string): boolean {
  return text.length <= 256 && form.test(text) && (!text.startsWith('00') || text.length === 55);
}

/** Id of the trace of a `traceparent`; null for a text that is none. */
export function traceIdIn(text: string): string | null {
  return isTraceparent(text) ? (form.exec(text)?.groups?.['trace'] ?? null) : null;
}

/** Id of the trace, 32 hexadecimal digits: that of the request which submitted the run, else made of the id of the run. */
export function traceIdOf(runId: string, traceparent: string | null): string {
  return form.exec(traceparent ?? '')?.groups?.['trace'] ?? digitsOf(runId);
}

/**
 * The `traceparent` that code hands on.
 *
 * @param spanOwner id of the task run, or of the run outside of tasks
 * @param traceparent what the run was submitted with, else null; then the trace counts as sampled
 */
export function traceparentOf(runId: string, spanOwner: string, traceparent: string | null): string {
  const flags = form.exec(traceparent ?? '')?.groups?.['flags'] ?? '01';
  return `00-${traceIdOf(runId, traceparent)}-${digitsOf(spanOwner).slice(16)}-${flags}`;
}

/** The digits of a UUID; of any other id digits that follow from it. */
function digitsOf(id: string): string {
  const digits = id.replaceAll('-', '').toLowerCase();
  return /^[0-9a-f]{16}(?!0{16})[0-9a-f]{16}$/.test(digits) ? digits : hash('sha256', id, 'hex').slice(0, 32);
}
