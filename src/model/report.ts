/**
 * Reports from elsewhere: what an embedded process sends to a server, so that its runs appear there. Times are UTC epoch ms.
 *
 * Everything sent is an item with a number; numbers grow within one store and are never reused. A server takes a reporter's items in order
 * of number and remembers the last, so an item that arrives twice is taken once.
 */
import type { Artifact, LogLine, Owner, Run, TaskRun, Transition } from './run.ts';

/** Longest parameter or result text sent, characters; a longer one stays where its run ran, and the server says so. */
export const maxReportedChars = 64 * 1024;
/** Largest item, bytes of JSON. */
export const maxItemBytes = 1024 * 1024;
/** Most items per batch, and most bytes of JSON that a reporter puts in one; a single item may be larger. */
export const maxBatchItems = 1_000;
export const maxBatchBytes = 512 * 1024;
/** Interval of an idle reporter's signs of life, ms, and how many missed ones make it silent. */
export const reportBeatMs = 10_000;
export const silentBeats = 3;

/** Prefix of the owner id of a reporter. */
const ownerStart = 'reporter:';

/** Where a reported run ran. */
export interface RanBy {
  readonly name: string;
  readonly version: string;
  readonly host: string;
  readonly pid: number;
}

/** A run as reported: without fields that only its own store needs. */
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
  /** Size of a result that was not sent, null if there is none. */
  readonly keptBytes: number | null;
  readonly ranBy: RanBy;
};

/** A task run as reported. */
export type ReportedTaskRun = Omit<TaskRun, 'resultRef' | 'resultBytes'> & { readonly keptBytes: number | null };

/** A change of state with its number in the store of origin, which grows within its run. */
export type ReportedTransition = Transition & { readonly number: number };

/** A log line with its number in the store of origin, which grows within its run. */
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

/** One reported thing. */
export type ReportItem = {
  readonly [Kind in ReportKind]: { readonly seq: number; readonly kind: Kind; readonly data: Kinds[Kind] };
}[ReportKind];

/** A refused item: its data do not fit, it is about another reporter's run or one never reported, or it is impossible. */
export interface RefusedItem {
  readonly seq: number;
  readonly reason: 'invalid' | 'foreign' | 'unknown-run' | 'state';
  readonly message: string;
}

/** A reporter's registration. */
export interface ReporterCard {
  /** UUID it generated itself. */
  readonly id: string;
  /** Proves its identity: 43 random characters after `rs_`. */
  readonly secret: string;
  readonly name: string;
  readonly version: string;
  /** Version of Batuta. */
  readonly batuta: string;
  readonly host: string;
  readonly pid: number;
  readonly startedAt: number;
  /** Number of the last item confirmed by a server; 0 for none. */
  readonly confirmed: number;
  /**
   * Number of the last item sent, confirmed or not; 0 for none. A server with later ones under its id has them from a copy of its store.
   */
  readonly sent: number;
  /** Its identity before its version changed; null if none. */
  readonly previous: { readonly id: string; readonly secret: string } | null;
  /** Token of its last registration, null for the first; and the one it is known by from now on, which no copy of its store has. */
  readonly token: string | null;
  readonly nextToken: string;
}

/** A server's answer to a registration. */
export interface Registered {
  /** Number of the last item taken. */
  readonly last: number;
  /** Whether reporter and previous identity were both unknown. */
  readonly isNew: boolean;
}

/** What a reporter says with each batch. */
export interface ReporterNote {
  /** Items that wait on its disk after this batch, and their bytes. */
  readonly waitingItems: number;
  readonly waitingBytes: number;
  /** Log lines and artifacts dropped because its disk buffer was full, since it began. */
  readonly dropped: number;
  /** Whether it is ending in order. */
  readonly isStopping: boolean;
}

/**
 * State of a reporter: `reporting` beats; `silent` has not for 30 s; `stopped` said that it ends; `replaced` continues as another version.
 */
export const reporterStates = ['reporting', 'silent', 'stopped', 'replaced'] as const;
export type ReporterState = (typeof reporterStates)[number];

/** A reporter, as servers list it. */
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
  /** Its unfinished runs. */
  readonly openRuns: number;
  /** Its refused items. */
  readonly refused: number;
}

/** The owner of all runs of a reporter, for as long as they are kept: no one else claims, cancels or retries them. */
export function ownerOfReport(reporterId: string, { name, version, host, pid }: RanBy): Owner {
  return { id: `${ownerStart}${reporterId}`, host, pid, processStartedAt: 0, reporter: { id: reporterId, name, version } };
}

/** Whether a run was reported from elsewhere. */
export function isReported(owner: Pick<Owner, 'id'> | null): boolean {
  return owner?.id.startsWith(ownerStart) === true;
}

/** Reporter state. */
export function reporterState({ replacedBy, stoppedAt, silentMs }: Pick<Reporter, 'replacedBy' | 'stoppedAt' | 'silentMs'>): ReporterState {
  if (replacedBy !== null) return 'replaced';
  if (stoppedAt !== null) return 'stopped';
  return silentMs > silentBeats * reportBeatMs ? 'silent' : 'reporting';
}
