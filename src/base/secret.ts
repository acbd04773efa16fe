/** Secrets that are shown once and kept as hashes: API keys and sessions. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** Returns that many random bytes. Tests pass their own. */
export type RandomBytes = (count: number) => Buffer;

/** 256 bits: impossible to guess. */
const secretBytes = 32;

/** A new secret of 43 letters, digits, `_` and `-` after a prefix that says what it is for. */
export function makeSecret(beginning: string, random: RandomBytes = randomBytes): string {
  return `${beginning}${random(secretBytes).toString('base64url')}`;
}

/**
 * Stored instead of a secret: SHA-256, hexadecimal.
 *
 * A slow salted hash protects what people choose, since that can be guessed. A random 256-bit secret cannot, however fast the hash; and
 * without salt one indexed look-up finds the row.
 */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** Whether two texts are equal, in a time that does not reveal where they differ. */
export function isSameSecret(one: string, other: string): boolean {
  return timingSafeEqual(Buffer.from(hashSecret(one)), Buffer.from(hashSecret(other)));
}
