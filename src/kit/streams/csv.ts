/** Rows of CSV, by `csv-parse`. */
import type { CsvError, Options, Parser } from 'csv-parse';
import { BatutaError } from '../../base/errors.ts';
import { CsvFeed } from './csv-feed.ts';
import { openSource, recordInvalid, type Source, type TextOptions } from './input.ts';
import type { BadRecord } from './lines.ts';
import { countedError, ReadCounter } from './read-counts.ts';

export interface CsvOptions extends TextOptions {
  /** Default `,`. */
  readonly delimiter?: string | undefined;
  /** Default `"`; null for none. */
  readonly quote?: string | null | undefined;
  /**
   * True: the first line names the columns. A function is given those names and returns others. A list names them, and the first line is a
   * row. False: each row is a list of texts. Default true.
   */
  readonly columns?: boolean | readonly string[] | ((names: readonly string[]) => readonly string[]) | undefined;
  /** Lines with this prefix are skipped. Default none. */
  readonly comment?: string | undefined;
  /** Trims spaces around values. Default false. */
  readonly trim?: boolean | undefined;
  /** Longest line, and value in quotes, characters; a longer one ends the stream, so that an open quote does not fill memory. Default 10,000,000. */
  readonly maxRow?: number | undefined;
  /**
   * Called with each unreadable row, which is then left out; for `ctx.reject`. Its text is that of the row, or with a wrong quote the text
   * up to it. Default: the first ends the stream with RECORD_INVALID.
   */
  readonly onBad?: ((bad: BadRecord) => void) | undefined;
}

/**
 * The rows of a CSV text (RFC 4180), keyed by column; every value is text. Empty lines are skipped, a byte order mark is removed.
 *
 * A row with more or fewer values than columns is unreadable. An open quote at the end of the file, and two columns of the same name, always
 * end the stream with an error. All rows before an error are yielded before it.
 *
 * Unreadable rows count as the metric `parseErrors` of the task, empty lines and comments as `skipped`.
 *
 * @throws BatutaError RECORD_INVALID with source and line; OPTION_INVALID
 */
export async function* csv<Row = Record<string, string>>(source: Source, options: CsvOptions = {}): AsyncGenerator<Row, void, void> {
  const { CsvError, parse } = await import('csv-parse');
  const open = openSource(source, options.name);
  const { onBad, delimiter = ',', quote = '"', columns = true, comment, trim = false, maxRow = 10_000_000 } = options;
  const renamed = (names: readonly string[]): readonly string[] =>
    checkedNames(open.name, typeof columns === 'function' ? columns(names) : names, feed.lineOfHeader);
  if (delimiter === quote)
    throw optionInvalid(`the delimiter and the quote are both ${JSON.stringify(quote)}; give one of them another character`);
  const parser = parserOf(parse, {
    ...{ delimiter, quote, trim, skip_empty_lines: true, bom: true },
    columns: columns === false ? false : columns === true || typeof columns === 'function' ? renamed : checkedNames(open.name, columns),
    ...(comment === undefined ? {} : { comment }),
    skip_records_with_error: onBad !== undefined,
    // The text of each row, for unreadable ones; slow, so only if wanted.
    raw: onBad !== undefined,
    // Otherwise an error drops the rows before it that are not taken yet.
    autoDestroy: false,
  });
  // Without a reader nobody else listens.
  parser.on('error', () => undefined);
  const [parseErrors, skipped] = [new ReadCounter('parseErrors'), new ReadCounter('skipped')];
  if (onBad)
    parser.on('skip', (error: CsvError | undefined, text: string | undefined) => {
      parseErrors.add();
      const reason = error === undefined ? 'unreadable' : reasonOf(error);
      onBad({ line: feed.lineOf(error), text: rowText(text ?? '', comment), reason });
    });
  const feed = new CsvFeed(parser, open, { skipped, encoding: options.encoding, comment, maxRow });
  const fed = feed.run();
  try {
    for await (const row of parser) yield (onBad ? (row as { readonly record: unknown }).record : row) as Row;
    await fed;
    if (feed.failure !== null) throw feed.failure.error;
  } catch (error) {
    // The parser's own is then that the text ends too early.
    if (feed.failure !== null) throw feed.failure.error;
    if (!(error instanceof CsvError)) throw error;
    throw countedError(recordInvalid(open.name, { line: feed.lineOf(error) }, `cannot be read: ${reasonOf(error)}`, causeOf(error)));
  } finally {
    parser.destroy();
    await fed;
    for (const counter of [parseErrors, skipped]) counter.handOn();
  }
}

/** @throws BatutaError OPTION_INVALID for an option that the library refuses */
function parserOf(parse: (options: Options) => Parser, options: object): Parser {
  try {
    return parse(options);
  } catch (cause) {
    if (!(cause instanceof Error) || !String((cause as Partial<CsvError>).code).startsWith('CSV_INVALID_OPTION')) throw cause;
    throw optionInvalid(cause.message.replace(/^Invalid option \w+: /i, ''), cause);
  }
}

function optionInvalid(why: string, cause?: unknown): BatutaError {
  return new BatutaError('OPTION_INVALID', `csv: ${why}.`, cause === undefined ? {} : { cause });
}

/**
 * @throws BatutaError RECORD_INVALID for columns of the same name: a row would keep only the last of their values; OPTION_INVALID for what is
 *   no list
 */
function checkedNames(source: string, names: readonly string[], line?: number): string[] {
  if (!Array.isArray(names)) throw optionInvalid(`columns must be a list of names, or return one, not ${JSON.stringify(names)}`);
  const twice = names.find((name, at) => names.indexOf(name) < at);
  if (twice === undefined) return [...names];
  const why = `has two columns named ${JSON.stringify(twice)}; name them apart by a function: columns: (names) => …`;
  throw countedError(recordInvalid(source, line === undefined ? {} : { line }, why));
}

/** A row as in the file, without surrounding line breaks and preceding comments. */
function rowText(raw: string, comment: string | undefined): string {
  const lines = raw.replace(/[\r\n]+$/, '').split(/(?<=\n)/);
  const first = lines.findIndex((line) => line.trim() !== '' && !(comment !== undefined && line.startsWith(comment)));
  return lines.slice(Math.max(0, first)).join('');
}

/** Without the line, which would make a reason of its own of each row. */
function reasonOf({ message }: CsvError): string {
  return message.replace(/,? (?:on|at) line \d+/, '');
}

/** The parser's message, without its counts and settings. */
function causeOf(error: CsvError): Error {
  return Object.assign(new Error(reasonOf(error)), { name: 'CsvError', code: error.code });
}
