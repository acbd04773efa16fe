/** Tickets and notices of the local broker. They may be lost at any time without harm: runs say what is to be done. */
import type { Migration } from './migration.ts';

export const tickets: Migration = {
  number: 2,
  name: 'tickets',
  statements: (_dialect, { integer, text, counter }) => [
    `create table tickets (
      seq ${counter}, queue ${text} not null, kind ${text} not null, id ${text} not null, epoch integer not null,
      phase integer not null, priority integer not null, turns_at ${integer}, holder ${text},
      unique (queue, kind, id, epoch)
    )`,
    'create index tickets_waiting on tickets (queue, priority desc, seq) where phase = 1',
    'create index tickets_turning on tickets (turns_at) where phase <> 1',
    `create table notices (seq ${counter}, at ${integer} not null, writer ${text} not null, channel ${text} not null, message ${text} not null)`,
  ],
};
