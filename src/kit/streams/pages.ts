/** Records that arrive in pages: from APIs and SQL queries. */
import { BatutaError } from '../../base/errors.ts';
import { checkCount } from './options.ts';

/** A fetched page. */
export interface Page<Row, Cursor> {
  readonly records: readonly Row[];
  /** Where the next page begins; null or undefined after the last. */
  readonly next?: Cursor | null | undefined;
}

/**
 * The records of all pages. Fetches the next page once the records of one were taken.
 *
 * @param fetchPage the page at a cursor, the first at `from`
 * @param from where to start, e.g. a cursor in `ctx.resumeFrom`; default undefined, the first page
 * @throws BatutaError RECORD_INVALID if a page names itself as the next, which would never end
 */
export async function* paginate<Row, Cursor = unknown>(
  fetchPage: (cursor: Cursor | undefined) => Page<Row, Cursor> | Promise<Page<Row, Cursor>>,
  from?: Cursor,
): AsyncGenerator<Row, void, void> {
  let cursor = from;
  for (;;) {
    const { records, next } = await fetchPage(cursor);
    yield* records;
    if (next === null || next === undefined) return;
    if (cursor !== undefined && JSON.stringify(next) === JSON.stringify(cursor))
      throw new BatutaError('RECORD_INVALID', `paginate: the page at ${JSON.stringify(cursor)} names itself as the next one.`, {
        details: { cursor },
      });
    cursor = next;
  }
}

/** A `pg` client exclusive to the caller, such as `await pool.connect()`. */
export interface PgQueries {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: readonly object[] }>;
}

export interface CursorOptions {
  readonly values?: readonly unknown[] | undefined;
  /** Rows fetched at a time. Default 1,000. */
  readonly size?: number | undefined;
}

let cursors = 0;

/**
 * The rows of a PostgreSQL query by cursor, so that neither side holds all of them. Uses its own read-only transaction on that connection,
 * which must not be in one.
 *
 * @throws errors of the database
 */
export async function* pgRows<Row extends object>(
  client: PgQueries,
  text: string,
  { values = [], size = 1_000 }: CursorOptions = {},
): AsyncGenerator<Row, void, void> {
  checkCount('pgRows', 'size', size);
  const name = `batuta_rows_${++cursors}`;
  await client.query('begin read only');
  let hasFailed = false;
  try {
    await client.query(`declare ${name} no scroll cursor for ${text}`, [...values]);
    for (;;) {
      const { rows } = await client.query(`fetch ${size} from ${name}`);
      yield* rows as readonly Row[];
      if (rows.length < size) break;
    }
  } catch (error) {
    hasFailed = true;
    throw error;
  } finally {
    const ended = client.query('rollback');
    // A lost connection refuses it too, with less to say.
    await (hasFailed ? ended.catch(() => undefined) : ended);
  }
}

/**
 * The rows of a query on SQLite (or any other database) in pages by key, so that rows added meanwhile do not move others.
 *
 * @param fetchAfter the rows after a key in key order, at most `size`; no key for the first page
 * @param keyOf the key of a row
 */
export async function* keyedRows<Row, Key>(
  fetchAfter: (key: Key | undefined, size: number) => readonly Row[] | Promise<readonly Row[]>,
  keyOf: (row: Row) => Key,
  { size = 1_000, after }: { readonly size?: number | undefined; readonly after?: Key | undefined } = {},
): AsyncGenerator<Row, void, void> {
  checkCount('keyedRows', 'size', size);
  let key = after;
  for (;;) {
    const rows = await fetchAfter(key, size);
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < size) return;
    key = keyOf(last);
  }
}
