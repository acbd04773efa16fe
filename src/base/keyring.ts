/**
 * Encryption at rest: AES-256-GCM with keys from the settings.
 *
 * A sealed text is `v1.<key id>.<base64url of nonce, tag and ciphertext>`. It names the key, so that old and new keys may be used in
 * parallel during a rotation, and a wrong key can be told from damage. The purpose (for example `secret:stripe`) is authenticated with it:
 * a text copied to another place does not open there.
 *
 * Source: NIST SP 800-38D; scrypt is RFC 7914.
 */
import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes, scryptSync, timingSafeEqual } from 'node:crypto';
import { BatutaError } from './errors.ts';

const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;
/** Shortest passphrase allowed. */
const minPassphraseChars = 16;
/** 32 MiB and about 100 ms: the cost of each guess at a passphrase. */
const scryptCost = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 };
const scryptSalt = 'batuta.keyring.v1';
const sealedForm = /^v1\.([0-9a-f]{8})\.([\w-]+)$/;

interface Key {
  readonly id: string;
  readonly bytes: Buffer;
}

/** Why a sealed text was not opened. */
export type OpenFault = 'unknown-key' | 'damaged';

export type Opened = { readonly text: string } | { readonly fault: OpenFault; readonly keyId: string | null };

/** The keys of one kind of data. */
export class Keyring {
  readonly #keys: readonly [Key, ...Key[]];

  private constructor(keys: readonly [Key, ...Key[]]) {
    this.#keys = keys;
  }

  /**
   * Keys from the settings; null if none is set.
   *
   * @param setting name of the variable, for messages
   * @param current 32 bytes as 64 hexadecimal digits or base64, or a passphrase of at least 16 characters; null: not set
   * @param old earlier keys, comma-separated, which only open
   * @throws BatutaError CONFIG_INVALID
   */
  static of(setting: string, current: string | null, old: string | null): Keyring | null {
    const earlier = (old ?? '').split(',').flatMap((text) => (text.trim() === '' ? [] : [text.trim()]));
    if (current === null) {
      if (earlier.length === 0) return null;
      throw new BatutaError(
        'CONFIG_INVALID',
        `${setting}_OLD is set but ${setting} is not: set ${setting} to the key that is to be used from now on.`,
        { details: { setting } },
      );
    }
    return new Keyring([readKey(setting, current), ...earlier.map((text) => readKey(`${setting}_OLD`, text))]);
  }

  /** Of the sealing key: 8 hexadecimal digits, which reveal nothing of it. */
  get currentId(): string {
    return this.#keys[0].id;
  }

  /** Of all keys, the sealing one first. */
  get ids(): readonly string[] {
    return this.#keys.map(({ id }) => id);
  }

  /** A signature of the text for that purpose: stable for the same text and key. */
  sign(text: string, purpose: string): string {
    const [{ id, bytes }] = this.#keys;
    return `${id}.${signatureOf(bytes, text, purpose).toString('base64url')}`;
  }

  /** Whether the signature is from `sign` for that text and purpose, with one of the keys. */
  verify(text: string, signature: string, purpose: string): boolean {
    const [keyId, given = ''] = signature.split('.');
    const key = this.#keys.find(({ id }) => id === keyId);
    if (key === undefined) return false;
    const [wanted, shown] = [signatureOf(key.bytes, text, purpose), Buffer.from(given, 'base64url')];
    return shown.length === wanted.length && timingSafeEqual(shown, wanted);
  }

  seal(text: string, purpose: string): string {
    const [{ id, bytes }] = this.#keys;
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv('aes-256-gcm', bytes, nonce).setAAD(Buffer.from(purpose));
    const ciphertext = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return `v1.${id}.${Buffer.concat([nonce, cipher.getAuthTag(), ciphertext]).toString('base64url')}`;
  }

  /** The text sealed for that purpose, or why it is unreadable. */
  open(sealed: string, purpose: string): Opened {
    const [, keyId, body] = sealedForm.exec(sealed) ?? [];
    if (keyId === undefined || body === undefined) return { fault: 'damaged', keyId: null };
    const key = this.#keys.find(({ id }) => id === keyId);
    if (key === undefined) return { fault: 'unknown-key', keyId };
    const bytes = Buffer.from(body, 'base64url');
    try {
      const decipher = createDecipheriv('aes-256-gcm', key.bytes, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes });
      decipher.setAAD(Buffer.from(purpose)).setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
      return { text: decipher.update(bytes.subarray(nonceBytes + tagBytes), undefined, 'utf8') + decipher.final('utf8') };
    } catch {
      return { fault: 'damaged', keyId };
    }
  }
}

/** HMAC-SHA-256 with its own key, so that a signature reveals nothing about what is sealed with the same key. */
function signatureOf(bytes: Buffer, text: string, purpose: string): Buffer {
  const key = createHmac('sha256', bytes).update('batuta.sign.v1').digest();
  return createHmac('sha256', key).update(`${purpose}\0${text}`).digest();
}

/** Id of a sealed text's key; null if it is no sealed text. */
export function keyIdOf(sealed: string): string | null {
  return sealedForm.exec(sealed)?.[1] ?? null;
}

function readKey(setting: string, text: string): Key {
  const bytes = keyFrom(setting, text);
  return { bytes, id: createHash('sha256').update('batuta.key-id').update(bytes).digest('hex').slice(0, 8) };
}

const derived = new Map<string, Buffer>();

function keyFrom(setting: string, text: string): Buffer {
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, 'hex');
  if (/^[\w+/-]{43}=?$/.test(text)) {
    const bytes = Buffer.from(text, 'base64');
    if (bytes.length === keyBytes) return bytes;
  }
  if (text.includes(','))
    throw new BatutaError(
      'CONFIG_INVALID',
      `${setting} holds a comma, by which ${setting.replace(/_OLD$/, '')}_OLD separates keys; take a key without one, best of: openssl rand -hex 32`,
      { details: { setting } },
    );
  if ([...text].length < minPassphraseChars)
    throw new BatutaError(
      'CONFIG_INVALID',
      `${setting} must be 32 bytes as hexadecimal or base64 (openssl rand -hex 32), or a passphrase of at least ${minPassphraseChars} characters.`,
      { details: { setting } },
    );
  // Slow by design, so done once per passphrase.
  const known = derived.get(text) ?? scryptSync(text.normalize('NFC'), scryptSalt, keyBytes, scryptCost);
  derived.set(text, known);
  return known;
}
