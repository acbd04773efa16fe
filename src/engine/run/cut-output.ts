/** Truncates what tasks log and show, noting how much is missing. Pure. */
import { Buffer } from 'node:buffer';
import { cutText } from '../../base/cut-text.ts';
import type { Artifact, LogLine } from '../../model/run.ts';

/** Room for the note about the cut, bytes. */
const noteBytes = 100;
/** How much is shown of data that has no parts to leave out, characters. */
const beginningChars = 1_000;

/** A message of at most about `maxBytes` of UTF-8. */
export function cutMessage(message: string, maxBytes: number): string {
  const kept = beginningOf(message, maxBytes);
  return kept === message ? message : `${kept} [${message.length - kept.length} more characters were cut]`;
}

/** Fields whose JSON has at most `maxBytes`, and its length. Larger ones are left out entirely: half an object is a different object. */
export function cutFields(fields: LogLine['fields'], maxBytes: number): { readonly fields: LogLine['fields']; readonly bytes: number } {
  if (fields === null) return { fields, bytes: 0 };
  const { length } = JSON.stringify(fields);
  return length <= maxBytes
    ? { fields, bytes: length }
    : { fields: { cut: `${length} characters of fields were left out` }, bytes: noteBytes };
}

/** Data whose JSON has at most about `maxBytes`, and its length. Lists keep their first items, texts their beginning. */
export function cutData(kind: Artifact['kind'], json: string, maxBytes: number): { readonly data: unknown; readonly bytes: number } {
  const bytes = Buffer.byteLength(json);
  const data: unknown = JSON.parse(json);
  if (bytes <= maxBytes) return { data, bytes };
  if (typeof data === 'string') {
    const kept = beginningOf(data, maxBytes - noteBytes);
    return { data: `${kept}${kind === 'markdown' ? '\n\n' : ' '}[${data.length - kept.length} more characters were cut]`, bytes: maxBytes };
  }
  if (Array.isArray(data)) return { data: firstItems(data, maxBytes - noteBytes), bytes: maxBytes };
  return { data: { cut: { bytes, beginning: cutText(json, beginningChars) } }, bytes: beginningChars };
}

/** As many items as fit, and one like them that says how many are missing. */
function firstItems(items: readonly unknown[], maxBytes: number): unknown[] {
  let bytes = 0;
  const end = items.findIndex((item) => (bytes += Buffer.byteLength(JSON.stringify(item)) + 1) > maxBytes);
  const kept = items.slice(0, Math.max(0, end));
  const [first] = items;
  const note = `${items.length - kept.length} more were cut`;
  if (typeof first !== 'object' || first === null) return [...kept, note];
  return [...kept, Array.isArray(first) ? [note] : { [Object.keys(first)[0] ?? 'cut']: note }];
}

/** The beginning of a text, at most `maxBytes` of UTF-8; never splits a character. */
function beginningOf(text: string, maxBytes: number): string {
  // No UTF-16 code unit takes more than three bytes.
  if (text.length * 3 <= maxBytes) return text;
  const { read, written } = new TextEncoder().encodeInto(text, new Uint8Array(Math.max(0, maxBytes)));
  if (read === text.length && written <= maxBytes) return text;
  return cutText(text, [...text.slice(0, read)].length);
}
