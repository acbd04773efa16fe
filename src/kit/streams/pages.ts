/** Records that come page by page: of APIs, and of SQL queries. */
import { BatutaError } from '../../base/errors.ts';
import { checkCount } from './options.ts';

/** What `fetchPage` gives. */
export interface Page<Row, Cursor> {
  readonly records: readonly Row[];
  /** Where the next page begins; null or undefined after the last. */
  readonly next?: Cursor | null | undefined;
}

/**
 * The records of all pages. The next page is fetched once the records of the one before were taken.
 *
 * @param fetchPage gives the page at a cursor, the first at `from`
 * @param from where to begin, such as a cursor in `ctx.resumeFrom`; default undefined, the first page
 * @throws BatutaError RECORD_INVALID when a page names itself as the next, which would never end
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

/** A client of `pg` that is the caller's alone, such as `await pool.connect()`. */
export interface PgQueries {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: readonly object[] }>;
}

export interface CursorOptions {
  readonly values?: readonly unknown[] | undefined;
  /** Rows that are fetched at a time. Default 1,000. */
  readonly size?: number | undefined;
}

let cursors = 0;

/**
 * The rows of a query on PostgreSQL by a cursor, so that neither side holds all of them. It works in a transaction of its own on that connection,
 * which must not be in one, and is read only.
 *
 * @throws what the database says
 */
export async function* pgRows<Row extends object>(
  client: PgQueries,
  text: string,
  { values = [], size = 1_000 }: CursorOptions = {},
): AsyncGenerator<Row, void, void> {
  checkCount('pgRows', 'size', size);
  const name = `batuta_rows_${++cursors}`;
  await client.query('begin read only');
  try {
    await client.query(`declare ${name} no scroll cursor for ${text}`, [...values]);
    for (;;) {
      const { rows } = await client.query(`fetch ${size} from ${name}`);
      yield* rows as readonly Row[];
      if (rows.length < size) break;
    }
  } finally {
    await client.query('rollback');
  }
}

/**
 * The rows of a query on SQLite (or any other database) in pages by a key, so that rows which are added meanwhile do not move the others.
 *
 * @param fetchAfter the rows after a key in its order, at most `size`; none given for the first page
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
