/**
 * Parts of ids in SQL.
 *
 * A beginning is a range of the key. An end is looked up by an index over the last four characters of ended runs, which are random: in a
 * million, about fifteen share them and are compared in full.
 */
import { idChars, minIdPartChars } from '../model/ids.ts';
import type { Connection } from './connection.ts';
import { openList, runsBy, terminalList } from './sql.ts';

/** The part of an id in the index of migration 21. */
export function lastCharsOf(column: string): string {
  return `substr(${column}, ${idChars - minIdPartChars + 1})`;
}

/** Ids that begin like this are at or after `from` and before `to`: they hold digits, letters a to f and hyphens, all below '~'. */
export function idRangeOf(part: string): { readonly from: string; readonly to: string } {
  const from = part.toLowerCase();
  return { from, to: `${from}~` };
}

/** Values for `endsWithText`: the last characters, and the whole end. */
export function endValuesOf(part: string): readonly [last: string, end: string] {
  const end = part.toLowerCase();
  return [end.slice(-minIdPartChars), end];
}

/** Condition that a column of whole ids ends this way; `last` and `end` are the places of the values. */
export function endsWithText(column: string, part: string, [last, end]: readonly [last: string, end: string]): string {
  return `${lastCharsOf(column)} = ${last} and substr(${column}, ${idChars - part.length + 1}) = ${end}`;
}

/** Query of the ids of runs with this end: ended ones by an index for it, the few others by their states. */
export function endingRunsText(
  connection: Pick<Connection, 'dialect'>,
  part: string,
  places: readonly [last: string, end: string],
): string {
  const ends = endsWithText('id', part, places);
  return `select id from ${runsBy(connection, 'runs_id_end')} where ${ends} and state_type in (${terminalList})
    union all select id from ${runsBy(connection, 'runs_state')} where ${ends} and state_type in (${openList})`;
}
