/**
 * Contract of alerts: rules, what they have found, and the outbox of what is sent of it.
 *
 * A pass of a scheduler reads what is new (ends of runs by their numbers, and what holds at the moment), finds out which rules it is for, and
 * hands all of it to `decide`, which is one transaction: occurrences are noted once, alerts begin and end, and for each that is to be told the firing
 * and its deliveries are written. A crash before its commit changes nothing; after it the deliveries are there, each with the id under which it is sent
 * however often that is tried. All times are UTC epoch ms.
 */
import type { Alert, AlertFiring, AlertSilence, AlertState, PendingDelivery, TriedDelivery } from '../../model/alerts/alert.ts';
import type { AlertRule, AlertRuleSpec } from '../../model/alerts/rule.ts';
import type { ErrorGroup, ErrorState } from '../../model/error-group.ts';
import type { StateType } from '../../model/state.ts';
import type { Page } from '../lists/contract.ts';
import type { EndPage } from '../triggers/contract.ts';

/** A rule in force, as a pass looks at it. */
export interface ActiveAlertRule extends AlertRule {
  /** Ends above this number are for it. */
  readonly fromEnd: number;
  /** When what holds for a while was last looked at; null: never. */
  readonly lookedAt: number | null;
}

/** Something that a rule has found. */
export interface AlertOccurrence {
  readonly rule: string;
  readonly group: string;
  /** What makes it one, `run:<id>:<number>`; null: it holds, and is found again by the next look. */
  readonly cause: string | null;
  /** Number of the end of a run. */
  readonly seq: number | null;
  readonly at: number;
  readonly summary: string;
  readonly runId: string | null;
  readonly runName: string | null;
  readonly flow: string | null;
  readonly deployment: string | null;
}

/** That a run of the group has completed: alerts that were found by earlier ends are over, of gathered ones those last found by its flow and deployment. */
export interface AlertRecovery {
  readonly rule: string;
  readonly group: string;
  readonly seq: number;
  readonly flow: string;
  readonly deployment: string | null;
}

/** What one look has found of a rule whose condition holds for a while. */
export interface AlertLook {
  readonly rule: string;
  /** When the rule had been looked at before: where another has looked meanwhile, this counts for nothing. */
  readonly before: number | null;
  readonly found: readonly AlertOccurrence[];
  /** Groups that it has looked at, where others look at other groups; null: all of the rule. */
  readonly groups: readonly string[] | null;
}

/** What one pass has found. */
export interface AlertStep {
  /** What it looked at: where a rule has changed meanwhile, nothing is written. */
  readonly rules: readonly ActiveAlertRule[];
  readonly ends: Pick<EndPage, 'place' | 'next'> | null;
  readonly occurrences: readonly AlertOccurrence[];
  readonly recoveries: readonly AlertRecovery[];
  readonly looks: readonly AlertLook[];
}

export interface AlertReport {
  readonly firings: readonly AlertFiring[];
}

export interface AlertFilter {
  /** Default all. */
  readonly states?: readonly AlertState[];
  readonly rule?: string;
  /** 1 to 1000, default 50. */
  readonly limit?: number;
  readonly cursor?: string;
}

/** The right to send to a receiver, while it holds. */
export interface ReceiverClaim {
  readonly receiver: string;
  readonly epoch: number;
  /** Failed attempts in a row. */
  readonly failures: number;
}

/** What came of an attempt. */
export interface DeliveryOutcome {
  readonly state: 'sent' | 'failed' | 'pending';
  readonly answer: string;
}

/** A run as rules that look at runs under way see it. */
export interface WatchedRun {
  readonly id: string;
  readonly name: string;
  readonly flow: string;
  readonly deployment: string | null;
  readonly tags: readonly string[];
  readonly queue: string;
  /** Since when it runs, is due, or was to tick. */
  readonly sinceAt: number;
}

/** Which runs a rule means; see `meansRun`. */
export type WatchedOf = Pick<AlertRuleSpec, 'flows' | 'deployments' | 'queues' | 'tags'>;

/** Runs that have ended lately, counted. */
export interface EndedCount {
  readonly flow: string;
  readonly deployment: string | null;
  readonly tags: readonly string[];
  readonly type: StateType;
  readonly runs: number;
}

export interface AlertRuleStore {
  /**
   * One transaction: creates or replaces by name; when it was made stays, and when it was changed where it is put as it stands. Open alerts of one
   * that changed or is paused are over.
   */
  put(rule: AlertRule): Promise<AlertRule>;
  get(name: string): Promise<AlertRule | null>;
  /** By name. */
  list(): Promise<readonly AlertRule[]>;
  /** Those in force. One statement. */
  active(): Promise<readonly ActiveAlertRule[]>;
  /** One transaction: what it has found is over, and stays. False when there is none. */
  delete(name: string, at: number): Promise<boolean>;
  /** One transaction. Null: it is in force again. */
  pause(name: string, at: number | null): Promise<AlertRule | null>;
}

