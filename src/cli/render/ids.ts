/**
 * Ids as people see them: the first 13 characters.
 *
 * The first 8 of a UUIDv7 stand still for 65 seconds, so that all runs of a minute would look alike; 13 hold the whole
 * millisecond, and still are a prefix that every command takes.
 */
const shownChars = 13;

/** The part of an id that is shown and may be typed. */
export function shortId(id: string): string {
  return id.slice(0, shownChars);
}

/** The same for a list: ids that were made in one millisecond, as those of a backfill are, get as many characters as tell them apart. */
export function shortIds(ids: readonly string[]): ReadonlyMap<string, string> {
  const sorted = [...new Set(ids)].sort();
  return new Map(
    sorted.map((id, at) => {
      const shared = Math.max(sharedChars(id, sorted[at - 1]), sharedChars(id, sorted[at + 1]));
      return [id, id.slice(0, Math.max(shownChars, shared + (id[shared] === '-' ? 2 : 1)))];
    }),
  );
}

function sharedChars(id: string, other: string | undefined): number {
  let shared = 0;
  while (other !== undefined && shared < id.length && id[shared] === other[shared]) shared += 1;
  return shared;
}
