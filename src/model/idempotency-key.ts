/** The key by which a service elsewhere recognises that two requests are the same piece of work. */
import { hash } from 'node:crypto';

/**
 * The same for every attempt of one task run, also after a crash, a retry by hand or on another worker; another for every other task run.
 *
 * Made of what identifies the task run inside its run, not of its id: a process that dies before anything of the task run is recorded leaves none.
 *
 * @param key of the task run; empty for the body of a code flow
 * @param itemHash what tells the item of a mapped task from others, else null
 * @returns a UUID of version 8 (RFC 9562), 36 characters: the first 122 bits of SHA-256 over the three parts, each on a line
 */
export function idempotencyKeyOf(runId: string, key: string, itemHash: string | null): string {
  return hashedId(`${runId}\n${key}\n${itemHash ?? ''}`);
}

/** A UUID of version 8 that is the same for the same text. */
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
