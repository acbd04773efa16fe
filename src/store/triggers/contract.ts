/**
 * Contract of events, and of the triggers fired by them and by the ends of runs.
 *
 * A pass of a scheduler reads what is new (`outlook`, `pending`, `ends`), finds the triggers it concerns, and passes all of it to `decide`,
 * which is one transaction: each occurrence is recorded once, windows and debounces move on, runs are made, and the place up to which
 * everything is decided moves on with them. A crash before its commit changes nothing; a crash after it leaves runs whose tickets are put
 * again. All times are UTC epoch ms.
 */
import type { Deployment } from '../../model/deployment.ts';
import type { Concurrency } from '../../model/deployment.ts';
import type { State } from '../../model/state.ts';
import type { EmittedEvent, FiringOutcome, Trigger, TriggerFiring, TriggerWait } from '../../model/triggers/trigger.ts';
import type { Webhook } from '../../model/triggers/webhook.ts';
import type { NewRun } from '../fleet/contract.ts';
import type { Ticketed } from '../leases/contract.ts';
import type { Page } from '../lists/contract.ts';
import type { RunPatch } from '../../model/run.ts';

/** An event to be stored; the database sets when it was received. */
export type NewEvent = Omit<EmittedEvent, 'receivedAt'>;

export interface EventFilter {
  readonly name?: string;
  /** `webhook:<name>`. */
  readonly source?: string;
  readonly since?: number;
  readonly until?: number;
  /** 1 to 1000, default 50. */
  readonly limit?: number;
  readonly cursor?: string;
}

export interface EmittedStore {
  /** One statement: stores an event unless its id exists. Returns the stored one, and whether it is this one. */
  add(event: NewEvent): Promise<{ readonly event: EmittedEvent; readonly inserted: boolean }>;
  get(id: string): Promise<EmittedEvent | null>;
  /** Newest first; a page holds what fits into 4 MB, at least one. @throws BatutaError FILTER_INVALID */
  list(filter?: EventFilter): Promise<Page<EmittedEvent>>;
  /** Deletes decided events received before, with firings and what they fired for. Returns the number of events. */
  prune(before: number): Promise<number>;
}

export interface WebhookStore {
  /** One statement: creates or replaces by name; keeps when it was made and what it has taken. */
  put(webhook: Webhook): Promise<Webhook>;
  get(name: string): Promise<Webhook | null>;
  /** By name. */
  list(): Promise<readonly Webhook[]>;
  /** One transaction. False if there is none. */
  delete(name: string): Promise<boolean>;
  /**
   * One transaction: records a delivery by its digest for `replayMs`, and stores its event. False, and nothing is stored, if the delivery
   * or the id of the event is known.
   */
  accept(name: string, digest: string, replayMs: number, event: NewEvent): Promise<boolean>;
  /** One statement, which does nothing within ten seconds of the last. */
  noteRefusal(name: string, reason: string): Promise<void>;
  /** Deletes expired deliveries. */
  prune(): Promise<void>;
}

/** An undecided event. */
export interface PendingEvent extends EmittedEvent {
  readonly seq: number;
}

/** How far a reader of the ends of runs has read; see `triggers/ends.ts`. */
export interface EndPlace {
  readonly settled: number;
  readonly readTo: number;
  readonly mark: number | null;
  readonly markNext: number | null;
  readonly markAt: number | null;
}

/** The end of a run: its change to a terminal state. */
export interface RunEnd {
  /** Grows with time within a store. */
  readonly seq: number;
  readonly at: number;
  readonly runId: string;
  readonly runName: string;
  readonly flow: string;
  readonly deployment: string | null;
  readonly tags: readonly string[];
  readonly attempt: number;
  readonly state: State;
  readonly backfillId: string | null;
}

/** Ends that a reader has not read, or may not have, with its places before and after them. */
export interface EndPage {
  readonly place: EndPlace;
  readonly next: EndPlace;
  readonly ends: readonly RunEnd[];
  /** Whether there may be more. */
  readonly hasMore: boolean;
}

/** Which ends are wanted. */
export interface EndWish {
  readonly deployments: readonly string[];
  readonly flows: readonly string[];
  /** All of them, whatever the lists say. */
  readonly all: boolean;
}

