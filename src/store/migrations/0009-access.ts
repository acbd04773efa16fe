/** Who may do what over the network, and who did. */
import type { Migration } from './migration.ts';

export const access: Migration = {
  number: 9,
  name: 'access',
  statements: (_dialect, { integer, text, counter }) => [
    `create table api_keys (
      id ${text} primary key, name ${text} not null, role ${text} not null, hash ${text} not null unique, created_at ${integer} not null,
      expires_at ${integer}, revoked_at ${integer}, last_used_at ${integer}
    )`,
    `create table sessions (
      hash ${text} primary key, key_id ${text} not null, created_at ${integer} not null, expires_at ${integer} not null
    )`,
    `create table audit (
      seq ${counter}, at ${integer} not null, key_id ${text}, who ${text} not null, action ${text} not null, target ${text},
      details ${text}
    )`,
  ],
};
