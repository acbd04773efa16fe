/** Secrets, variables and connections by their names. */
import type { Migration } from './migration.ts';

export const secrets: Migration = {
  number: 25,
  name: 'secrets',
  statements: (_dialect, { integer, text }) => [
    `create table secrets (
      name ${text} primary key, description ${text}, value ${text} not null, created_at ${integer} not null, updated_at ${integer} not null
    )`,
    `create table variables (
      name ${text} primary key, description ${text}, value ${text} not null, created_at ${integer} not null, updated_at ${integer} not null
    )`,
    `create table connections (
      name ${text} primary key, description ${text}, kind ${text} not null, fields ${text} not null, secrets ${text} not null,
      created_at ${integer} not null, updated_at ${integer} not null
    )`,
  ],
};
