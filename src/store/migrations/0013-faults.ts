/**
 * Rows that cannot be processed: why a schedule was set aside, and tags that are not JSON, which must not keep a run from being deleted.
 */
import type { Migration } from './migration.ts';

export const faults: Migration = {
  number: 13,
  name: 'faults',
  statements: (dialect, { text }) => [
    `alter table schedules add column fault ${text}`,
    ...(dialect === 'sqlite' ? sqliteTriggers : postgresTriggers),
  ],
};

const sqliteTriggers = [
  'drop trigger runs_untagged',
  `create trigger runs_untagged after delete on runs when old.tags <> '[]' and json_valid(old.tags) begin
     delete from run_tags where tag in (select value from json_each(old.tags)) and created_at = old.created_at and run_id = old.id;
   end`,
];

const postgresTriggers = [
  `create or replace function batuta_untag_run() returns trigger language plpgsql as $$ begin
     delete from run_tags where tag in (select jsonb_array_elements_text(old.tags::jsonb))
       and created_at = old.created_at and run_id = old.id;
     return null;
   exception when data_exception then
     return null;
   end $$`,
];
