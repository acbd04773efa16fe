/** Events, triggers of deployments, what they wait for and what they have fired for. */
import type { Migration } from './migration.ts';

export const triggers: Migration = {
  number: 41,
  name: 'triggers',
  statements: (_dialect, { integer, text, counter }) => [
    `create table events (
      seq ${counter}, id ${text} not null unique, name ${text} not null, payload ${text}, source ${text}, at ${integer} not null,
      received_at ${integer} not null, caller_run_id ${text}, traceparent ${text}, pending integer
    )`,
    // Pending: no scheduler has decided yet what it starts. A pass costs what is in here.
    'create index events_pending on events (seq) where pending = 1',
    'create index events_name on events (name, seq)',
    'create index events_received on events (received_at)',
    `create table triggers (
      id ${text} primary key, deployment ${text} not null, slug ${text} not null, rule ${text} not null, by_ends integer not null,
      from_event ${integer} not null, from_end ${integer} not null, created_at ${integer} not null, unique (deployment, slug)
    )`,
    // Occurrences for a trigger, each once; without a firing they wait.
    `create table trigger_causes (
      trigger_id ${text} not null, cause ${text} not null, source integer not null, grp ${text} not null, label ${text} not null,
      subject ${text} not null, at ${integer} not null, seen_at ${integer} not null, hops integer not null, caller_run_id ${text},
      traceparent ${text}, given ${text}, fault ${text}, firing ${text}, primary key (trigger_id, cause)
    )`,
    'create index trigger_causes_open on trigger_causes (trigger_id, grp, seen_at) where firing is null',
    'create index trigger_causes_seen on trigger_causes (seen_at)',
    `create table trigger_groups (
      trigger_id ${text} not null, grp ${text} not null, first_at ${integer} not null, last_at ${integer} not null, due_at ${integer} not null,
      count ${integer} not null, primary key (trigger_id, grp)
    )`,
    'create index trigger_groups_due on trigger_groups (due_at)',
    `create table trigger_firings (
      id ${text} primary key, trigger_id ${text} not null, deployment ${text} not null, slug ${text} not null, at ${integer} not null,
      outcome ${text} not null, cause ${text} not null, cause_id ${text} not null, count ${integer} not null, run_id ${text}, message ${text}
    )`,
    'create index trigger_firings_deployment on trigger_firings (deployment, at, id)',
    'create index trigger_firings_at on trigger_firings (at)',
    // How far each reader has read the ends of runs: see triggers/ends.ts.
    `create table end_places (
      reader ${text} primary key, settled ${integer} not null, read_to ${integer} not null, mark ${integer}, mark_next ${integer}, mark_at ${integer}
    )`,
    `insert into end_places (reader, settled, read_to) values ('triggers', 0, 0)`,
  ],
};