/** A trigger as a pass reads it. */
export interface ActiveTrigger extends Trigger {
  readonly deploymentVersion: number;
  /** Events and ends above these numbers are for it. */
  readonly fromEvent: number;
  readonly fromEnd: number;
}

/** An occurrence that concerns a trigger. */
export interface TriggerCause {
  readonly triggerId: string;
  /** `event:<id>`, or `run:<id>:<number>` of an end. */
  readonly cause: string;
  /** Number of the event; null for an end. */
  readonly eventSeq: number | null;
  /** Place of its source in the rule, from 0. */
  readonly source: number;
  /** Window or debounce it belongs to; empty for the only one. */
  readonly group: string;
  /** For people: `event:order.created`, `completed:extract`. */
  readonly label: string;
  /** Id of the event or run. */
  readonly subject: string;
  /** When it occurred, and when it was stored. */
  readonly at: number;
  readonly seenAt: number;
  /** How many triggers fired in a chain before it. */
  readonly hops: number;
  readonly callerRunId: string | null;
  readonly traceparent: string | null;
  /** Values of parameters, superjson text; null for none. */
  readonly given: string | null;
  /** Why they are missing; its firing fails with that. */
  readonly fault: string | null;
}

/** What one pass has found. */
export interface TriggerStep {
  /** What it read: if another has decided meanwhile, nothing is written. */
  readonly triggers: readonly ActiveTrigger[];
  /** Numbers of the events decided with this. */
  readonly events: readonly number[];
  readonly ends: Pick<EndPage, 'place' | 'next'> | null;
  readonly causes: readonly TriggerCause[];
  /** Whether nothing older is left to read: only then may windows and debounces end. */
  readonly isCaughtUp: boolean;
  /** By the clock of the database, from before anything was read: later occurrences may have been missed. */
  readonly lookedAt: number;
}

/** A firing that is due. */
export interface DueFiring {
  readonly firingId: string;
  readonly trigger: ActiveTrigger;
  readonly deployment: Deployment;
  /** Of its flow, as stored; null: none, or the flow is not stored. */
  readonly flowConcurrency: Concurrency | null;
  /** What it fires for, one for each source, the newest last. */
  readonly causes: readonly TriggerCause[];
  /** How many there were. */
  readonly count: number;
  /** The clock of the database. */
  readonly now: number;
}

/** The decision on it. */
export interface PlannedFiring {
  readonly outcome: Exclude<FiringOutcome, 'expired'>;
  /** Null if none could be made. Terminal for a refused one. */
  readonly run: (NewRun & RunPatch) | null;
  readonly message: string | null;
}

export interface TriggerReport {
  readonly firings: readonly TriggerFiring[];
  /** Runs that were made and may start; each needs a ticket. */
  readonly waiting: readonly Ticketed[];
  /** Whether more windows or debounces are over. */
  readonly hasMore: boolean;
}

export interface TriggerStore {
  /** One statement: whether there is anything to read. `nextDueAt` null: no window or debounce is open. */
  outlook(): Promise<{ readonly triggers: number; readonly hasPending: boolean; readonly nextDueAt: number | null; readonly now: number }>;
  /** All triggers of deployments that are not paused. */
  active(): Promise<readonly ActiveTrigger[]>;
  /** Of all deployments, paused or not. */
  all(): Promise<readonly Trigger[]>;
  /** Undecided events, oldest first: at most `limit` and what fits into 8 MB, at least one. */
  pending(limit: number): Promise<{ readonly events: readonly PendingEvent[]; readonly hasMore: boolean }>;
  /** Ends that the reader has not read. Writes nothing. @param changes of runs that the page covers */
  ends(reader: string, wish: EndWish, changes: number): Promise<EndPage>;
  /**
   * One transaction, see above. Null, and nothing is written, if another has decided or deployed meanwhile.
   *
   * @param plan decides on each firing, in their order. One that the database refuses is `failed`, and holds up no other.
   */
  decide(
    step: TriggerStep,
    makeId: () => string,
    plan: (due: readonly DueFiring[]) => readonly PlannedFiring[],
  ): Promise<TriggerReport | null>;
  /** Newest first. */
  firings(deployment: string, limit: number): Promise<readonly TriggerFiring[]>;
  /** What is open of the triggers of a deployment, soonest first, at most 100. */
  waits(deployment: string): Promise<readonly TriggerWait[]>;
}
