/**
 * Contract of alerts: rules, what they have found, and the outbox of notifications.
 *
 * A pass of a scheduler reads what is new (ends of runs by their numbers, and current conditions), finds the rules it concerns, and passes
 * all of it to `decide`, which is one transaction: occurrences are recorded once, alerts begin and end, and for each that is to be
 * announced the firing and its deliveries are written. A crash before its commit changes nothing; after it the deliveries exist, each with
 * the id under which it is sent however often that is tried. All times are UTC epoch ms.
 */
import type { Alert, AlertFiring, AlertSilence, AlertState, PendingDelivery, TriedDelivery } from '../../model/alerts/alert.ts';
import type { AlertRule, AlertRuleSpec } from '../../model/alerts/rule.ts';
import type { ErrorGroup, ErrorState } from '../../model/error-group.ts';
import type { StateType } from '../../model/state.ts';
import type { Page } from '../lists/contract.ts';
import type { EndPage } from '../triggers/contract.ts';

/** A rule in force, as a pass reads it. */
export interface ActiveAlertRule extends AlertRule {
  /** Ends above this number are for it. */
  readonly fromEnd: number;
  /** When its lasting condition was last checked; null: never. */
  readonly lookedAt: number | null;
}

/** Something that a rule has found. */
export interface AlertOccurrence {
  readonly rule: string;
  readonly group: string;
  /** What identifies it, `run:<id>:<number>`; null: a condition, found again by the next check. */
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

/**
 * A run of the group has completed: alerts found by earlier ends are over; of gathered ones, those last found by its flow and deployment.
 */
export interface AlertRecovery {
  readonly rule: string;
  readonly group: string;
  readonly seq: number;
  readonly flow: string;
  readonly deployment: string | null;
}

/** What one check has found of a rule with a lasting condition. */
export interface AlertLook {
  readonly rule: string;
  /** When the rule had last been checked: if another has checked meanwhile, this is ignored. */
  readonly before: number | null;
  readonly found: readonly AlertOccurrence[];
  /** Groups it has checked, if others check other groups; null: the whole rule. */
  readonly groups: readonly string[] | null;
}

/** What one pass has found. */
export interface AlertStep {
  /** What it read: if a rule has changed meanwhile, nothing is written. */
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

/** Result of an attempt. */
export interface DeliveryOutcome {
  readonly state: 'sent' | 'failed' | 'pending';
  readonly answer: string;
}

/** A run as rules about running runs see it. */
export interface WatchedRun {
  readonly id: string;
  readonly name: string;
  readonly flow: string;
  readonly deployment: string | null;
  readonly tags: readonly string[];
  readonly queue: string;
  /** Since when it runs, is due, or missed its tick. */
  readonly sinceAt: number;
}

/** Which runs a rule means; see `meansRun`. */
export type WatchedOf = Pick<AlertRuleSpec, 'flows' | 'deployments' | 'queues' | 'tags'>;

/** Recently ended runs, counted. */
export interface EndedCount {
  readonly flow: string;
  readonly deployment: string | null;
  readonly tags: readonly string[];
  readonly type: StateType;
  readonly runs: number;
}

export interface AlertRuleStore {
  /**
   * One transaction: creates or replaces by name; keeps when it was made, and when it was changed if it is put unchanged. Open alerts of a
   * changed or paused one are over.
   */
  put(rule: AlertRule): Promise<AlertRule>;
  get(name: string): Promise<AlertRule | null>;
  /** By name. */
  list(): Promise<readonly AlertRule[]>;
  /** Rules in force. One statement. */
  active(): Promise<readonly ActiveAlertRule[]>;
  /** One transaction: what it has found is over, and stays. False if there is none. */
  delete(name: string, at: number): Promise<boolean>;
  /** One transaction. Null: it is resumed. */
  pause(name: string, at: number | null): Promise<AlertRule | null>;
}

/** Lasting conditions that rules check. */
export interface AlertWatch {
  /** By the clock of the database. */
  now(): Promise<number>;
  /** Late runs that a rule means, longest first, at most 1,000. */
  late(of: WatchedOf): Promise<readonly WatchedRun[]>;
  /** Runs of a rule executing since before an instant, longest first, at most 1,000. */
  executingSince(of: WatchedOf, before: number): Promise<readonly WatchedRun[]>;
  /**
   * Runs of ticks of a rule that were made, or left out, this long after their tick; made since an instant. Oldest first, at most 1,000.
   */
  missed(of: WatchedOf, since: number, afterMs: number): Promise<readonly WatchedRun[]>;
  /** Runs that ended since an instant, by flow, deployment, tags and state; without Skipped ones. */
  ended(since: number): Promise<readonly EndedCount[]>;
  /** How long ended runs were executed, ms; without those that never started. */
  durations(runIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** Metrics that tasks of these runs have reported. */
  metrics(
    runIds: readonly string[],
  ): Promise<readonly { readonly runId: string; readonly task: string; readonly metrics: Readonly<Record<string, number>> }[]>;
}

export interface AlertOutbox {
  /** One statement: up to `limit` receivers for which something is due and nobody sends; each is held for `leaseMs`. */
  claim(owner: string, leaseMs: number, limit: number): Promise<readonly ReceiverClaim[]>;
  /** The oldest delivery pending for a receiver; null for none. */
  next(receiver: string): Promise<PendingDelivery | null>;
  /**
   * One transaction: records an attempt, of which the last are kept, and holds the receiver for `leaseMs` more. False, and nothing is
   * written, if another holds it.
   */
  settle(claim: ReceiverClaim, deliveryId: string, outcome: DeliveryOutcome, leaseMs: number): Promise<boolean>;
  /** One transaction: releases the receiver. What is pending is due after `waitMs`. Does nothing if another holds it. */
  release(claim: ReceiverClaim, waitMs: number, failures: number): Promise<void>;
  /** By the clock of the database: how many are pending, since when the oldest waits, and how many were given up in the last day. */
  state(): Promise<{ readonly pending: number; readonly oldestAt: number | null; readonly failedLately: number; readonly now: number }>;
}

export interface SilenceStore {
  add(silence: AlertSilence): Promise<void>;
  /** Current silences, soonest end first. */
  list(now: number): Promise<readonly AlertSilence[]>;
  /** One statement. False if there is none. */
  delete(id: string): Promise<boolean>;
}

export interface AlertStore {
  readonly rules: AlertRuleStore;
  readonly watch: AlertWatch;
  readonly outbox: AlertOutbox;
  readonly silences: SilenceStore;
  /** One transaction, see above. Null, and nothing is written, if another has decided meanwhile, or a rule has changed. */
  decide(step: AlertStep, makeId: () => string): Promise<AlertReport | null>;
  /** One transaction: a firing of the kind `test`, and a delivery for each action. @throws nothing of its own */
  test(rule: AlertRule, makeId: () => string): Promise<AlertFiring>;
  /** Last found first. @throws BatutaError FILTER_INVALID */
  list(filter?: AlertFilter): Promise<Page<Alert>>;
  get(id: string): Promise<Alert | null>;
  /** How many are open, by rule. */
  open(): Promise<readonly { readonly rule: string; readonly state: AlertState; readonly count: number }[]>;
  /** Firings of an alert, or of a rule, newest first, with what was sent for each. */
  firings(
    of: { readonly alertId: string } | { readonly rule: string },
    limit: number,
  ): Promise<readonly (AlertFiring & { readonly deliveries: readonly TriedDelivery[] })[]>;
  /**
   * One transaction: a person ends an open alert, and its end is sent. One whose condition holds is muted; doing that again ends it. Null
   * if there is none of that id.
   */
  resolve(id: string, who: string, makeId: () => string): Promise<Alert | null>;
  /** One transaction: deletes what was over before: alerts, firings, deliveries, silences and records of occurrences. */
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
  /** Groups of a key, of one flow or of all. */
  find(key: string, flow?: string): Promise<readonly ErrorGroup[]>;
  /** One statement; `open` removes the mark. */
  mark(flow: string, key: string, state: ErrorState, who: string): Promise<void>;
  /** Deletes marks of errors that no run has any more. */
  prune(): Promise<void>;
}
