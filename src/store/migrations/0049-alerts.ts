/** Rules of alerts, what they have found, and the notifications. */
import type { Migration } from './migration.ts';

export const alerts: Migration = {
  number: 49,
  name: 'alerts',
  statements: (_dialect, { integer, text, counter }) => [
    `create table alert_rules (
      name ${text} primary key, description ${text}, rule ${text} not null, origin ${text} not null, paused_at ${integer},
      created_at ${integer} not null, updated_at ${integer} not null, by_ends integer not null, from_end ${integer} not null, looked_at ${integer}
    )`,
    `create table alerts (
      id ${text} primary key, rule ${text} not null, grp ${text} not null, kind ${text} not null, state ${text} not null, summary ${text} not null,
      count ${integer} not null, first_at ${integer} not null, last_at ${integer} not null, last_seq ${integer}, resolved_at ${integer},
      resolved_by ${text}, sent_at ${integer}, run_id ${text}, run_name ${text}, flow ${text}, deployment ${text}
    )`,
    // One per rule and group at a time, whatever writes.
    `create unique index alerts_open on alerts (rule, grp) where state <> 'resolved'`,
    'create index alerts_last on alerts (last_at, id)',
    // Recorded occurrences: each counts once.
    `create table alert_causes (rule ${text} not null, cause ${text} not null, subject ${text}, at ${integer} not null, primary key (rule, cause))`,
    'create index alert_causes_at on alert_causes (at)',
    `create table alert_firings (
      id ${text} primary key, alert_id ${text}, rule ${text} not null, grp ${text} not null, kind ${text} not null, at ${integer} not null,
      summary ${text} not null, count ${integer} not null, silenced integer not null
    )`,
    'create index alert_firings_alert on alert_firings (alert_id, at)',
    'create index alert_firings_at on alert_firings (at)',
    `create table alert_deliveries (
      seq ${counter}, id ${text} not null unique, firing_id ${text} not null, rule ${text} not null, kind ${text} not null, receiver ${text} not null,
      action ${text} not null, message ${text} not null, state ${text} not null, attempts ${integer} not null, created_at ${integer} not null,
      tried_at ${integer}, sent_at ${integer}, answer ${text}
    )`,
    'create index alert_deliveries_firing on alert_deliveries (firing_id)',
    `create index alert_deliveries_pending on alert_deliveries (receiver, seq) where state = 'pending'`,
    // Who is sending to a receiver, and when the next attempt is due; null: nothing is pending.
    `create table alert_receivers (
      receiver ${text} primary key, owner ${text}, epoch ${integer} not null, lease_until ${integer}, next_at ${integer}, failures ${integer} not null
    )`,
    'create index alert_receivers_due on alert_receivers (next_at) where next_at is not null',
    `create table alert_silences (
      id ${text} primary key, rule ${text}, grp ${text}, until_at ${integer} not null, reason ${text}, who ${text} not null, created_at ${integer} not null
    )`,
  ],
};
