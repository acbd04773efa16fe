/** Where spans go, and the flat form in which those of tasks go there. */
import { hidesValues, withoutHidden, withoutHiddenIn } from '../base/hidden-values.ts';
import type { SpanRecord } from '../model/span.ts';

/** The trace of a run, as far as its spans want to know it. Plain data. */
export interface RunTrace {
  readonly runId: string;
  readonly flow: string;
  readonly traceId: string;
  /** Span that the run hangs below: where it was submitted; null when nothing is known of that. */
  readonly parentSpanId: string | null;
  /** Whether its spans are exported. */
  readonly isSampled: boolean;
}

/** Where spans go. */
export interface SpanSink {
  /** Takes the end of a task run or of one of its attempts, see `TaskRow`. Costs next to nothing. */
  addTask(trace: RunTrace, row: TaskRow): void;
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
