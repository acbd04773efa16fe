/** Records that arrive in pages: from APIs and SQL queries. */
import { inspect, isDeepStrictEqual } from 'node:util';
import { BatutaError } from '../../base/errors.ts';
import { currentScope } from '../../model/run-context.ts';
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
 * @throws BatutaError RECORD_INVALID for what is no page, and for pages that name each other in a circle, which would never end
 */
export async function* paginate<Row, Cursor = unknown>(
  fetchPage: (cursor: Cursor | undefined) => Page<Row, Cursor> | Promise<Page<Row, Cursor>>,
  from?: Cursor,
): AsyncGenerator<Row, void, void> {
  let cursor = from;
  const circle = new CircleWatch(from);
  for (;;) {
    const page = await fetchPage(cursor);
    const records: unknown = (page as Partial<Page<Row, Cursor>> | null | undefined)?.records;
    if (typeof records !== 'object' || records === null || !(Symbol.iterator in records))
      throw pagesInvalid('paginate', `fetchPage(${shown(cursor)}) returned ${shown(page)}, not { records, next }`, { cursor });
    yield* page.records;
    const { next } = page;
    if (next === null || next === undefined) return;
    const pages = circle.pass(next);
    if (pages !== null) {
      const why = pages === 1 ? 'names itself as the next one' : `is the next one again after ${pages} pages`;
      throw pagesInvalid('paginate', `the page at ${shown(next)} ${why}`, { cursor: next });
    }
    cursor = next;
  }
}

/** Notices values that go round in a circle, of any length, by keeping a single one: Brent's algorithm. */
class CircleWatch {
  #kept: unknown;
  #since = 0;
  #most = 1;

  constructor(first: unknown) {
    this.#kept = first;
  }

  /** How many values the circle has, once one has come again; else null. */
  pass(value: unknown): number | null {
    this.#since++;
    if (isDeepStrictEqual(value, this.#kept)) return this.#since;
    if (this.#since === this.#most) {
      this.#kept = value;
      this.#most *= 2;
      this.#since = 0;
    }
    return null;
  }
}

function pagesInvalid(helper: string, why: string, details: Readonly<Record<string, unknown>>): BatutaError {
  const task = currentScope()?.task ?? null;
  return new BatutaError('RECORD_INVALID', `${helper}${task === null ? '' : ` (task ${task})`}: ${why}.`, {
    details: { ...details, task },
  });
}

function shown(value: unknown): string {
  return inspect(value, { breakLength: Number.POSITIVE_INFINITY, depth: 1, maxArrayLength: 3, maxStringLength: 100 });
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
 * @throws BatutaError RECORD_INVALID for a page that ends at the key it begins after, which would never end
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
    const next = keyOf(last);
    if (key !== undefined && isDeepStrictEqual(next, key))
      throw pagesInvalid('keyedRows', `the rows after the key ${shown(key)} end at that key again`, { key });
    key = next;
  }
}
