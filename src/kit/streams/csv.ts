/** Rows of CSV, by `csv-parse`. */
import type { CsvError, Options, Parser } from 'csv-parse';
import { openSource, recordInvalid, type Source, textOf, type TextOptions } from './input.ts';
import type { BadRecord } from './lines.ts';

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
  /** Told of a row that cannot be read, which is left out then; for `ctx.reject`. Default: the first ends the stream with RECORD_INVALID. */
  readonly onBad?: ((bad: BadRecord) => void) | undefined;
}

/**
 * The rows of a CSV text (RFC 4180), by the names of their columns; every value is a text. Empty lines are passed over, a byte order mark is taken off.
 *
 * A row with more or fewer values than there are columns cannot be read. An open quote at the end of the file always ends the stream with an error.
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
    raw: false,
  } as Options);
  if (onBad)
    parser.on('skip', (error: CsvError | undefined, text: string | undefined) => {
      onBad({ line: lineOf(error), text: text ?? '', reason: error?.message ?? 'unreadable' });
    });
  const feeding = feed(parser, open, options.encoding);
  try {
    for await (const row of parser) yield row as Row;
    await feeding;
  } catch (error) {
    if (isCsvError(error)) throw recordInvalid(open.name, { line: lineOf(error) }, `cannot be read: ${error.message}`, error);
    throw error;
  } finally {
    parser.destroy();
    await feeding.catch(() => undefined);
  }
}

/** Ends the parser with what goes wrong. */
async function feed(parser: Parser, source: ReturnType<typeof openSource>, encoding?: string): Promise<void> {
  try {
    for await (const text of textOf(source, encoding)) {
      if (parser.destroyed) return;
      if (!parser.write(text)) await roomIn(parser);
    }
    parser.end();
  } catch (error) {
    parser.destroy(error as Error);
  }
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

function lineOf(error: CsvError | undefined): number {
  const lines: unknown = error?.['lines'];
  return typeof lines === 'number' ? lines : 0;
}
