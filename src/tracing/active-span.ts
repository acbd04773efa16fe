/**
 * The active span in the code of a run: that of its attempt, or of the run in a flow's body. It is made once its end is recorded; what the
 * code sets on it before is noted. The code cannot set its end or name.
 */
import type { Attributes, AttributeValue, Exception, Link, Span, SpanContext, SpanStatus, TimeInput } from '@opentelemetry/api';
import { isAttributeValue, sanitizeAttributes } from '@opentelemetry/core';
import { withoutHidden, withoutHiddenIn } from '../base/hidden-values.ts';
import type { SpanAttributes, SpanNotes } from '../model/span.ts';

/** Most attributes, and most events, kept of one span. */
const mostOfOne = 128;
/** Most spans with notes, the newest: those of attempts that never end must not fill memory. */
const mostSpans = 10_000;

const noted = new Map<string, { readonly notes: SpanNotes }>();

/** Keeps notes made in a thread or process. */
export function keepNotes(notes: SpanNotes): void {
  put(notes.spanId, { notes });
}

/** Removes and returns the notes on a span; null if there are none. */
export function takeNotes(spanId: string): SpanNotes | null {
  if (noted.size === 0) return null;
  const span = noted.get(spanId);
  noted.delete(spanId);
  return span?.notes ?? null;
}

/** The notes of this process. */
export const notes = { areThere: () => noted.size > 0, take: takeNotes };

export class ActiveSpan implements Span {
  readonly #context: SpanContext;
  readonly #now: () => number;
  readonly #attributes = new Map<string, AttributeValue>();
  readonly #events: SpanNotes['events'][number][] = [];
  #failure: string | null = null;

  /** @param now UTC epoch ms */
  constructor(context: SpanContext, now: () => number) {
    this.#context = context;
    this.#now = now;
  }

  get notes(): SpanNotes {
    return {
      spanId: this.#context.spanId,
      attributes: Object.fromEntries(this.#attributes) as SpanAttributes,
      events: this.#events,
      failure: this.#failure,
    };
  }

  spanContext(): SpanContext {
    return this.#context;
  }

  /** A value type unknown to OpenTelemetry is dropped, as in its SDK: it could not be exported. Secrets are hidden at once, while known. */
  setAttribute(key: string, value: AttributeValue): this {
    if (!this.isRecording() || !isAttributeValue(value)) return this;
    const name = withoutHidden(String(key));
    if (this.#attributes.size < mostOfOne || this.#attributes.has(name)) this.#attributes.set(name, withoutHiddenIn(copied(value)));
    put(this.#context.spanId, this);
    return this;
  }

  setAttributes(attributes: Attributes): this {
    for (const [key, value] of Object.entries(attributes)) if (value !== undefined) this.setAttribute(key, value);
    return this;
  }

  addEvent(name: string, given?: Attributes | TimeInput, time?: TimeInput): this {
    if (!this.isRecording()) return this;
    const at = isTime(given) ? given : time;
    const attributes = withoutHiddenIn(isTime(given) ? {} : sanitizeAttributes(given ?? {})) as SpanAttributes;
    if (this.#events.length < mostOfOne)
      this.#events.push({ name: withoutHidden(String(name)), atMs: msOf(at) ?? this.#now(), attributes });
    put(this.#context.spanId, this);
    return this;
  }

  recordException(exception: Exception, time?: TimeInput): void {
    const { name, message, stack } = (typeof exception === 'string' ? { message: exception } : (exception ?? {})) as Error;
    const attributes: Attributes = { 'exception.type': name, 'exception.message': message };
    if (stack !== undefined) attributes['exception.stacktrace'] = stack;
    this.addEvent('exception', attributes, time);
  }

  setStatus({ code, message }: SpanStatus): this {
    if (!this.isRecording()) return this;
    this.#failure = code === 2 ? withoutHidden(String(message ?? '')) : null;
    put(this.#context.spanId, this);
    return this;
  }

  /** Only links to its own earlier attempts exist. */
  addLink(_link: Link): this {
    return this;
  }

  addLinks(_links: Link[]): this {
    return this;
  }

  updateName(_name: string): this {
    return this;
  }

  end(): void {
    // It ends when the end of its attempt is recorded.
  }

  isRecording(): boolean {
    return (this.#context.traceFlags & 1) === 1;
  }
}

function put(spanId: string, span: { readonly notes: SpanNotes }): void {
  if (noted.size >= mostSpans && !noted.has(spanId)) for (const oldest of noted.keys()) if (noted.delete(oldest)) break;
  noted.set(spanId, span);
}

/** The caller may change a list afterwards. */
function copied(value: AttributeValue): AttributeValue {
  return Array.isArray(value) ? value.slice() : value;
}

function isTime(value: unknown): value is TimeInput {
  return typeof value === 'number' || value instanceof Date || Array.isArray(value);
}

function msOf(time: TimeInput | undefined): number | null {
  if (time instanceof Date) return time.getTime();
  if (Array.isArray(time)) return time[0] * 1_000 + time[1] / 1e6;
  return typeof time === 'number' && time > 1e11 ? time : null;
}
