/** Destination of spans, and the flat form of those of runs and tasks. */
import { hidesValues, withoutHidden, withoutHiddenIn } from '../base/hidden-values.ts';
import type { SpanRecord } from '../model/span.ts';

/** What spans need to know of a run's trace. Plain data. */
export interface RunTrace {
  readonly runId: string;
  readonly flow: string;
  readonly traceId: string;
  /** Parent span of the run: where it was submitted; null if unknown. */
  readonly parentSpanId: string | null;
  /** Owner that executes here. */
  readonly owner: string;
  /** Whether its spans are exported. */
  readonly isSampled: boolean;
}

/** Destination of spans. */
export interface SpanSink {
  /** Takes an event, see `SpanRow`. Costs next to nothing. */
  addRow(trace: RunTrace, row: SpanRow): void;
  addSpan(span: SpanRecord): void;
  /** Exports what is left, for at most a few seconds. @param isHurried drops it; default false */
  close(isHurried?: boolean): Promise<void>;
}

/** What has ended: the task run with its last attempt, the task run alone, an attempt alone, or an attempt whose process was lost. */
export type TaskRowKind = 'task' | 'unrun' | 'attempt' | 'lost';

/**
 * The end of a task run, flat: there may be a hundred thousand, and an object for each would cost more than all else.
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

/** The end of a run. `tags`: null for none. */
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

/** A submit, whose span is the parent of the run's; `parentSpanId` is its own parent. */
export type SubmitRow = readonly [
  kind: 'submit',
  parentSpanId: string | null,
  at: number,
  ...none: [null, null, null, null, null, null, null, null, null],
];

/** All of the same length, so that they fit into one list. */
export type SpanRow = TaskRow | RunRow | SubmitRow;

/** Fields per row in a list of many, preceded by its trace. */
export const rowFields = 13;

/** The span with secrets hidden in what code may have set (ids and times are ours). While nothing is hidden, it is returned unchanged. */
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
