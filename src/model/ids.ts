/**
 * Ids as people see and type them.
 *
 * An id is a UUIDv7: its start is a clock, so ids made within a minute start alike. Its end is random: people see the last eight
 * characters, and may type any start or end that is unique. Pure.
 */

/** Length of a whole id. */
export const idChars = 36;
/** Shortest start or end looked up. */
export const minIdPartChars = 4;
/** How many end characters are shown. */
const shownChars = 8;

/** The end of an id, as shown and typed. */
export function shortId(id: string): string {
  return id.slice(-shownChars);
}

/** The same for a list: ends that are alike get as many characters as tell them apart. */
export function shortIds(ids: readonly string[]): ReadonlyMap<string, string> {
  const sorted = [...new Set(ids)].map((id) => ({ id, reversed: reverse(id) })).sort((a, b) => (a.reversed < b.reversed ? -1 : 1));
  return new Map(
    sorted.map(({ id, reversed }, at) => {
      const shared = Math.max(sharedChars(reversed, sorted[at - 1]?.reversed), sharedChars(reversed, sorted[at + 1]?.reversed));
      return [id, id.slice(-Math.max(shownChars, shared + (reversed[shared] === '-' ? 2 : 1)))];
    }),
  );
}

/** Whether a text may be part of an id, by its length and letters. */
export function isIdPart(text: string): boolean {
  return text.length >= minIdPartChars && text.length <= idChars && /^[0-9a-f-]+$/i.test(text);
}

/** Whether the typed text means an id: all of it, its start or its end, in any case. */
export function fitsId(id: string, typed: string): boolean {
  const part = typed.toLowerCase();
  return id === typed || (part.length >= minIdPartChars && (id.startsWith(part) || id.endsWith(part)));
}

function reverse(text: string): string {
  return [...text].reverse().join('');
}

function sharedChars(id: string, other: string | undefined): number {
  let shared = 0;
  while (other !== undefined && shared < id.length && id[shared] === other[shared]) shared += 1;
  return shared;
}
