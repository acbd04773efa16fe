/**
 * What live events are read from: the changes of state of runs, in the order they were written.
 *
 * PostgreSQL numbers all transitions in one sequence, so an index over those of runs serves. SQLite numbers them per run, so each is
 * recorded once more. An insert at the end of a small table costs a run microseconds.
 */
import type { Migration } from './migration.ts';

export const events: Migration = {
  number: 10,
  name: 'events',
  statements: (dialect, { integer, text }) =>
    dialect === 'postgres'
      ? ['create index transitions_of_runs on transitions (seq) where task_run_id is null']
      : [
          `create table run_events (seq integer primary key, run_id ${text} not null, transition_seq ${integer} not null)`,
          `create trigger run_events_add after insert on transitions when new.task_run_id is null begin
             insert into run_events (run_id, transition_seq) values (new.run_id, new.seq);
           end`,
        ],
};
