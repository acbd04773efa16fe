/**
 * The span that is active in the code of a run: that of its attempt, or of the run in a flow's body. It is made when its end is on record; what the code
 * says of it until then is noted. Its end and its name are not the code's to say.
 */
import type { Attributes, AttributeValue, Exception, Link, Span, SpanContext, SpanStatus, TimeInput } from '@opentelemetry/api';
import { isAttributeValue, sanitizeAttributes } from '@opentelemetry/core';
import { withoutHidden, withoutHiddenIn } from '../base/hidden-values.ts';
import type { SpanAttributes, SpanNotes } from '../model/span.ts';

/** Attributes, and events, of one span that are kept. */
const mostOfOne = 128;
/** Spans whose notes are kept at the same time, the newest: those of attempts that are never heard of again must not fill the memory. */
const mostSpans = 10_000;

const noted = new Map<string, { readonly notes: SpanNotes }>();

/** Keeps notes that were made in a thread or process. */
export function keepNotes(notes: SpanNotes): void {
  put(notes.spanId, { notes });
}

/** What was noted of a span, which is forgotten; null for nothing. */
export function takeNotes(spanId: string): SpanNotes | null {
  if (noted.size === 0) return null;
  const span = noted.get(spanId);
  noted.delete(spanId);
  return span?.notes ?? null;
}

/** What was noted in this process. */
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

  /** A value that OpenTelemetry does not know is left out, as its SDK leaves it out: it could not be handed on. Secrets are hidden at once, while they are known. */
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

  /** Links are those to its own earlier attempts. */
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
    // It ends when its attempt is recorded.
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
