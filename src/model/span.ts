/** A span as plain data: it goes from threads to their process, and from there to the thread that exports it. */

/** What OpenTelemetry allows as a value of an attribute. */
export type SpanValue = string | number | boolean | readonly (string | number | boolean | null | undefined)[];
export type SpanAttributes = Readonly<Record<string, SpanValue | undefined>>;

export interface SpanLink {
  readonly traceId: string;
  readonly spanId: string;
  readonly attributes?: SpanAttributes;
}

/** Times are UTC epoch ms, and may have a fraction. */
export interface SpanRecord {
  readonly name: string;
  /** As OpenTelemetry counts them: 0 internal, 1 server, 2 client, 3 producer, 4 consumer. */
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  /** Null: it is the root of its trace. */
  readonly parentSpanId: string | null;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: SpanAttributes;
  readonly hasFailed: boolean;
  /** Why it has failed. */
  readonly message: string | null;
  readonly links: readonly SpanLink[];
  readonly events?: readonly { readonly name: string; readonly atMs: number; readonly attributes?: SpanAttributes }[];
  /** What made it; default Batuta. */
  readonly scope?: { readonly name: string; readonly version?: string | undefined };
}

/** Values of `kind`. */
export const internalSpan = 0;
export const producerSpan = 3;
export const consumerSpan = 4;

/** What code of a run has said of the span that is active in it, which is made once its end is on record. Plain data. */
export interface SpanNotes {
  readonly spanId: string;
  readonly attributes: SpanAttributes;
  readonly events: NonNullable<SpanRecord['events']>;
  /** Why the code says it has failed; null: it does not say so. */
  readonly failure: string | null;
}
