/** What the engine asks of traces. Without it, none are made. */
import type { SpanNotes, SpanRecord } from '../model/span.ts';

/** Takes what is traced in the thread or process of a task. */
export interface GuestTraces {
  /** A span that its code has ended. */
  takeSpan(span: SpanRecord): void;
  /** What its code has said of the span of its attempt. */
  takeNotes(notes: SpanNotes): void;
}

export interface RunTracer {
  /**
   * Notes that a run is submitted, as a span of its own.
   *
   * @param traceparent where it is submitted, else undefined
   * @returns what the run is recorded with: it hangs below that span
   */
  submit(run: { readonly id: string; readonly flow: string }, traceparent: string | undefined): string;
  /** Takes what a task has traced in its thread or process; null where its code has a provider of its own. */
  readonly guests: GuestTraces | null;
}
