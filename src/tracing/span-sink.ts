/** Where spans go, and the flat form in which those of runs and tasks go there. */
import { hidesValues, withoutHidden, withoutHiddenIn } from '../base/hidden-values.ts';
import type { SpanRecord } from '../model/span.ts';

/** The trace of a run, as far as its spans want to know it. Plain data. */
export interface RunTrace {
  readonly runId: string;
  readonly flow: string;
  readonly traceId: string;
  /** Span that the run hangs below: where it was submitted; null when nothing is known of that. */
  readonly parentSpanId: string | null;
  /** Who works here. */
  readonly owner: string;
  /** Whether its spans are exported. */
  readonly isSampled: boolean;
}

/** Where spans go. */
export interface SpanSink {
  /** Takes what has happened, see `SpanRow`. Costs next to nothing. */
  addRow(trace: RunTrace, row: SpanRow): void;
  addSpan(span: SpanRecord): void;
  /** Exports what is left, for a few seconds at most. @param isHurried drops it; default false */
  close(isHurried?: boolean): Promise<void>;
}

/** What has ended: the task run with its last attempt, the task run alone, an attempt alone, or an attempt whose process was lost. */
export type TaskRowKind = 'task' | 'unrun' | 'attempt' | 'lost';

/**
 * What became of a task run, flat: there may be a hundred thousand, and an object for each would cost more than all else.
 *
 * Times are UTC epoch ms. `startedAt`: of the task run; `attemptStartedAt`: of its last attempt; null before anything was started.
 */
export type TaskRow = readonly [
  kind: TaskRowKind,
  taskRunId: string,
  task: string,
  index: number | null,
  attempt: number,
  isRecovery: boolean,
  startedAt: number | null,
  attemptStartedAt: number | null,
  at: number,
  stateType: string,
  stateName: string,
  message: string | null,
];

/** What became of a run. `tags`: null for none. */
export type RunRow = readonly [
  kind: 'run',
  name: string,
  attempts: number,
  recoveries: number,
  startedAt: number,
  at: number,
  stateType: string,
  stateName: string,
  message: string | null,
  deployment: string | null,
  parentRunId: string | null,
  tags: readonly string[] | null,
];

/** A submit, whose span is the one that the run hangs below; `parentSpanId` is that of its own. */
export type SubmitRow = readonly [
  kind: 'submit',
  parentSpanId: string | null,
  at: number,
  ...none: [null, null, null, null, null, null, null, null, null],
];

/** All of one length, to be put into one list. */
export type SpanRow = TaskRow | RunRow | SubmitRow;

/** Fields of a row in a list of many, its trace before it. */
export const rowFields = 13;

/** The span with secrets hidden in what code may have said: its ids and times are ours. While nothing is hidden, it is given back as it is. */
export function withoutSecrets(span: SpanRecord): SpanRecord {
  if (!hidesValues()) return span;
  const { name, message, attributes, links, events = [] } = span;
  return {
    ...span,
    ...{ name: withoutHidden(name), message: message === null ? null : withoutHidden(message), attributes: withoutHiddenIn(attributes) },
    links: links.map((link) => (link.attributes === undefined ? link : { ...link, attributes: withoutHiddenIn(link.attributes) })),
    events: events.map((event) => ({ ...event, ...withoutHiddenIn({ name: event.name, attributes: event.attributes ?? {} }) })),
  };
}
