/** A span as plain data: sent from threads to their process, and on to the thread that exports it. */

/** Values OpenTelemetry allows for attributes. */
export type SpanValue = string | number | boolean | readonly (string | number | boolean | null | undefined)[];
export type SpanAttributes = Readonly<Record<string, SpanValue | undefined>>;

export interface SpanLink {
  readonly traceId: string;
  readonly spanId: string;
  readonly attributes?: SpanAttributes;
}

/** Times are UTC epoch ms, possibly fractional. */
export interface SpanRecord {
  readonly name: string;
  /** OpenTelemetry's numbers: 0 internal, 1 server, 2 client, 3 producer, 4 consumer. */
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  /** Null: the root of its trace. */
  readonly parentSpanId: string | null;
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: SpanAttributes;
  readonly hasFailed: boolean;
  /** Why it failed. */
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

/** Notes of a run's code on its active span, which is created once its end is recorded. Plain data. */
export interface SpanNotes {
  readonly spanId: string;
  readonly attributes: SpanAttributes;
  readonly events: NonNullable<SpanRecord['events']>;
  /** Why the code says it failed; null: it does not. */
  readonly failure: string | null;
}
