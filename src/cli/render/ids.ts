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
