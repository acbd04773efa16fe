/** Rows of CSV, by `csv-parse`. */
import type { CsvError, Options, Parser } from 'csv-parse';
import { openSource, recordInvalid, type Source, textOf, type TextOptions } from './input.ts';
import type { BadRecord } from './lines.ts';
import { countedError, ReadCounter } from './read-counts.ts';

export interface CsvOptions extends TextOptions {
  /** Default `,`. */
  readonly delimiter?: string | undefined;
  /** Default `"`; null for none. */
  readonly quote?: string | null | undefined;
  /** True: the first line names the columns. A list names them. False: each row is a list of texts. Default true. */
  readonly columns?: boolean | readonly string[] | undefined;
  /** Lines that begin so are passed over. Default none. */
  readonly comment?: string | undefined;
  /** Takes spaces around values off. Default false. */
  readonly trim?: boolean | undefined;
  /**
   * Told of a row that cannot be read, which is left out then; for `ctx.reject`. Its text is that of the row, of one with a wrong quote up to there.
   * Default: the first ends the stream with RECORD_INVALID.
   */
  readonly onBad?: ((bad: BadRecord) => void) | undefined;
}

/**
 * The rows of a CSV text (RFC 4180), by the names of their columns; every value is a text. Empty lines are passed over, a byte order mark is taken off.
 *
 * A row with more or fewer values than there are columns cannot be read. An open quote at the end of the file always ends the stream with an error.
 *
 * Rows that cannot be read count as the metric `parseErrors` of the task, empty lines and comments as `skipped`.
 *
 * @throws BatutaError RECORD_INVALID with source and line
 */
export async function* csv<Row = Record<string, string>>(source: Source, options: CsvOptions = {}): AsyncGenerator<Row, void, void> {
  const { parse } = await import('csv-parse');
  const open = openSource(source, options.name);
  const { onBad, delimiter = ',', quote = '"', columns = true, comment, trim = false } = options;
  const parser: Parser = parse({
    ...{ delimiter, quote, trim, skip_empty_lines: true, bom: true },
    columns: columns === true || columns === false ? columns : [...columns],
    ...(comment === undefined ? {} : { comment }),
    skip_records_with_error: onBad !== undefined,
    // The text of each row, for the one that cannot be read; costs time, so only where that is wanted.
    raw: onBad !== undefined,
  } as Options);
  const [parseErrors, skipped] = [new ReadCounter('parseErrors'), new ReadCounter('skipped')];
  if (onBad)
    parser.on('skip', (error: CsvError | undefined, text: string | undefined) => {
      parseErrors.add();
      onBad({ line: lineOf(error), text: rowText(text ?? '', comment), reason: error?.message ?? 'unreadable' });
    });
  const feeding = feed(parser, open, skipped, options.encoding);
  try {
    for await (const row of parser) yield (onBad ? (row as { readonly record: unknown }).record : row) as Row;
    await feeding;
  } catch (error) {
    if (isCsvError(error))
      throw countedError(recordInvalid(open.name, { line: lineOf(error) }, `cannot be read: ${error.message}`, causeOf(error)));
    throw error;
  } finally {
    parser.destroy();
    await feeding.catch(() => undefined);
    for (const counter of [parseErrors, skipped]) counter.handOn();
  }
}

/** Ends the parser with what goes wrong, and counts the lines that it passes over. */
async function feed(parser: Parser, source: ReturnType<typeof openSource>, skipped: ReadCounter, encoding?: string): Promise<void> {
  let counted = 0;
  /** @param none lines that are counted as empty and are not there */
  const count = (none = 0): void => {
    const lines = parser.info.empty_lines + parser.info.comment_lines - none;
    if (lines > counted) skipped.add(lines - counted);
    counted = Math.max(counted, lines);
  };
  let last = '';
  try {
    for await (const text of textOf(source, encoding)) {
      if (parser.destroyed) return;
      if (text !== '') last = text.slice(-1);
      const hasRoom = parser.write(text);
      count();
      if (!hasRoom) await roomIn(parser);
    }
    // After the last line break the parser sees one more line, which is none.
    const none = last === '\n' || last === '\r' ? 1 : 0;
    parser.once('end', () => count(none));
    parser.end();
  } catch (error) {
    parser.destroy(error as Error);
  }
}

/** A row as it stands in the file, without line breaks around it and comments before it. */
function rowText(raw: string, comment: string | undefined): string {
  const lines = raw.replace(/[\r\n]+$/, '').split(/(?<=\n)/);
  const first = lines.findIndex((line) => line.trim() !== '' && !(comment !== undefined && line.startsWith(comment)));
  return lines.slice(Math.max(0, first)).join('');
}

function roomIn(parser: Parser): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      parser.off('drain', done);
      parser.off('close', done);
      resolve();
    };
    parser.on('drain', done);
    parser.on('close', done);
    if (parser.destroyed) done();
  });
}

function isCsvError(error: unknown): error is CsvError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('CSV_');
}

/** What the parser says, without its counts and settings. */
function causeOf({ message, code }: CsvError): Error {
  return Object.assign(new Error(message), { name: 'CsvError', code });
}

function lineOf(error: CsvError | undefined): number {
  const lines: unknown = error?.['lines'];
  return typeof lines === 'number' ? lines : 0;
}
