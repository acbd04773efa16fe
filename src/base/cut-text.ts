/**
 * Counts and cuts text for people, and handles what databases cannot store. Characters are code points, as in PostgreSQL and JSON Schema.
 * Pure, and also run in browsers.
 */

/** How far a cut goes back for one visible character, UTF-16 units; piles of accents may be endless. */
const mostBackUnits = 64;

let graphemes: Intl.Segmenter | undefined;

/** Whether a text has more than `maxChars` characters. Reads no more than needed. */
export function isLongerThan(text: string, maxChars: number): boolean {
  if (text.length <= maxChars) return false;
  return text.length > 2 * maxChars || unitsOf(text, maxChars) < text.length;
}

/**
 * A text of at most `maxChars` characters, including `end` (such as `…`) if something was cut off. Never cut within a visible character: a
 * flag, a family, a letter with its accents goes as a whole, so that the text may be a little shorter.
 */
export function cutText(text: string, maxChars: number, end = ''): string {
  if (!isLongerThan(text, maxChars)) return text;
  const units = unitsOf(text, Math.max(0, maxChars - [...end].length));
  return text.slice(0, wholeUnits(text, units)) + end;
}

/** A text cut to `maxChars`, with how many are missing. */
export function shortened(text: string, maxChars: number): string {
  const kept = cutText(text, maxChars);
  if (kept.length === text.length) return text;
  return `${kept} …(${(text.length - kept.length).toLocaleString('en-US')} more characters)`;
}

/** A text of some `maxChars` characters, with what is between its beginning and its end left out; neither is cut within a character. */
export function cutMiddle(text: string, maxChars: number): string {
  if (!isLongerThan(text, maxChars)) return text;
  return `${cutText(text, maxChars / 2)} … ${text.slice(wholeUnits(text, text.length - maxChars / 2))}`;
}

/** Where the first `chars` characters of a text end, in UTF-16 units. */
function unitsOf(text: string, chars: number): number {
  let units = 0;
  for (let left = chars; left > 0 && units < text.length; left--) units += (text.codePointAt(units) ?? 0) > 0xffff ? 2 : 1;
  return units;
}

/** The same place, or the start of the visible character across it. */
function wholeUnits(text: string, units: number): number {
  graphemes ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  const from = Math.max(0, units - mostBackUnits);
  const part = text.slice(from, units + mostBackUnits);
  const start = from + (graphemes.segment(part).containing(units - from)?.index ?? units - from);
  return start > from ? start : units;
}

/** Whether a text can be stored as is: no NUL, no unpaired surrogates. */
export function isStorableText(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

/** The text with U+FFFD, the replacement character, for each that cannot be stored. */
export function storableText(text: string): string {
  return isStorableText(text) ? text : text.toWellFormed().replaceAll('\0', '\ufffd');
}

/** Their escapes as `JSON.stringify` writes them; an even number of backslashes before one means that it is plain text. */
const escaped = /(?<!\\)((?:\\\\)*)\\u(?:0000|d[89a-f][0-9a-f]{2})/g;

/** The same for JSON text from `JSON.stringify` or SQLite: they never escape whole pairs. */
export function storableJson(json: string): string {
  return json.includes('\\u0000') || json.includes('\\ud') ? json.replace(escaped, '$1\\ufffd') : json;
}
