/**
 * Text that both databases can store.
 *
 * PostgreSQL refuses the character NUL and half of a surrogate pair, SQLite's driver cuts a text at NUL. User code prints
 * what it likes, and one such line must not stop a flush: each becomes U+FFFD, the character for what cannot be shown.
 */

/** Escapes that `JSON.stringify` writes for them; an even number of backslashes before one means that it is plain text. */
const escaped = /(?<!\\)((?:\\\\)*)\\u(?:0000|d[89a-f][0-9a-f]{2})/g;

/** For JSON text that `JSON.stringify` made: whole pairs never stand escaped in it. */
export function storable(json: string): string {
  return json.includes('\\u0000') || json.includes('\\ud') ? json.replace(escaped, '$1\\ufffd') : json;
}

/** For a parameter that is stored as it is. */
export function storableValue<T>(value: T): T | string {
  return typeof value === 'string' && value.includes('\0') ? value.replaceAll('\0', '\ufffd') : value;
}
