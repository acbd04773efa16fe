/** Attempts to send an alert, and the file that declares a rule. */
import type { Migration } from './migration.ts';

export const alertAttempts: Migration = {
  number: 62,
  name: 'alert-attempts',
  statements: (_dialect, { integer, text }) => [
    `create table alert_attempts (
      delivery_id ${text} not null, attempt ${integer} not null, at ${integer} not null, state ${text} not null, answer ${text} not null,
      primary key (delivery_id, attempt)
    )`,
    `alter table alert_rules add column declared_in ${text}`,
  ],
};
