/** The key by which an external service recognises requests for the same piece of work. */
import { hash } from 'node:crypto';

/**
 * The same for every attempt of a task run, even after a crash, a manual retry or on another worker; different for every other task run.
 *
 * Derived from what identifies the task run in its run, not its id: a process that dies before recording anything of the task run leaves
 * none.
 *
 * @param key of the task run; empty for the body of a code flow
 * @param itemHash identifies the item of a mapped task, else null
 * @returns a UUID of version 8 (RFC 9562), 36 characters: the first 122 bits of SHA-256 over the three parts, each on a line
 */
export function idempotencyKeyOf(runId: string, key: string, itemHash: string | null): string {
  return hashedId(`${runId}\n${key}\n${itemHash ?? ''}`);
}

/** A version 8 UUID, the same for the same text. */
export function hashedId(text: string): string {
  const digits = hash('sha256', text, 'hex');
  const variant = ((Number.parseInt(digits.charAt(16), 16) & 0x3) | 0x8).toString(16);
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    `8${digits.slice(13, 16)}`,
    `${variant}${digits.slice(17, 20)}`,
    digits.slice(20, 32),
  ].join('-');
}
