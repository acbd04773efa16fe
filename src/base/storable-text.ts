/** Text that any database can store, the rule of it. Pure. */

/** Whether a text can be stored as it is: no character NUL, no half of a surrogate pair. */
export function isStorableText(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

/** The text with U+FFFD, the replacement character, for each that cannot be stored. */
export function storableText(text: string): string {
  return isStorableText(text) ? text : text.toWellFormed().replaceAll('\0', '\ufffd');
}
