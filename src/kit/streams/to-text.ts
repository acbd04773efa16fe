/** Records as text for files, objects and request bodies: CSV by `csv-stringify`, and JSON line by line. */
import { type Made, madeFrom, type Records } from './reading.ts';

/** Records per piece of text. */
const pieceRecords = 256;

/** Options of `toCsv`. */
export interface ToCsvOptions {
  /** The columns, in order. Default: the fields of the first record. Other fields are left out. */
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
 */
export function toCsv<Row extends object>(records: Records<Row>, options: ToCsvOptions = {}): AsyncIterable<string> {
  const { delimiter = ',', header = true, escapeFormulas = false } = options;
  let { columns } = options;
  let isFirst = header;
  return piecesOf(
    records,
    async () => {
      const { stringify } = await import('csv-stringify/sync');
      const cast = { boolean: String, date: (value: Date): string => value.toISOString() };
      return (rows) => {
        columns ??= Object.keys(rows[0] ?? {});
        const text = stringify([...rows], { columns: [...columns], header: isFirst, delimiter, escape_formulas: escapeFormulas, cast });
        isFirst = false;
        return text;
      };
    },
    header && columns !== undefined,
  );
}

/** One JSON value per line, in pieces of 256. @throws TypeError for non-JSON records: a bigint, a cycle, undefined */
export function toNdjson(records: Records<unknown>): AsyncIterable<string> {
  return piecesOf(records, async () => (rows) => rows.map(lineOf).join(''), false);
}

function lineOf(record: unknown): string {
  const line: string | undefined = JSON.stringify(record);
  if (line === undefined) throw new TypeError(`A record that is ${typeof record} is no JSON.`);
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