/** What rules look at that holds for a while. */
export interface AlertWatch {
  /** By the clock of the database. */
  now(): Promise<number>;
  /** Runs that are Late and that a rule means, longest first, 1,000 at most. */
  late(of: WatchedOf): Promise<readonly WatchedRun[]>;
  /** Runs of a rule that execute since before an instant, longest first, 1,000 at most. */
  executingSince(of: WatchedOf, before: number): Promise<readonly WatchedRun[]>;
  /** Runs of ticks of a rule that were made, or left out, so much after their tick; made since an instant. Oldest first, 1,000 at most. */
  missed(of: WatchedOf, since: number, afterMs: number): Promise<readonly WatchedRun[]>;
  /** Runs that ended since an instant, by flow, deployment, tags and state; Skipped ones are left out. */
  ended(since: number): Promise<readonly EndedCount[]>;
  /** How long runs that have ended were executed, ms; those that have not started are left out. */
  durations(runIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** Metrics that tasks of these runs have reported. */
  metrics(
    runIds: readonly string[],
  ): Promise<readonly { readonly runId: string; readonly task: string; readonly metrics: Readonly<Record<string, number>> }[]>;
}

export interface AlertOutbox {
  /** One statement: up to so many receivers to whom something is due and nobody sends; each is held for `leaseMs`. */
  claim(owner: string, leaseMs: number, limit: number): Promise<readonly ReceiverClaim[]>;
  /** The oldest that is pending for a receiver; null for none. */
  next(receiver: string): Promise<PendingDelivery | null>;
  /** One transaction: records an attempt, of which the last are kept, and holds the receiver for `leaseMs` more. False, and nothing is written, when another holds it. */
  settle(claim: ReceiverClaim, deliveryId: string, outcome: DeliveryOutcome, leaseMs: number): Promise<boolean>;
  /** One transaction: gives the receiver back. What is pending is due after `waitMs`. Nothing happens when another holds it. */
  release(claim: ReceiverClaim, waitMs: number, failures: number): Promise<void>;
  /** By the clock of the database: how many are pending, since when the oldest waits, and how many were given up in the last day. */
  state(): Promise<{ readonly pending: number; readonly oldestAt: number | null; readonly failedLately: number; readonly now: number }>;
}

export interface SilenceStore {
  add(silence: AlertSilence): Promise<void>;
  /** Those that have not ended, soonest first. */
  list(now: number): Promise<readonly AlertSilence[]>;
  /** One statement. False when there is none. */
  delete(id: string): Promise<boolean>;
}

export interface AlertStore {
  readonly rules: AlertRuleStore;
  readonly watch: AlertWatch;
  readonly outbox: AlertOutbox;
  readonly silences: SilenceStore;
  /** One transaction, see above. Null, and nothing is written, when another has decided meanwhile, or a rule has changed. */
  decide(step: AlertStep, makeId: () => string): Promise<AlertReport | null>;
  /** One transaction: a firing of the kind `test`, and a delivery for each action. @throws nothing of its own */
  test(rule: AlertRule, makeId: () => string): Promise<AlertFiring>;
  /** Last found first. @throws BatutaError FILTER_INVALID */
  list(filter?: AlertFilter): Promise<Page<Alert>>;
  get(id: string): Promise<Alert | null>;
  /** How many are open, by rule. */
  open(): Promise<readonly { readonly rule: string; readonly state: AlertState; readonly count: number }[]>;
  /** Firings of an alert, or of a rule, newest first, with what was sent of each. */
  firings(
    of: { readonly alertId: string } | { readonly rule: string },
    limit: number,
  ): Promise<readonly (AlertFiring & { readonly deliveries: readonly TriedDelivery[] })[]>;
  /** One transaction: an open alert is over because somebody says so, and its end is sent. What holds is muted, and over when that is done again. Null when there is none of that id. */
  resolve(id: string, who: string, makeId: () => string): Promise<Alert | null>;
  /** One transaction: deletes what was over before: alerts, firings, deliveries, silences and what was noted of occurrences. */
  prune(before: number): Promise<void>;
}

export interface ErrorFilter {
  readonly flow?: string;
  /** Default `open`. */
  readonly state?: ErrorState | 'all';
  /** Last seen at or after. */
  readonly since?: number;
  /** 1 to 1000, default 50. */
  readonly limit?: number;
  readonly cursor?: string;
}

export interface ErrorGroupStore {
  /** Last seen first, by an index over failed runs. @throws BatutaError FILTER_INVALID */
  list(filter?: ErrorFilter): Promise<Page<ErrorGroup>>;
  /** Those of a key, of one flow or of all. */
  find(key: string, flow?: string): Promise<readonly ErrorGroup[]>;
  /** One statement; `open` takes the mark away. */
  mark(flow: string, key: string, state: ErrorState, who: string): Promise<void>;
  /** Forgets marks of errors that no run has any more. */
  prune(): Promise<void>;
}
