/** Secrets that are shown once and kept as hashes: API keys and sessions. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** Gives so many random bytes that nobody can guess. Tests pass their own. */
export type RandomBytes = (count: number) => Buffer;

/** 256 bits: beyond guessing, whatever is tried. */
const secretBytes = 32;

/** A new secret of 43 letters, digits, `_` and `-` behind a beginning that tells what it is for. */
export function makeSecret(beginning: string, random: RandomBytes = randomBytes): string {
  return `${beginning}${random(secretBytes).toString('base64url')}`;
}

/**
 * What is stored in place of a secret: SHA-256, hexadecimal.
 *
 * A slow hash with salt protects what people choose, since that can be guessed. A random secret of 256 bits cannot, however fast the
 * hash is; and a hash without salt lets one indexed look-up find the row.
 */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** Whether two texts are the same, in a time that does not tell where they differ. */
export function isSameSecret(one: string, other: string): boolean {
  return timingSafeEqual(Buffer.from(hashSecret(one)), Buffer.from(hashSecret(other)));
}
