/** Cursors of lists: where a page ended. Opaque to callers, base64url of JSON. */
import { BatutaError } from '../../base/errors.ts';
import { jsonText } from '../storable.ts';

/** Sort key of the last row of a page: newest first, ids break ties. */
export interface Place {
  readonly createdAt: number;
  readonly id: string;
}

/** Text of a place. */
export function cursorOf({ createdAt, id }: Place): string {
  return Buffer.from(jsonText([createdAt, id])).toString('base64url');
}

/** A page of rows that were requested with one more than `limit`. @param placeOfRow where the list continues after a row */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  limit: number,
  itemOf: (row: Row) => Item,
  placeOfRow: (row: Row) => Place,
): { readonly items: Item[]; readonly next: string | null } {
  const last = rows[limit - 1];
  const next = rows.length > limit && last !== undefined ? cursorOf(placeOfRow(last)) : null;
  return { items: rows.slice(0, limit).map(itemOf), next };
}

/** @throws BatutaError FILTER_INVALID if the text was not made by `cursorOf`. */
export function placeOf(cursor: string): Place {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (Array.isArray(value) && Number.isSafeInteger(value[0]) && typeof value[1] === 'string')
      return { createdAt: value[0], id: value[1] };
  } catch {
    // What is not JSON is not a cursor either.
  }
  throw new BatutaError('FILTER_INVALID', `The cursor "${cursor}" is not from this list. Leave it out to start from the beginning.`);
}

/** @throws BatutaError FILTER_INVALID if `limit` is not a whole number from 1 to `most`. */
export function limitOf(limit: number | undefined, usual: number, most: number): number {
  if (limit === undefined) return usual;
  if (Number.isInteger(limit) && limit >= 1 && limit <= most) return limit;
  throw new BatutaError('FILTER_INVALID', `The limit ${limit} is not a whole number from 1 to ${most}.`);
}
