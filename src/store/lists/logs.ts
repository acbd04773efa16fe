/** Log lines of runs. */
import { logOf, type LogRow } from '../tables.ts';
import type { Connection } from '../connection.ts';
import type { LogFilter, LogPage, LogStore, StoredLogLine } from '../store.ts';
import { limitOf } from './cursor.ts';
import { fittingLines, logSize, type LogSize, shownLogColumns } from './log-bytes.ts';
import { Params } from '../sql.ts';
import { patternOf } from './run-filter.ts';

/** Most lines that one call gives. */
const mostLines = 10_000;
/** Most that one page holds, bytes of text. */
const pageBytes = 2 * 1024 * 1024;

export function logStore(connection: Connection): LogStore {
  return {
    page: (runId, filter = {}) => pageOfRun(connection, runId, filter, linesOf(filter)),
    async ofRun(runId, filter = {}) {
      const limit = linesOf(filter);
      const all: StoredLogLine[] = [];
      for (let rest = filter; ; ) {
        const { lines, hasMore } = await pageOfRun(connection, runId, rest, limit - all.length);
        if (filter.tail === undefined) all.push(...lines);
        else all.unshift(...lines);
        if (!hasMore || all.length >= limit) return all;
        const place = filter.tail === undefined ? { after: all.at(-1)?.seq } : { before: all[0]?.seq };
        rest = { ...rest, ...(place as Pick<LogFilter, 'after' | 'before'>) };
      }
    },
  };
}

function linesOf({ limit, tail }: LogFilter): number {
  return Math.min(limitOf(limit, tail === undefined ? 1000 : mostLines, mostLines), limitOf(tail, mostLines, mostLines));
}

/** Reads the sizes of as many lines as are wanted, then as many lines as fit. */
async function pageOfRun({ query }: Connection, runId: string, filter: LogFilter, limit: number): Promise<LogPage> {
  const { taskRunId, minLevel, after, before, search, tail } = filter;
  const params = new Params();
  const conditions = [`run_id = ${params.add(runId)}`];
  if (taskRunId !== undefined) conditions.push(`task_run_id = ${params.add(taskRunId)}`);
  if (minLevel !== undefined) conditions.push(`level >= ${params.add(minLevel)}`);
  if (after !== undefined) conditions.push(`seq > ${params.add(after)}`);
  if (before !== undefined) conditions.push(`seq < ${params.add(before)}`);
  if (search !== undefined) conditions.push(`lower(message) like ${params.add(patternOf(search))} escape '\\'`);
  const direction = tail === undefined ? 'asc' : 'desc';
  const sizes = await query<LogSize>(
    `select ${logSize} from logs where ${conditions.join(' and ')} order by seq ${direction} limit ${limit}`,
    params.values,
  );
  const fitting = fittingLines(sizes, pageBytes);
  const [first, last] = [sizes[0], sizes[fitting - 1]];
  if (first === undefined || last === undefined) return { lines: [], hasMore: false };
  const from = params.add(Math.min(first.seq, last.seq));
  const until = params.add(Math.max(first.seq, last.seq));
  const rows = await query<LogRow>(
    `select ${shownLogColumns}, seq from logs where ${conditions.join(' and ')} and seq between ${from} and ${until}
     order by seq ${direction} limit ${fitting}`,
    params.values,
  );
  const lines = rows.map(logOf);
  return { lines: tail === undefined ? lines : lines.reverse(), hasMore: fitting < sizes.length || sizes.length === limit };
}
