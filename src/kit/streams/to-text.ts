/** Records as text for files, objects and request bodies: CSV by `csv-stringify`, and JSON line by line. */
import type { BatutaError } from '../../base/errors.ts';
import { recordInvalid } from './input.ts';
import { checkRecord, type Made, madeFrom, type Records } from './reading.ts';

/** Records per piece of text. */
const pieceRecords = 256;

/** Options of `toCsv`. */
export interface ToCsvOptions {
  /** The columns, in order; other fields are left out. Default: the fields of the first record, and another field in a later one is an error. */
  readonly columns?: readonly string[] | undefined;
  /** Whether the first line names the columns. Default true. */
  readonly header?: boolean | undefined;
  /** Default `,`. */
  readonly delimiter?: string | undefined;
  /** Puts `'` before values that a spreadsheet would read as formulas. For untrusted text. Default false. */
  readonly escapeFormulas?: boolean | undefined;
}

/**
 * CSV (RFC 4180, lines end in `\n`) of the records, in pieces of 256. Null and undefined are empty, dates ISO 8601, objects JSON. Without
 * records: the header if `columns` are given, else nothing.
 *
 * @throws BatutaError RECORD_INVALID for a record that is no object or cannot be written, and without `columns` for one with a field that
 *   the first one lacks
 */
export function toCsv<Row extends object>(records: Records<Row>, options: ToCsvOptions = {}): AsyncIterable<string> {
  const { delimiter = ',', header = true, escapeFormulas = false } = options;
  const { columns } = options;
  /** The fields of the first record, without columns. */
  let fields: ReadonlySet<string> | null = null;
  let written = 0;
  let isFirst = header;
  return piecesOf(
    records,
    async () => {
      const { stringify } = await import('csv-stringify/sync');
      const cast = { boolean: String, date: (value: Date): string => value.toISOString() };
      return (rows) => {
        for (const [at, row] of rows.entries()) checkRecord('toCsv', row, written + at);
        if (columns === undefined) {
          fields ??= new Set(Object.keys(rows[0] ?? {}));
          checkFields(rows, fields, written);
        }
        const names = [...(columns ?? fields ?? [])];
        const textFrom = (part: readonly Row[], hasHeader: boolean): string =>
          stringify([...part], { columns: names, header: hasHeader, delimiter, escape_formulas: escapeFormulas, cast });
        const text = locatedText(rows, written, textFrom, isFirst);
        isFirst = false;
        written += rows.length;
        return text;
      };
    },
    header && columns !== undefined,
  );
}

/** A field without a column would be lost. @param from number of records before */
function checkFields(rows: readonly object[], fields: ReadonlySet<string>, from: number): void {
  if (fields.size === 0) throw recordInvalid('toCsv', { record: 0 }, 'has no fields; name them in the option columns');
  for (const [at, row] of rows.entries()) {
    const more = Object.keys(row).find((name) => !fields.has(name));
    if (more === undefined) continue;
    const why = `has the field ${JSON.stringify(more)}, which the first record lacks; name all fields in the option columns`;
    throw recordInvalid('toCsv', { record: from + at }, why);
  }
}

/** The text of rows; of several, the record that cannot be written is looked for. @param from number of records before */
function locatedText<Row>(
  rows: readonly Row[],
  from: number,
  textOf: (rows: readonly Row[], hasHeader: boolean) => string,
  hasHeader: boolean,
): string {
  try {
    return textOf(rows, hasHeader);
  } catch (cause) {
    if (rows.length > 1) for (const [at, row] of rows.entries()) locatedText([row], from + at, textOf, false);
    throw recordInvalid('toCsv', { record: from }, `cannot be written as CSV: ${firstLineOf(cause)}`, cause);
  }
}

function firstLineOf(cause: unknown): string {
  const [line = ''] = (cause instanceof Error ? cause.message : String(cause)).split('\n');
  return line;
}

/** One JSON value per line, in pieces of 256. @throws BatutaError RECORD_INVALID for a non-JSON record: a bigint, a cycle, undefined */
export function toNdjson(records: Records<unknown>): AsyncIterable<string> {
  let written = 0;
  return piecesOf(records, async () => (rows) => rows.map((row) => lineOf(row, written++)).join(''), false);
}

function lineOf(row: unknown, record: number): string {
  const refuse = (why: string, cause?: unknown): BatutaError =>
    recordInvalid('toNdjson', { record }, `cannot be written as JSON: ${why}`, cause);
  let line: string | undefined;
  try {
    line = JSON.stringify(row);
  } catch (cause) {
    throw refuse(firstLineOf(cause), cause);
  }
  if (line === undefined) throw refuse(`it is ${typeof row}`);
  return `${line}\n`;
}

/** @param hasEmpty whether no records yield a piece */
function piecesOf<Row>(
  records: Records<Row>,
  open: () => Promise<(rows: readonly Row[]) => string>,
  hasEmpty: boolean,
): AsyncIterable<string> {
  return madeFrom([records], async function* (reader): AsyncGenerator<Made<string>, void, void> {
    const textOf = await open();
    let rows: Row[] = [];
    for (let next = await reader.next(); !next.done; next = await reader.next()) {
      rows.push(next.value);
      if (rows.length < pieceRecords) continue;
      yield { record: textOf(rows), reader, until: reader.read };
      rows = [];
    }
    if (rows.length > 0 || (hasEmpty && reader.read === 0)) yield { record: textOf(rows), reader, until: reader.read };
  });
}
