/** The tables of alerts. */
import type { AlertFiring, AlertFiringKind, AlertMessage, AlertState, DeliveryState } from '../../model/alerts/alert.ts';
import type { AlertAction, AlertActionKind, AlertKind, AlertOrigin, AlertRuleSpec } from '../../model/alerts/rule.ts';
import { readFields, readJson } from '../read-json.ts';
import {
  boolean,
  describeTable,
  integer,
  integerOrNull,
  json,
  named,
  type RowOf,
  text,
  textOrNull,
  time,
  timeOrNull,
  word,
} from '../table.ts';

/** An unreadable rule finds nothing: no flow has an empty name. */
const unreadable: AlertRuleSpec = {
  condition: { kind: 'failed' },
  flows: [''],
  deployments: [],
  tags: [],
  queues: [],
  by: 'rule',
  actions: [],
  repeatMs: null,
  sendsResolved: false,
};

export const ruleTable = describeTable('alert_rules', {
  name: text,
  description: textOrNull,
  rule: json((written) => {
    const read = readFields<AlertRuleSpec>(written);
    return read?.condition === undefined ? unreadable : { ...unreadable, ...read, flows: read.flows ?? [] };
  }),
  origin: word<AlertOrigin>(),
  declared_in: textOrNull,
  paused_at: timeOrNull,
  created_at: time,
  updated_at: time,
});
export type RuleRow = RowOf<typeof ruleTable>;
/** As a rule is put: with what a pass goes by. */
export const newRuleTable = describeTable('alert_rules', { ...ruleTable.described, by_ends: boolean, from_end: integer });

export const alertTable = describeTable('alerts', {
  id: text,
  rule: text,
  grp: named('group', text),
  kind: word<AlertKind>(),
  state: word<AlertState>(),
  summary: text,
  count: integer,
  first_at: time,
  last_at: time,
  resolved_at: timeOrNull,
  resolved_by: textOrNull,
  sent_at: timeOrNull,
  run_id: textOrNull,
  run_name: textOrNull,
  flow: textOrNull,
  deployment: textOrNull,
});
export type AlertRow = RowOf<typeof alertTable>;
/** With the number of the end that found it last, which only the store compares. */
export const storedAlertTable = describeTable('alerts', { ...alertTable.described, last_seq: integerOrNull });
export type StoredAlertRow = RowOf<typeof storedAlertTable>;

export const firingTable = describeTable('alert_firings', {
  id: text,
  alert_id: textOrNull,
  rule: text,
  grp: named('group', text),
  kind: word<AlertFiringKind>(),
  at: time,
  summary: text,
  count: integer,
  silenced: boolean,
});
export type FiringRow = RowOf<typeof firingTable>;
export const firingOf: (row: FiringRow) => AlertFiring = firingTable.read;

const shown = {
  id: text,
  firing_id: text,
  rule: text,
  kind: word<AlertActionKind>(),
  receiver: text,
  state: word<DeliveryState>(),
  attempts: integer,
  created_at: time,
  tried_at: timeOrNull,
  sent_at: timeOrNull,
  answer: textOrNull,
};
/** As people see them. */
export const deliveryTable = describeTable('alert_deliveries', shown);
export type DeliveryRow = RowOf<typeof deliveryTable>;
/** As they are sent. */
export const pendingTable = describeTable('alert_deliveries', {
  ...shown,
  action: json((written) => readJson<AlertAction>(written) ?? ({ kind: 'cancel' } as const)),
  message: json((written) => readJson<AlertMessage>(written) as AlertMessage),
});

export const attemptTable = describeTable('alert_attempts', {
  delivery_id: text,
  attempt: integer,
  at: time,
  state: word<DeliveryState>(),
  answer: text,
});
export type AttemptRow = RowOf<typeof attemptTable>;

export const silenceTable = describeTable('alert_silences', {
  id: text,
  rule: textOrNull,
  grp: named('group', textOrNull),
  until_at: time,
  reason: textOrNull,
  who: text,
  created_at: time,
});
export type SilenceRow = RowOf<typeof silenceTable>;
