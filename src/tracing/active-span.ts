/**
 * The span that is active in the code of a run: that of its attempt, or of the run in a flow's body. It is made when its end is on record; what the code
 * says of it until then is noted. Its end and its name are not the code's to say.
 */
import type { Attributes, AttributeValue, Exception, Link, Span, SpanContext, SpanStatus, TimeInput } from '@opentelemetry/api';
import type { SpanAttributes, SpanNotes } from '../model/span.ts';

/** Attributes, and events, of one span that are kept. */
const mostOfOne = 128;
/** Spans whose notes are kept at the same time: those of attempts that are never heard of again must not fill the memory. */
const mostSpans = 10_000;

const noted = new Map<string, { readonly notes: SpanNotes }>();

/** Keeps notes that were made in a thread or process. */
export function keepNotes(notes: SpanNotes): void {
  if (noted.size < mostSpans) noted.set(notes.spanId, { notes });
}

/** What was noted of a span, which is forgotten; null for nothing. */
export function takeNotes(spanId: string): SpanNotes | null {
  if (noted.size === 0) return null;
  const span = noted.get(spanId);
  noted.delete(spanId);
  return span?.notes ?? null;
}

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

  setAttribute(key: string, value: AttributeValue): this {
    if (this.#attributes.size < mostOfOne || this.#attributes.has(key)) this.#attributes.set(key, value);
    keep(this);
    return this;
  }

  setAttributes(attributes: Attributes): this {
    for (const [key, value] of Object.entries(attributes)) if (value !== undefined) this.setAttribute(key, value);
    return this;
  }

  addEvent(name: string, given?: Attributes | TimeInput, time?: TimeInput): this {
    const at = isTime(given) ? given : time;
    const attributes = isTime(given) ? {} : (given ?? {});
    if (this.#events.length < mostOfOne) this.#events.push({ name, atMs: msOf(at) ?? this.#now(), attributes });
    keep(this);
    return this;
  }

  recordException(exception: Exception, time?: TimeInput): void {
    const { name, message, stack } = (typeof exception === 'string' ? { message: exception } : exception) as Error;
    const attributes: Attributes = { 'exception.type': name, 'exception.message': message };
    if (stack !== undefined) attributes['exception.stacktrace'] = stack;
    this.addEvent('exception', attributes, time);
  }

  setStatus({ code, message }: SpanStatus): this {
    this.#failure = code === 2 ? (message ?? '') : null;
    keep(this);
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

function keep(span: ActiveSpan): void {
  if (noted.size < mostSpans) noted.set(span.spanContext().spanId, span);
}

function isTime(value: unknown): value is TimeInput {
  return typeof value === 'number' || value instanceof Date || Array.isArray(value);
}

function msOf(time: TimeInput | undefined): number | null {
  if (time instanceof Date) return time.getTime();
  if (Array.isArray(time)) return time[0] * 1_000 + time[1] / 1e6;
  return typeof time === 'number' && time > 1e11 ? time : null;
}
