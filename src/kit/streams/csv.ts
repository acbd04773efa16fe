/** Rows of CSV, by `csv-parse`. */
import type { CsvError, Options, Parser } from 'csv-parse';
import { type OpenSource, openSource, recordInvalid, type Source, textOf, type TextOptions } from './input.ts';
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
 * @throws BatutaError RECORD_INVALID with source and line
 */
export async function* csv<Row = Record<string, string>>(source: Source, options: CsvOptions = {}): AsyncGenerator<Row, void, void> {
  const { CsvError, parse } = await import('csv-parse');
  const open = openSource(source, options.name);
  const { onBad, delimiter = ',', quote = '"', columns = true, comment, trim = false, maxRow = 10_000_000 } = options;
  const renamed = (names: readonly string[]): readonly string[] =>
    checkedNames(open.name, typeof columns === 'function' ? columns(names) : names, parser.info.lines);
  const parser: Parser = parse({
    ...{ delimiter, quote, trim, skip_empty_lines: true, bom: true },
    columns: columns === false ? false : columns === true || typeof columns === 'function' ? renamed : checkedNames(open.name, columns),
    ...(comment === undefined ? {} : { comment }),
    skip_records_with_error: onBad !== undefined,
    // The text of each row, for unreadable ones; slow, so only if wanted.
    raw: onBad !== undefined,
    // Otherwise an error drops the rows before it that are not taken yet.
    autoDestroy: false,
  } as Options);
  // Without a reader nobody else listens.
  parser.on('error', () => undefined);
  const [parseErrors, skipped] = [new ReadCounter('parseErrors'), new ReadCounter('skipped')];
  if (onBad)
    parser.on('skip', (error: CsvError | undefined, text: string | undefined) => {
      parseErrors.add();
      onBad({ line: lineOf(error), text: rowText(text ?? '', comment), reason: error?.message ?? 'unreadable' });
    });
  const feeding = new Feeding(parser, open, { skipped, encoding: options.encoding, maxRow });
  const fed = feeding.run();
  try {
    for await (const row of parser) yield (onBad ? (row as { readonly record: unknown }).record : row) as Row;
    await fed;
    if (feeding.failure !== null) throw feeding.failure.error;
  } catch (error) {
    // The parser's own is then that the text ends too early.
    if (feeding.failure !== null) throw feeding.failure.error;
    if (!(error instanceof CsvError)) throw error;
    const line = error.code === 'CSV_QUOTE_NOT_CLOSED' ? lineOfOpenField(parser) : lineOf(error);
    throw countedError(recordInvalid(open.name, { line }, `cannot be read: ${error.message}`, causeOf(error)));
  } finally {
    parser.destroy();
    await fed;
    for (const counter of [parseErrors, skipped]) counter.handOn();
  }
}

interface FeedOptions {
  readonly skipped: ReadCounter;
  readonly encoding: string | undefined;
  readonly maxRow: number;
}

/** The text on its way into the parser, by whole lines: rows that are complete when the source fails are parsed. */
class Feeding {
  readonly #parser: Parser;
  readonly #source: OpenSource;
  readonly #options: FeedOptions;
  /** Lines that the parser has skipped, as counted so far. */
  #skipped = 0;
  /** The beginning of a line. */
  #rest = '';
  /** Number of the line at the end of the text so far. */
  #line = 1;
  /** Why the source ended too early. */
  failure: { readonly error: unknown } | null = null;

  constructor(parser: Parser, source: OpenSource, options: FeedOptions) {
    this.#parser = parser;
    this.#source = source;
    this.#options = options;
  }

  /** Ends the parser with the text. Never throws. */
  async run(): Promise<void> {
    const { encoding } = this.#options;
    try {
      for await (const text of textOf(this.#source, encoding, () => this.#line)) {
        if (this.#isLeft) return;
        this.#line += lineEndsIn(text);
        const end = endOfLines(text);
        const whole = end === 0 ? '' : this.#rest + text.slice(0, end);
        this.#rest = end === 0 ? this.#rest + text : text.slice(end);
        if (whole !== '') await this.#put(whole);
        this.#checkSize();
      }
      if (this.#rest !== '') await this.#put(this.#rest);
    } catch (error) {
      this.failure = { error };
      this.#rest = '';
    }
    // After the last line break the parser counts one line too many.
    const none = this.#rest === '' ? 1 : 0;
    this.#parser.once('end', () => this.#count(none));
    if (!this.#isLeft) this.#parser.end();
  }

  get #isLeft(): boolean {
    return this.#parser.destroyed || this.#parser.errored !== null;
  }

  async #put(text: string): Promise<void> {
    const hasRoom = this.#parser.write(text);
    this.#count(0);
    if (!hasRoom) await roomIn(this.#parser);
  }

  /** @param none lines counted as empty that do not exist */
  #count(none: number): void {
    const lines = this.#parser.info.empty_lines + this.#parser.info.comment_lines - none;
    if (lines > this.#skipped) this.#options.skipped.add(lines - this.#skipped);
    this.#skipped = Math.max(this.#skipped, lines);
  }

  /** So that an open quote does not fill memory with the rest of the file. */
  #checkSize(): void {
    const { maxRow } = this.#options;
    const isOpenTooLong = openField(this.#parser).length > maxRow;
    if (!isOpenTooLong && this.#rest.length <= maxRow) return;
    const line = isOpenTooLong ? lineOfOpenField(this.#parser) : this.#line;
    throw countedError(
      recordInvalid(this.#source.name, { line }, `begins a row of more than ${maxRow} characters; its quote may not be closed`),
    );
  }
}

function lineEndsIn(text: string): number {
  const end = text.includes('\n') ? '\n' : '\r';
  let count = 0;
  for (let at = text.indexOf(end); at >= 0; at = text.indexOf(end, at + 1)) count++;
  return count;
}

/** Index after the last line end, 0 if there is none. */
function endOfLines(text: string): number {
  return text.lastIndexOf('\n') + 1 || text.lastIndexOf('\r') + 1;
}

/** Bytes of the value that the parser is in; its own buffer. */
function openField(parser: Parser): { readonly length: number; toString(): string } {
  return (parser as unknown as { readonly state: { readonly field: { readonly length: number; toString(): string } } }).state.field;
}

/** Where the value begins that the parser is in. The line break at its end is not counted by the parser yet. */
function lineOfOpenField(parser: Parser): number {
  const text = openField(parser).toString();
  return parser.info.lines - lineEndsIn(text) + (/[\r\n]$/.test(text) ? 1 : 0);
}

/** @throws BatutaError RECORD_INVALID for columns of the same name: a row would keep only the last of their values */
function checkedNames(source: string, names: readonly string[], line?: number): string[] {
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

/** The parser's message, without its counts and settings. */
function causeOf({ message, code }: CsvError): Error {
  return Object.assign(new Error(message), { name: 'CsvError', code });
}

function lineOf(error: CsvError | undefined): number {
  const lines: unknown = error?.['lines'];
  return typeof lines === 'number' ? lines : 0;
}
