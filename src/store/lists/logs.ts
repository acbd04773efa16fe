/** Log lines of runs. */
import type { SqlBool } from 'kysely';
import type { Connection } from '../connection.ts';
import { logOf } from '../rows.ts';
import type { LogStore } from '../store.ts';
import { logColumns } from '../tables.ts';
import { limitOf } from './cursor.ts';
import { patternOf } from './run-filter.ts';

/** Most lines that one call gives. */
const mostLines = 10_000;

export function logStore(connection: Connection): LogStore {
  return {
    async ofRun(runId, filter = {}) {
      const { taskRunId, minLevel, after, before, search, tail } = filter;
      const limit = Math.min(limitOf(filter.limit, tail === undefined ? 1000 : mostLines, mostLines), limitOf(tail, mostLines, mostLines));
      const db = await connection.kysely();
      let query = db
        .selectFrom('logs')
        .select([...logColumns, 'seq'])
        .where('run_id', '=', runId)
        .limit(limit);
      if (taskRunId !== undefined) query = query.where('task_run_id', '=', taskRunId);
      if (minLevel !== undefined) query = query.where('level', '>=', minLevel);
      if (after !== undefined) query = query.where('seq', '>', after);
      if (before !== undefined) query = query.where('seq', '<', before);
      if (search !== undefined) {
        // Loaded with the first search, as all of Kysely is: it costs more than starting a process.
        const { sql } = await import('kysely');
        query = query.where(sql<SqlBool>`lower(message) like ${patternOf(search)} escape '\\'`);
      }
      const rows = await query.orderBy('seq', tail === undefined ? 'asc' : 'desc').execute();
      return (tail === undefined ? rows : rows.reverse()).map(logOf);
    },
  };
}
