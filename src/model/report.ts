/**
 * Reports from elsewhere: what a process that runs embedded sends to a server, so that its runs appear there. Times are UTC epoch ms.
 *
 * Everything that is sent is an item with a number; numbers grow within one store and are never used again. A server takes the items of a
 * reporter in the order of their numbers and remembers the last, so an item that comes twice is taken once.
 */
import type { Artifact, LogLine, Owner, Run, TaskRun, Transition } from './run.ts';

/** Longest text of a parameter or result that is sent, characters; a longer one stays where its run ran, and the server says so. */
export const maxReportedChars = 64 * 1024;
/** Most that one item may be, bytes of JSON. */
export const maxItemBytes = 1024 * 1024;
/** Most items of one batch, and most bytes of JSON that a reporter puts in one; one item alone may be larger. */
export const maxBatchItems = 1_000;
export const maxBatchBytes = 512 * 1024;
/** Between two signs of life of a reporter that has nothing to send, ms, and after how many it counts as silent. */
export const reportBeatMs = 10_000;
export const silentBeats = 3;

/** What the id of an owner begins with that is a reporter. */
const ownerStart = 'reporter:';

/** Where a reported run ran. */
export interface RanBy {
  readonly name: string;
  readonly version: string;
  readonly host: string;
  readonly pid: number;
}

/** A run as it is reported: without what only the store it is in needs. */
export type ReportedRun = Pick<
  Run,
  | 'id'
  | 'flow'
  | 'flowVersion'
  | 'name'
  | 'parentRunId'
  | 'parentTaskRunId'
  | 'state'
  | 'params'
  | 'result'
  | 'error'
  | 'attempt'
  | 'recoveries'
  | 'tags'
  | 'scheduledFor'
  | 'dueAt'
  | 'createdAt'
  | 'startedAt'
  | 'endedAt'
  | 'executedMs'
  | 'resumedAt'
  | 'mapped'
  | 'queue'
  | 'priority'
> & {
  /** Size of a result that was not sent along, null when there is none such. */
  readonly keptBytes: number | null;
  readonly ranBy: RanBy;
};

/** A task run as it is reported. */
export type ReportedTaskRun = Omit<TaskRun, 'resultRef' | 'resultBytes'> & { readonly keptBytes: number | null };

/** A change of state with its number in the store it comes from, which grows within its run. */
export type ReportedTransition = Transition & { readonly number: number };

/** A line of log with its number in the store it comes from, which grows within its run. */
export type ReportedLine = LogLine & { readonly number: number };

/** A flow, enough to draw runs of it. */
export interface ReportedFlow {
  readonly name: string;
  readonly version: string;
  readonly description: string | null;
  readonly tags: readonly string[];
  readonly kind: 'graph' | 'code';
  readonly graph: unknown;
  readonly updatedAt: number;
}

interface Kinds {
  readonly flow: ReportedFlow;
  readonly run: ReportedRun;
  readonly task: ReportedTaskRun;
  readonly transition: ReportedTransition;
  readonly log: ReportedLine;
  readonly artifact: Artifact;
}
export type ReportKind = keyof Kinds;

/** One thing that is reported. */
export type ReportItem = {
  readonly [Kind in ReportKind]: { readonly seq: number; readonly kind: Kind; readonly data: Kinds[Kind] };
}[ReportKind];

/** An item that was not taken: its data do not fit, it is about a run of somebody else or one that was never reported, or says what cannot be. */
export interface RefusedItem {
  readonly seq: number;
  readonly reason: 'invalid' | 'foreign' | 'unknown-run' | 'state';
  readonly message: string;
}

/** Who reports, as it registers. */
export interface ReporterCard {
  /** UUID that it has made itself. */
  readonly id: string;
  /** What proves that it is this reporter: 43 random characters behind `rs_`. */
  readonly secret: string;
  readonly name: string;
  readonly version: string;
  /** Version of Batuta. */
  readonly batuta: string;
  readonly host: string;
  readonly pid: number;
  readonly startedAt: number;
  /** Number of the last item that a server has confirmed to it; 0 for none. */
  readonly confirmed: number;
  /** Number of the last item that it has sent, confirmed or not; 0 for none. A server that has later ones under its id has them from a copy of its store. */
  readonly sent: number;
  /** Who it was before its version changed; null when it was nobody. */
  readonly previous: { readonly id: string; readonly secret: string } | null;
  /** Token by which it last registered, null for the first time; and the one that it is known by from now on, which no copy of its store has. */
  readonly token: string | null;
  readonly nextToken: string;
}

/** What a server says to a reporter that registers. */
export interface Registered {
  /** Number of the last item it has taken. */
  readonly last: number;
  /** Whether it did not know the reporter, nor who it was before. */
  readonly isNew: boolean;
}

/** What a reporter says of itself with each batch. */
export interface ReporterNote {
  /** Items that wait on its disk behind this batch, and their bytes. */
  readonly waitingItems: number;
  readonly waitingBytes: number;
  /** Log lines and artifacts that were left out because its disk buffer was full, since it began. */
  readonly dropped: number;
  /** Whether it ends now, in order. */
  readonly isStopping: boolean;
}

/** How a reporter is: `reporting` beats; `silent` has not for 30 s; `stopped` has said that it ends; `replaced` goes on as another version. */
export const reporterStates = ['reporting', 'silent', 'stopped', 'replaced'] as const;
export type ReporterState = (typeof reporterStates)[number];

/** A reporter as a server lists it. */
export interface Reporter
  extends Omit<ReporterCard, 'secret' | 'confirmed' | 'sent' | 'previous' | 'token' | 'nextToken'>,
    Omit<ReporterNote, 'isStopping'> {
  readonly state: ReporterState;
  readonly registeredAt: number;
  /** Last heard. */
  readonly beatAt: number;
  readonly silentMs: number;
  readonly stoppedAt: number | null;
  readonly replacedBy: string | null;
  /** Its runs that have not ended. */
  readonly openRuns: number;
  /** Items of it that were refused. */
  readonly refused: number;
}

/** The owner of all runs of a reporter, for as long as they are kept: nobody else claims, cancels or retries them. */
export function ownerOfReport(reporterId: string, { name, version, host, pid }: RanBy): Owner {
  return { id: `${ownerStart}${reporterId}`, host, pid, processStartedAt: 0, reporter: { id: reporterId, name, version } };
}

/** Whether a run was reported from elsewhere. */
export function isReported(owner: Pick<Owner, 'id'> | null): boolean {
  return owner?.id.startsWith(ownerStart) === true;
}

/** How a reporter is. */
export function reporterState({ replacedBy, stoppedAt, silentMs }: Pick<Reporter, 'replacedBy' | 'stoppedAt' | 'silentMs'>): ReporterState {
  if (replacedBy !== null) return 'replaced';
  if (stoppedAt !== null) return 'stopped';
  return silentMs > silentBeats * reportBeatMs ? 'silent' : 'reporting';
}
