/** The displayed text of a log line. Pure. */
import { cutText } from '../../../src/base/cut-text.ts';

/** Levels in pino's numbers, lowest first. */
export const levels = [
  { level: 10, name: 'trace' },
  { level: 20, name: 'debug' },
  { level: 30, name: 'info' },
  { level: 40, name: 'warn' },
  { level: 50, name: 'error' },
  { level: 60, name: 'fatal' },
] as const;

export type LevelName = (typeof levels)[number]['name'];

/** The level at or below a number, for custom levels. */
export function levelName(level: number): LevelName {
  return levels.findLast((known) => known.level <= level)?.name ?? 'trace';
}

// oxlint-disable-next-line no-control-regex -- colours of terminals begin with the control character ESC.
const terminalCodes = /\u001b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\-_])/g;

/** Removes terminal colour codes. */
export function withoutTerminalCodes(text: string): string {
  return text.includes('\u001b') ? text.replace(terminalCodes, '') : text;
}

/** Most characters drawn of one line; the download has the rest. */
const mostChars = { line: 2_000, wrapped: 20_000 } as const;

/** The drawn text: one line with marks for line breaks, or all lines if wrapped; a very long one is cut, with a note. */
export function shownText(message: string, wrap: boolean): string {
  const text = withoutTerminalCodes(message);
  const most = wrap ? mostChars.wrapped : mostChars.line;
  const kept = cutText(text, most);
  const cut = kept.length < text.length ? `${kept} … ${(text.length - kept.length).toLocaleString('en')} more characters` : text;
  return wrap ? cut : cut.trimEnd().replaceAll(/\r?\n/g, ' ⏎ ');
}

/** Further fields of a line, `key=value`, cut if long; empty if there are none. An error, and a running first attempt, are left out. */
export function fieldsText(fields: Readonly<Record<string, unknown>> | null): string {
  if (fields === null) return '';
  const text = Object.entries(fields)
    .filter(([key, value]) => !(key === 'attempt' && value === 1 && fields['late'] !== true) && key !== 'err')
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ');
  return shownText(text, false);
}

/** The text in pieces, with matches marked; case-insensitive. */
export function hitsIn(text: string, search: string): readonly { readonly text: string; readonly hit: boolean }[] {
  if (search === '') return [{ text, hit: false }];
  const [where, what] = [text.toLowerCase(), search.toLowerCase()];
  // Some letters are longer in lower case; then positions differ, and nothing is marked.
  if (where.length !== text.length) return [{ text, hit: false }];
  const pieces: { text: string; hit: boolean }[] = [];
  let from = 0;
  for (let at = where.indexOf(what); at >= 0; at = where.indexOf(what, from)) {
    if (at > from) pieces.push({ text: text.slice(from, at), hit: false });
    pieces.push({ text: text.slice(at, at + what.length), hit: true });
    from = at + what.length;
  }
  if (from < text.length || pieces.length === 0) pieces.push({ text: text.slice(from), hit: false });
  return pieces;
}

/** One of `count` colours for a task, the same each time. */
export function colourOf(name: string, count: number): number {
  let hash = 0;
  for (const char of name) hash = (hash * 31 + (char.codePointAt(0) ?? 0)) >>> 0;
  return hash % count;
}

/** The stack of a line's error, shown below it; null if it has none. */
export function stackText(fields: Readonly<Record<string, unknown>> | null): string | null {
  const error = fields?.['err'];
  const stack = typeof error === 'object' && error !== null && 'stack' in error ? error.stack : null;
  return typeof stack === 'string' ? shownText(stack, true) : null;
}
