/**
 * Reports from elsewhere: who reports to this database and which runs; and, on SQLite, what of this database waits to be reported to
 * another server.
 */
import type { Migration } from './migration.ts';

export const reports: Migration = {
  number: 33,
  name: 'reports',
  statements: (dialect, { integer, text }) => [
    // `family`: the first of the reporters that succeeded each other as their versions changed; runs belong to all of it.
    `create table reporters (
      id ${text} primary key, family ${text} not null, secret_hash ${text} not null, name ${text} not null, version ${text} not null,
      batuta ${text} not null, host ${text} not null, pid ${integer} not null, started_at ${integer} not null,
      registered_at ${integer} not null, beat_at ${integer} not null, last_seq ${integer} not null, stopped_at ${integer},
      replaced_by ${text}, waiting_items ${integer} not null, waiting_bytes ${integer} not null, dropped ${integer} not null,
      refused ${integer} not null
    )`,
    // Not in `runs`: those executed here pay nothing for it. A row stays when its run is deleted, so that nothing brings it back.
    `create table reported_runs (
      run_id ${text} primary key, family ${text} not null, reporter_id ${text} not null, transition_mark ${integer} not null,
      log_mark ${integer} not null, at ${integer} not null
    )`,
    'create index reported_runs_family on reported_runs (family)',
    'create index reported_runs_at on reported_runs (at)',
    ...(dialect === 'sqlite' ? sqliteOutbox : []),
  ],
};

const sqliteOutbox = [
  // One row: who this store reports as, how far its changes were captured, and which process does it.
  `create table report_state (
    id integer primary key, reporter_id text not null, secret text not null, name text not null, version text not null,
    previous_id text, previous_secret text, is_registered integer not null, events_seq integer not null, tasks_seq integer not null, confirmed integer not null,
    waiting_items integer not null, waiting_bytes integer not null, dropped integer not null, holder text, holder_until integer not null
  )`,
  'create table report_runs (run_id text primary key, transition_seq integer not null, log_seq integer not null, is_open integer not null)',
  'create index report_runs_open on report_runs (run_id) where is_open = 1',
  // Where their task runs are: their own table finds them by run and key alone.
  'create table report_tasks (id text primary key, run_id text not null, seq integer not null) without rowid',
  'create index report_tasks_run on report_tasks (run_id)',
  'create table report_artifacts (run_id text not null, id text not null, primary key (run_id, id)) without rowid',
  // Numbers are never reused, even when all rows are gone.
  `create table report_items (
    seq integer primary key autoincrement, kind text not null, run_id text not null, bytes integer not null, body text not null
  )`,
  'create index report_items_kind on report_items (kind, seq)',
];
