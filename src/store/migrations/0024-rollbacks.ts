/** What runs have done that is to be undone if they end badly, and how far that has got. */
import type { Migration } from './migration.ts';

export const rollbacks: Migration = {
  number: 24,
  name: 'rollbacks',
  statements: (_dialect, { integer, text }) => [
    // A separate table: runs with nothing to undo, which are most, pay nothing for it.
    `create table rollbacks (
      run_id ${text} primary key, stage ${text} not null, at ${integer} not null, losses integer not null,
      end_type ${text}, end_name ${text}, end_message ${text}, undone integer, remaining ${text}, error ${text}
    )`,
  ],
};
