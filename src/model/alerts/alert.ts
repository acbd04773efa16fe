/** Alerts: what rules found, what was sent about it, and to whom. Plain data; times are UTC epoch ms. */
import type { AlertAction, AlertActionKind, AlertKind } from './rule.ts';

/** `firing`: found and not over · `muted`: somebody resolved it while its condition held; quiet until it ends · `resolved`. */
export const alertStates = ['firing', 'muted', 'resolved'] as const;
export type AlertState = (typeof alertStates)[number];

/** What a rule found about one group, from start to end. At most one alert per rule and group is open. */
export interface Alert {
  readonly id: string;
  readonly rule: string;
  /** Deployment, flow, queue or host it is about; empty for everything the rule finds. */
  readonly group: string;
  readonly kind: AlertKind;
  readonly state: AlertState;
  /** Latest finding, one sentence. */
  readonly summary: string;
  /** Occurrences; for a condition that lasts, how often something new was found. */
  readonly count: number;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly resolvedAt: number | null;
  /** Who resolved it; null: the condition ended. */
  readonly resolvedBy: string | null;
  /** When it was last sent; null: silenced, or without actions. */
  readonly sentAt: number | null;
  /** The last run it was found in; null if it is not about a run. */
  readonly runId: string | null;
  readonly runName: string | null;
  readonly flow: string | null;
  readonly deployment: string | null;
}

/** `fired`: found · `repeated`: found again, long after it was last sent · `resolved`: over · `test`: somebody tried its rule. */
export const alertFiringKinds = ['fired', 'repeated', 'resolved', 'test'] as const;
export type AlertFiringKind = (typeof alertFiringKinds)[number];

/** One firing of an alert; a row kept as long as its alert. */
export interface AlertFiring {
  readonly id: string;
  readonly alertId: string | null;
  readonly rule: string;
  readonly group: string;
  readonly kind: AlertFiringKind;
  readonly at: number;
  readonly summary: string;
  readonly count: number;
  /** Whether a silence suppressed it. */
  readonly silenced: boolean;
}

/** `pending`: still to be sent, or retried · `sent`: accepted by the receiver · `failed`: given up. */
export const deliveryStates = ['pending', 'sent', 'failed'] as const;
export type DeliveryState = (typeof deliveryStates)[number];

/** Delivery of one action of a firing, recorded in its transaction. Its id goes with every attempt. */
export interface AlertDelivery {
  readonly id: string;
  readonly firingId: string;
  readonly rule: string;
  readonly kind: AlertActionKind;
  /** For people: `webhook https://…`, `slack ops`, `email ops@example.com`, `run cleanup`. */
  readonly receiver: string;
  readonly state: DeliveryState;
  /** Attempts that have ended. */
  readonly attempts: number;
  readonly createdAt: number;
  readonly triedAt: number | null;
  readonly sentAt: number | null;
  /** Outcome of the last attempt: `204`, `connect ECONNREFUSED …`. */
  readonly answer: string | null;
}

/** One attempt of a delivery, once it has ended. */
export interface DeliveryAttempt {
  /** From 1. */
  readonly attempt: number;
  readonly at: number;
  /** `pending`: it was retried afterwards. */
  readonly state: DeliveryState;
  /** `204`, `connect ECONNREFUSED …`. */
  readonly answer: string;
}

/** A delivery with its last attempts, oldest first; see `keptAttempts`. */
export interface TriedDelivery extends AlertDelivery {
  readonly lastAttempts: readonly DeliveryAttempt[];
}

/** How many attempts of a delivery are kept: the last ones. */
export const keptAttempts = 20;

/** A delivery as it is sent. */
export interface PendingDelivery extends AlertDelivery {
  readonly action: AlertAction;
  readonly message: AlertMessage;
}

/** What is sent for a firing; recorded with the delivery, so every attempt sends the same. */
export interface AlertMessage {
  readonly type: `alert.${AlertFiringKind}`;
  /** When it fired, ISO 8601. */
  readonly timestamp: string;
  readonly data: {
    readonly alertId: string | null;
    readonly firingId: string;
    readonly rule: string;
    readonly description: string | null;
    readonly condition: AlertKind;
    readonly group: string;
    readonly state: AlertState;
    readonly summary: string;
    readonly count: number;
    readonly firstAt: string;
    readonly lastAt: string;
    readonly resolvedBy: string | null;
    readonly flow: string | null;
    readonly deployment: string | null;
    readonly run: { readonly id: string; readonly name: string | null } | null;
  };
}

/** Suppresses alerts of a rule, or of a rule and group, until it ends. */
export interface AlertSilence {
  readonly id: string;
  /** Null: of all rules. */
  readonly rule: string | null;
  /** Null: all groups. */
  readonly group: string | null;
  readonly untilAt: number;
  readonly reason: string | null;
  readonly who: string;
  readonly createdAt: number;
}

/** Whether a silence suppresses an alert at an instant. */
export function silences({ rule, group, untilAt }: AlertSilence, alert: Pick<Alert, 'rule' | 'group'>, now: number): boolean {
  return untilAt > now && (rule === null || rule === alert.rule) && (group === null || group === alert.group);
}

/** The message of an alert. */
export function messageOf(
  alert: Omit<Alert, 'id'> & { readonly id: string | null },
  firing: Pick<AlertFiring, 'id' | 'kind' | 'at'>,
  description: string | null,
): AlertMessage {
  const iso = (at: number): string => new Date(at).toISOString();
  const { runId, runName } = alert;
  return {
    type: `alert.${firing.kind}`,
    timestamp: iso(firing.at),
    data: {
      alertId: alert.id,
      firingId: firing.id,
      rule: alert.rule,
      description,
      condition: alert.kind,
      group: alert.group,
      state: alert.state,
      summary: alert.summary,
      count: alert.count,
      firstAt: iso(alert.firstAt),
      lastAt: iso(alert.lastAt),
      resolvedBy: alert.resolvedBy,
      flow: alert.flow,
      deployment: alert.deployment,
      run: runId === null ? null : { id: runId, name: runName },
    },
  };
}

/** The message's title: `[firing] nightly: 3 failed`. */
export function titleOf({ type, data }: AlertMessage): string {
  const word = { 'alert.fired': 'firing', 'alert.repeated': 'still firing', 'alert.resolved': 'resolved', 'alert.test': 'test' }[type];
  return `[${word}] ${data.rule}${data.group === '' ? '' : ` · ${data.group}`}`;
}
