/** Sealing and opening of secret values, with the errors if that fails. */
import { BatutaError } from '../base/errors.ts';
import { type Keyring, keyIdOf } from '../base/keyring.ts';
import { programName } from '../base/program-name.ts';

/** Purpose bound into a seal: a sealed value copied to another name does not open there. */
export function purposeOf(kind: 'secret' | 'connection', name: string, field = ''): string {
  return `${kind}:${name}:${field}`;
}

/** @throws BatutaError SECRET_KEY_MISSING */
export function sealWith(keyring: Keyring | null, value: string, purpose: string): string {
  if (keyring) return keyring.seal(value, purpose);
  throw new BatutaError(
    'SECRET_KEY_MISSING',
    'To store secrets set BATUTA_SECRET_KEY, the same for every server, worker and command line (make one: openssl rand -hex 32), or say where the secret is kept: --ref env:NAME.',
  );
}

/**
 * @param what beginning of messages, e.g. `The secret 'stripe'`
 * @throws BatutaError SECRET_KEY_MISSING, SECRET_KEY_WRONG, SECRET_UNREADABLE
 */
export function openWith(keyring: Keyring | null, what: string, sealed: string, purpose: string): string {
  const keyId = keyIdOf(sealed);
  if (keyring === null)
    throw new BatutaError(
      'SECRET_KEY_MISSING',
      `${what} is encrypted with the key ${keyId ?? '(unknown)'}, but BATUTA_SECRET_KEY is not set here.`,
      { details: { keyId } },
    );
  const opened = keyring.open(sealed, purpose);
  if ('text' in opened) return opened.text;
  if (opened.fault === 'unknown-key')
    throw new BatutaError(
      'SECRET_KEY_WRONG',
      `${what} is encrypted with the key ${keyId ?? ''}, but the keys set here are ${keyring.ids.join(', ')}. Set BATUTA_SECRET_KEY to that key, or list it in BATUTA_SECRET_KEY_OLD and run: ${programName()} secret rotate`,
      { details: { keyId, keys: keyring.ids } },
    );
  throw new BatutaError(
    'SECRET_UNREADABLE',
    `${what} is damaged: its value was changed in the database, or copied from another name. Set it anew.`,
    { details: { keyId } },
  );
}
