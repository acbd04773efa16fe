/** The engine's interface to traces. Without it, none are made. */
import type { SpanNotes, SpanRecord } from '../model/span.ts';

/** Takes the traces of a task's thread or process. */
export interface GuestTraces {
  /** Takes a span its code has ended. */
  takeSpan(span: SpanRecord): void;
  /** Takes its code's notes on the span of its attempt. */
  takeNotes(notes: SpanNotes): void;
}

export interface RunTracer {
  /**
   * Records the submit of a run as its own span.
   *
   * @param traceparent that of the submitter, if any
   * @returns the traceparent to record with the run: its parent is that span
   */
  submit(run: { readonly id: string; readonly flow: string }, traceparent: string | undefined): string;
  /** Takes the traces of a task's thread or process; null if its code has its own provider. */
  readonly guests: GuestTraces | null;
}
