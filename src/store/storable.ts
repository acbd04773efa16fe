/**
 * Text that both databases can store, and the one place that replaces what they cannot.
 *
 * PostgreSQL refuses the character NUL and unpaired surrogates, also as escapes in JSON text; SQLite's driver cuts a text at NUL, and ends
 * the whole process when it reads an unpaired surrogate that the database made of JSON. Both become U+FFFD, the replacement character,
 * rather than being refused: users' code prints what it likes, and one such line must not stop a flush. In names given by people (a run, a
 * tag, a deployment) such characters are refused before they get here, and values of flows are kept as they are, since their text escapes
 * them in ASCII.
 *
 * Connections pass every text through `storableValue`; JSON that a statement passes to the database, or that a column holds, is made only
 * by `jsonText`.
 */
import { storableJson, storableText } from '../base/cut-text.ts';

/** JSON text of a value; `'null'` if JSON has no text for it. */
export function jsonText(value: unknown): string {
  return storableJson(JSON.stringify(value) ?? 'null');
}

/** For a parameter that is stored as it is. */
export function storableValue<T>(value: T): T | string {
  return typeof value === 'string' ? storableText(value) : value;
}
