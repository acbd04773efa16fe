/** Alerts: what rules have found, what was sent of it, and to whom. Plain data; times are UTC epoch ms. */
import type { AlertAction, AlertActionKind, AlertKind } from './rule.ts';

/**
 * `firing`: it was found, and is not over · `muted`: somebody resolved it while its condition held; quiet until that has ended · `resolved`.
 */
export const alertStates = ['firing', 'muted', 'resolved'] as const;
export type AlertState = (typeof alertStates)[number];

/** What a rule has found about one group, from when it began to when it was over. At most one of a rule and group is open. */
export interface Alert {
  readonly id: string;
  readonly rule: string;
  /** Deployment, flow, queue or host that it is about; empty for all that the rule finds. */
  readonly group: string;
  readonly kind: AlertKind;
  readonly state: AlertState;
  /** What was found last, one sentence. */
  readonly summary: string;
  /** Occurrences; of a condition that holds for a while, how often something new was found. */
  readonly count: number;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly resolvedAt: number | null;
  /** Who resolved it; null: the condition was over. */
  readonly resolvedBy: string | null;
  /** When it was last sent; null: it was silenced, or has no actions. */
  readonly sentAt: number | null;
  /** The run that it was last found by; null where it is about no run. */
  readonly runId: string | null;
  readonly runName: string | null;
  readonly flow: string | null;
  readonly deployment: string | null;
}

/** `fired`: it was found · `repeated`: it was found again and had been sent long ago · `resolved`: it is over · `test`: somebody tried its rule. */
export const alertFiringKinds = ['fired', 'repeated', 'resolved', 'test'] as const;
export type AlertFiringKind = (typeof alertFiringKinds)[number];

/** One telling of an alert; a row that stays as long as its alert. */
export interface AlertFiring {
  readonly id: string;
  readonly alertId: string | null;
  readonly rule: string;
  readonly group: string;
  readonly kind: AlertFiringKind;
  readonly at: number;
  readonly summary: string;
  readonly count: number;
  /** Whether a silence kept it from being sent. */
  readonly silenced: boolean;
}

/** `pending`: it is still to be sent, or tried again · `sent`: the receiver has taken it · `failed`: given up. */
export const deliveryStates = ['pending', 'sent', 'failed'] as const;
export type DeliveryState = (typeof deliveryStates)[number];

/** What one action of a firing does, from the transaction of the firing on. Its id goes with every attempt. */
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
  /** What came of the last attempt: `204`, `connect ECONNREFUSED …`. */
  readonly answer: string | null;
}

/** One attempt of a delivery, once it has ended. */
export interface DeliveryAttempt {
  /** From 1. */
  readonly attempt: number;
  readonly at: number;
  /** `pending`: it was tried again after it. */
  readonly state: DeliveryState;
  /** `204`, `connect ECONNREFUSED …`. */
  readonly answer: string;
}

/** A delivery with its last attempts, oldest first; see `keptAttempts`. */
export interface TriedDelivery extends AlertDelivery {
  readonly lastAttempts: readonly DeliveryAttempt[];
}

/** Attempts of a delivery that are kept: of one that is tried for a day the last. */
export const keptAttempts = 20;

/** A delivery as it is sent. */
export interface PendingDelivery extends AlertDelivery {
  readonly action: AlertAction;
  readonly message: AlertMessage;
}

/** What is sent of a firing; recorded with the delivery, so that each attempt says the same. */
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

/** Keeps alerts from being sent until it ends: those of a rule, or of a rule and a group. */
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

/** Whether a silence keeps an alert quiet at an instant. */
export function silences({ rule, group, untilAt }: AlertSilence, alert: Pick<Alert, 'rule' | 'group'>, now: number): boolean {
  return untilAt > now && (rule === null || rule === alert.rule) && (group === null || group === alert.group);
}

/** What is sent of an alert. */
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

/** One line over what is sent: `[firing] nightly: 3 failed`. */
export function titleOf({ type, data }: AlertMessage): string {
  const word = { 'alert.fired': 'firing', 'alert.repeated': 'still firing', 'alert.resolved': 'resolved', 'alert.test': 'test' }[type];
  return `[${word}] ${data.rule}${data.group === '' ? '' : ` · ${data.group}`}`;
}
