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
  /** Lines with this prefix are skipped. Default none. */
  readonly comment?: string | undefined;
  /** Trims spaces around values. Default false. */
  readonly trim?: boolean | undefined;
  /**
   * Called with each unreadable row, which is then left out; for `ctx.reject`. Its text is that of the row, or with a wrong quote the text
   * up to it. Default: the first ends the stream with RECORD_INVALID.
   */
  readonly onBad?: ((bad: BadRecord) => void) | undefined;
}

/**
 * The rows of a CSV text (RFC 4180), keyed by column; every value is text. Empty lines are skipped, a byte order mark is removed.
 *
 * A row with more or fewer values than columns is unreadable. An open quote at the end of the file always ends the stream with an error.
 *
 * Unreadable rows count as the metric `parseErrors` of the task, empty lines and comments as `skipped`.
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
    // The text of each row, for unreadable ones; slow, so only if wanted.
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

/** Ends the parser with any error, and counts the lines that it skips. */
async function feed(parser: Parser, source: ReturnType<typeof openSource>, skipped: ReadCounter, encoding?: string): Promise<void> {
  let counted = 0;
  /** @param none lines counted as empty that do not exist */
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
    // After the last line break the parser counts one line too many.
    const none = last === '\n' || last === '\r' ? 1 : 0;
    parser.once('end', () => count(none));
    parser.end();
  } catch (error) {
    parser.destroy(error as Error);
  }
}

/** A row as in the file, without surrounding line breaks and preceding comments. */
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

/** The parser's message, without its counts and settings. */
function causeOf({ message, code }: CsvError): Error {
  return Object.assign(new Error(message), { name: 'CsvError', code });
}

function lineOf(error: CsvError | undefined): number {
  const lines: unknown = error?.['lines'];
  return typeof lines === 'number' ? lines : 0;
}
