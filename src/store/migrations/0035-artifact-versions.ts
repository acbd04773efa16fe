/** Artifacts whose bytes are elsewhere, and versions of artifacts by key across runs. */
import { lastCharsOf } from '../id-part.ts';
import type { Migration } from './migration.ts';

export const artifactVersions: Migration = {
  number: 35,
  name: 'artifact versions',
  statements: (_dialect, { integer, text }) => [
    `alter table artifacts add column key ${text}`,
    `alter table artifacts add column ref ${text}`,
    `alter table artifacts add column bytes ${integer}`,
    `alter table artifacts add column sha256 ${text}`,
    // Only those with a key: others pay nothing for it.
    'create index artifacts_key on artifacts (key, created_at, id) where key is not null',
    `create index artifacts_id_end on artifacts (${lastCharsOf('id')})`,
  ],
};
