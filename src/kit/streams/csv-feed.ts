/** The text of a source on its way into the CSV parser, and the lines of what the parser cannot read. */
import { Buffer } from 'node:buffer';
import type { CsvError, Parser } from 'csv-parse';
import { type OpenSource, recordInvalid, textOf } from './input.ts';
import { countedError, type ReadCounter } from './read-counts.ts';

export interface CsvFeedOptions {
  readonly skipped: ReadCounter;
  readonly encoding: string | undefined;
  readonly comment: string | undefined;
  /** Longest line, and value in quotes, characters. */
  readonly maxRow: number;
}

/** Feeds the parser whole lines, so that rows that are complete when the source fails are parsed. */
export class CsvFeed {
  readonly #parser: Parser;
  readonly #source: OpenSource;
  readonly #options: CsvFeedOptions;
  readonly #places: LinePlaces;
  readonly #ends = new LineEnds();
  /** Lines that the parser has skipped, as counted so far. */
  #skipped = 0;
  /** The beginning of a line. */
  #rest = '';
  /** Number of the line at the end of the text so far. */
  #line = 1;
  /** Why the source ended too early. */
  failure: { readonly error: unknown } | null = null;

  constructor(parser: Parser, source: OpenSource, options: CsvFeedOptions) {
    this.#parser = parser;
    this.#source = source;
    this.#options = options;
    this.#places = new LinePlaces(this.#ends, options.comment);
  }

  /** Ends the parser with the text. Never throws. */
  async run(): Promise<void> {
    try {
      for await (const text of textOf(this.#source, this.#options.encoding, () => this.#line)) {
        if (this.#isLeft) return;
        this.#line += this.#ends.in(text);
        const end = endOfLines(text);
        const lines = end === 0 ? '' : this.#rest + text.slice(0, end);
        this.#rest = end === 0 ? this.#rest + text : text.slice(end);
        if (lines !== '') await this.#put(lines);
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

  /** Line of an unreadable row. The parser's own count is wrong after line breaks in quotes. */
  lineOf(error: CsvError | undefined): number {
    if (error?.code === 'CSV_QUOTE_NOT_CLOSED') return this.#lineOfOpenValue('');
    const bytes: unknown = error?.['bytes'];
    if (typeof bytes !== 'number') return this.#line;
    // A whole row is passed with its line break; of others only what precedes the value.
    return error?.code.startsWith('CSV_RECORD_') === true ? this.#places.lineBefore(bytes) : this.#places.lineAfter(bytes);
  }

  /** Line of the header, while the parser reads it. */
  get lineOfHeader(): number {
    return this.#places.lineBefore(this.#parser.info.bytes);
  }

  get #isLeft(): boolean {
    return this.#parser.destroyed || this.#parser.errored !== null;
  }

  /** Resolves once it is parsed, or the parser is closed. */
  async #put(text: string): Promise<void> {
    const parser = this.#parser;
    this.#places.put(text);
    await new Promise<void>((resolve) => {
      const done = (): void => {
        parser.off('close', done);
        resolve();
      };
      parser.once('close', done);
      parser.write(text, done);
    });
    this.#count(0);
  }

  /** Where the value begins that the parser is in. @param ahead what it has not read of the text so far */
  #lineOfOpenValue(ahead: string): number {
    return this.#line - this.#ends.in(ahead) - this.#ends.in(insideOf(this.#parser).field.toString());
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
    const { field, previousBuf } = insideOf(this.#parser);
    const isOpenTooLong = field.length > maxRow;
    if (!isOpenTooLong && this.#rest.length <= maxRow) return;
    const line = isOpenTooLong ? this.#lineOfOpenValue(`${String(previousBuf ?? '')}${this.#rest}`) : this.#line;
    const why = `begins a row of more than ${maxRow} characters; its quote may not be closed`;
    throw countedError(recordInvalid(this.#source.name, { line }, why));
  }
}

/** Characters kept of a text once the next one comes: the parser looks ahead and reads a few again. */
const keptChars = 256;

/** Finds the lines of places in the text that was put last. */
class LinePlaces {
  readonly #ends: LineEnds;
  readonly #comment: string | undefined;
  #text = '';
  /** The same text, once it was asked for. */
  #bytes: Buffer | null = null;
  /** Where it begins, bytes and lines. */
  #from = 0;
  #line = 1;
  /** The last place that was asked for, and its line. */
  #found = { at: 0, line: 1 };

  constructor(ends: LineEnds, comment: string | undefined) {
    this.#ends = ends;
    this.#comment = comment;
  }

  put(text: string): void {
    const passed = this.#text.slice(0, Math.max(0, this.#text.length - keptChars));
    this.#from += Buffer.byteLength(passed);
    this.#line += this.#ends.in(passed);
    this.#text = this.#text.slice(passed.length) + text;
    this.#bytes = null;
    this.#found = { at: 0, line: this.#line };
  }

  /** The line that ends there. @param bytes from the beginning of the source */
  lineBefore(bytes: number): number {
    return this.#lineAt(bytes - this.#from - 1);
  }

  /** The line of what follows; empty lines and comments are passed over. @param bytes from the beginning of the source */
  lineAfter(bytes: number): number {
    const text = (this.#bytes ??= Buffer.from(this.#text));
    let at = bytes - this.#from;
    for (;;) {
      const isLineStart = at <= 0 || text[at - 1] === 0x0a || text[at - 1] === 0x0d;
      const next = text[at];
      if (isLineStart && (next === 0x0a || next === 0x0d)) at++;
      else if (isLineStart && this.#comment !== undefined && this.#comment !== '' && text.indexOf(this.#comment, at) === at) {
        const end = text.indexOf(0x0a, at);
        if (end < 0) return this.#lineAt(at);
        at = end + 1;
      } else return this.#lineAt(at);
    }
  }

  /** Places mostly ascend, so that each part of the text is counted once. */
  #lineAt(at: number): number {
    const text = (this.#bytes ??= Buffer.from(this.#text));
    const start = at >= this.#found.at ? this.#found : { at: 0, line: this.#line };
    this.#found = {
      at: Math.max(at, start.at),
      line: start.line + this.#ends.in(text.toString('latin1', start.at, Math.max(at, start.at))),
    };
    return this.#found.line;
  }
}

/** Counts the line ends of a source: `\n`, unless its first ones are `\r` alone. */
class LineEnds {
  #end: string | null = null;

  in(text: string): number {
    this.#end ??= text.includes('\n') ? '\n' : /\r[^\n]/.test(text) ? '\r' : null;
    if (this.#end === null) return 0;
    let count = 0;
    for (let at = text.indexOf(this.#end); at >= 0; at = text.indexOf(this.#end, at + 1)) count++;
    return count;
  }
}

/** Index after the last line end, 0 if there is none. */
function endOfLines(text: string): number {
  return text.lastIndexOf('\n') + 1 || text.lastIndexOf('\r') + 1;
}

/** What the parser holds of the text: bytes of the value it is in, and what it reads again with the next piece. */
interface Inside {
  readonly field: { readonly length: number; toString(): string };
  readonly previousBuf: Buffer | undefined;
}

function insideOf(parser: Parser): Inside {
  return (parser as unknown as { readonly state: Inside }).state;
}
