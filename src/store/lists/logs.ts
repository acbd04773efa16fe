/** Log lines of runs. */
import { logOf, type LogRow } from '../tables.ts';
import type { Connection } from '../connection.ts';
import type { LogFilter, LogPage, LogStore, StoredLogLine } from '../store.ts';
import { limitOf } from './cursor.ts';
import { Params } from '../sql.ts';
import { patternOf } from './run-filter.ts';

/** Most lines that one call returns. */
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

/** Reads the sizes of the requested lines, then as many lines as fit. */
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

/** Longest message shown, characters; above what any setting allows, so that it only affects messages that were never cut. */
export const maxShownChars = 256 * 1024;

export interface LogSize {
  readonly seq: number;
  readonly bytes: number;
}

/** Column list of a size. */
export const logSize = `seq, ${bytesShown('message')} + ${bytesShown('fields')} as bytes`;

/** Column list of lines, in the form of `logTable`, with overlong text cut. */
export const shownLogColumns = `run_id, task_run_id, at, level,
  case when length(message) > ${maxShownChars}
    then substr(message, 1, ${maxShownChars}) || ' [' || (length(message) - ${maxShownChars}) || ' more characters were cut]' else message end as message,
  case when length(fields) > ${maxShownChars}
    then '{"cut":"' || length(fields) || ' characters of fields were left out"}' else fields end as fields`;

/** How many lines fit, in order; at least one. */
export function fittingLines(sizes: readonly Pick<LogSize, 'bytes'>[], maxBytes: number): number {
  let bytes = 0;
  const tooMuch = sizes.findIndex((size) => (bytes += size.bytes) > maxBytes);
  return tooMuch === -1 ? sizes.length : Math.max(1, tooMuch);
}

function bytesShown(column: string): string {
  return `case when octet_length(${column}) > ${maxShownChars} then ${maxShownChars} else coalesce(octet_length(${column}), 0) end`;
}
