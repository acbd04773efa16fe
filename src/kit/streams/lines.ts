/** Text line by line, and JSON line by line. */
import { openSource, recordInvalid, type Source, textOf, type TextOptions } from './input.ts';
import { countedError, ReadCounter } from './read-counts.ts';

export interface LinesOptions extends TextOptions {
  /** Longest line, characters; a longer one is refused, so that a file without line breaks does not fill memory. Default 10,000,000. */
  readonly maxLine?: number | undefined;
}

/** An unreadable line, for `onBad`. */
export interface BadRecord {
  /** Its line number, from 1. */
  readonly line: number;
  readonly text: string;
  readonly reason: string;
}

export interface NdjsonOptions extends LinesOptions {
  /** Called with a line that is no JSON, left out then; for `ctx.reject`. Default: the first ends the stream with RECORD_INVALID. */
  readonly onBad?: ((bad: BadRecord) => void) | undefined;
}

/**
 * The lines of a text without line ends (`\n`, `\r\n`); a byte order mark is removed. No line follows the last end.
 *
 * @throws BatutaError RECORD_INVALID with source and line for bytes that are not text, and lines that are too long
 */
export async function* lines(
  source: Source,
  { encoding, name, maxLine = 10_000_000 }: LinesOptions = {},
): AsyncGenerator<string, void, void> {
  const open = openSource(source, name);
  let rest = '';
  let line = 0;
  for await (const text of textOf(open, encoding, () => line + 1)) {
    let from = 0;
    for (let to = text.indexOf('\n'); to >= 0; to = text.indexOf('\n', from)) {
      line++;
      const whole = rest + text.slice(from, to);
      rest = '';
      from = to + 1;
      yield whole.endsWith('\r') ? whole.slice(0, -1) : whole;
    }
    rest += text.slice(from);
    if (rest.length > maxLine) throw countedError(recordInvalid(open.name, { line: line + 1 }, `is longer than ${maxLine} characters`));
  }
  if (rest !== '') yield rest.endsWith('\r') ? rest.slice(0, -1) : rest;
}

/**
 * The values of a text with one JSON value per line; empty lines are skipped. Values are not checked. Lines that are not JSON count as the
 * metric `parseErrors` of the task, empty ones as `skipped`.
 *
 * @throws BatutaError RECORD_INVALID with source and line for a line that is not JSON, without `onBad`
 */
export async function* ndjson<Row = unknown>(source: Source, { onBad, ...options }: NdjsonOptions = {}): AsyncGenerator<Row, void, void> {
  const { name } = openSource(source, options.name);
  const [parseErrors, skipped] = [new ReadCounter('parseErrors'), new ReadCounter('skipped')];
  let line = 0;
  try {
    for await (const text of lines(source, options)) {
      line++;
      if (text.trim() === '') {
        skipped.add();
        continue;
      }
      let row: Row;
      try {
        row = JSON.parse(text) as Row;
      } catch (cause) {
        parseErrors.add();
        const reason = cause instanceof Error ? cause.message : String(cause);
        if (!onBad) throw recordInvalid(name, { line }, `is no JSON: ${reason}`, cause);
        onBad({ line, text, reason });
        continue;
      }
      yield row;
    }
  } finally {
    for (const counter of [parseErrors, skipped]) counter.handOn();
  }
}
