/** What lists and figures are read from when a store is full. */
import type { Migration } from './migration.ts';

export const lists: Migration = {
  number: 8,
  name: 'lists',
  statements: (dialect, { integer, text }) => [
    // Lists by state, newest first; it also serves queries by type alone, like the index it replaces.
    'drop index runs_state_due',
    'create index runs_state on runs (state_type, state_name, created_at)',
    'create index runs_ended on runs (ended_at) where ended_at is not null',
    // The name of a state implies its type; a planner that assumes them independent expects far too few runs.
    ...(dialect === 'postgres' ? ['create statistics runs_states (dependencies, mcv) on state_type, state_name from runs'] : []),
    'create index artifacts_created on artifacts (created_at, id)',
    `create table run_tags (
      tag ${text} not null, created_at ${integer} not null, run_id ${text} not null, primary key (tag, created_at, run_id)
    )${dialect === 'sqlite' ? ' without rowid' : ''}`,
    ...(dialect === 'sqlite' ? sqliteTriggers : postgresTriggers),
    `insert into run_tags (tag, created_at, run_id)
       select distinct ${dialect === 'sqlite' ? 'value' : 'jsonb_array_elements_text(runs.tags::jsonb)'}, runs.created_at, runs.id
       from runs${dialect === 'sqlite' ? ', json_each(runs.tags)' : ''} where runs.tags <> '[]'`,
    // Sums over ended runs by the hour and by the day of their creation; see rollup.ts.
    `create table run_figures (
      kind ${text} not null, name ${text} not null, span ${integer} not null, at ${integer} not null, state_type ${text} not null,
      runs ${integer} not null, timed ${integer} not null, total_ms ${integer} not null, durations ${text} not null,
      primary key (kind, name, span, at, state_type)
    )`,
    'create index run_figures_span on run_figures (kind, span, at)',
    `create table run_figures_done (id integer primary key, created_until ${integer} not null, ended_until ${integer} not null)`,
    'insert into run_figures_done (id, created_until, ended_until) values (1, 0, 0)',
    // Hours to be summed up again, because ended runs in them were deleted or reopened.
    `create table run_figures_stale (at ${integer} primary key)`,
  ],
};

/** Tags and creation time of a run never change, so only its insertion and its deletion are followed. */
const sqliteTriggers = [
  `create trigger runs_tagged after insert on runs when new.tags <> '[]' begin
     insert or ignore into run_tags (tag, created_at, run_id) select value, new.created_at, new.id from json_each(new.tags);
   end`,
  `create trigger runs_untagged after delete on runs when old.tags <> '[]' begin
     delete from run_tags where tag in (select value from json_each(old.tags)) and created_at = old.created_at and run_id = old.id;
   end`,
];

const postgresTriggers = [
  `create function batuta_tag_run() returns trigger language plpgsql as $$ begin
     insert into run_tags (tag, created_at, run_id)
       select distinct jsonb_array_elements_text(new.tags::jsonb), new.created_at, new.id on conflict do nothing;
     return null;
   end $$`,
  `create function batuta_untag_run() returns trigger language plpgsql as $$ begin
     delete from run_tags where tag in (select jsonb_array_elements_text(old.tags::jsonb))
       and created_at = old.created_at and run_id = old.id;
     return null;
   end $$`,
  `create trigger runs_tagged after insert on runs for each row when (new.tags <> '[]') execute function batuta_tag_run()`,
  `create trigger runs_untagged after delete on runs for each row when (old.tags <> '[]') execute function batuta_untag_run()`,
];
