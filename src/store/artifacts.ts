/** What tasks show: tables, Markdown, links. */
import type { Connection } from './connection.ts';
import { artifactOf } from './rows.ts';
import type { ArtifactStore } from './store.ts';
import { artifactColumns } from './tables.ts';

/** Oldest first. */
export function artifactStore(connection: Connection): ArtifactStore {
  return {
    async ofRun(runId) {
      const db = await connection.kysely();
      const rows = await db
        .selectFrom('artifacts')
        .select(artifactColumns)
        .where('run_id', '=', runId)
        .orderBy('created_at')
        .orderBy('id')
        .execute();
      return rows.map(artifactOf);
    },
  };
}
