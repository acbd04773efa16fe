/**
 * Parts of ids in SQL.
 *
 * A beginning is a range of the key. An end goes by an index over the last four characters, which are random: of a million runs about
 * fifteen share them, and the few are compared in full.
 */
import { idChars, minIdPartChars } from '../model/ids.ts';

/** What the index of migration 12 holds of an id. */
export function lastCharsOf(column: string): string {
  return `substr(${column}, ${idChars - minIdPartChars + 1})`;
}

/** Ids that begin so are at or after `from` and before `to`: they hold digits, letters a to f and hyphens, all below '~'. */
export function idRangeOf(part: string): { readonly from: string; readonly to: string } {
  const from = part.toLowerCase();
  return { from, to: `${from}~` };
}

/** Values for `endsWithText`: the last characters, and the whole end. */
export function endValuesOf(part: string): readonly [last: string, end: string] {
  const end = part.toLowerCase();
  return [end.slice(-minIdPartChars), end];
}

/** Condition that a column of whole ids ends so; `last` and `end` are the places of the values. */
export function endsWithText(column: string, part: string, [last, end]: readonly [last: string, end: string]): string {
  return `${lastCharsOf(column)} = ${last} and substr(${column}, ${idChars - part.length + 1}) = ${end}`;
}
