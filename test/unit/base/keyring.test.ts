/** Keys and sealed texts. */
import { describe, expect, test } from 'vitest';
import { Keyring, keyIdOf } from '../../../src/base/keyring.ts';

const hex = 'a'.repeat(64);
const ringOf = (current: string | null, old: string | null = null) => Keyring.of('BATUTA_SECRET_KEY', current, old);

describe('a keyring', () => {
  test('opens what it sealed, for the same purpose alone, and seals the same text differently each time', () => {
    const ring = ringOf(hex);
    const sealed = ring?.seal('läuft – 🎼', 'secret:a') ?? '';
    expect(ring?.open(sealed, 'secret:a')).toEqual({ text: 'läuft – 🎼' });
    expect(ring?.open(sealed, 'secret:b')).toEqual({ fault: 'damaged', keyId: ring?.currentId });
    expect(ring?.seal('läuft – 🎼', 'secret:a')).not.toBe(sealed);
    expect(keyIdOf(sealed)).toBe(ring?.currentId);
    for (const text of ['', 'v1.', 'v1.00000000.', `${sealed}=`, sealed.slice(0, 30)])
      expect(ring?.open(text, 'secret:a')).toHaveProperty('fault');
  });

  test('takes a key as hexadecimal or base64, or a passphrase, and calls the same key by the same id', () => {
    const base64 = Buffer.from(hex, 'hex').toString('base64');
    expect(ringOf(base64)?.currentId).toBe(ringOf(hex)?.currentId);
    const passphrase = 'correct horse battery staple';
    const sealed = ringOf(passphrase)?.seal('x', 'p') ?? '';
    expect(ringOf(passphrase)?.open(sealed, 'p')).toEqual({ text: 'x' });
    expect(ringOf('correct horse battery stapler')?.open(sealed, 'p')).toMatchObject({ fault: 'unknown-key' });
  });

  test('reads with earlier keys and seals with the current one', () => {
    const old = ringOf('b'.repeat(64))?.seal('x', 'p') ?? '';
    const ring = ringOf(hex, ` ${'c'.repeat(64)}, ${'b'.repeat(64)}`);
    expect(ring?.open(old, 'p')).toEqual({ text: 'x' });
    expect(keyIdOf(ring?.seal('x', 'p') ?? '')).toBe(ringOf(hex)?.currentId);
  });

  test('refuses keys that are none, in one sentence that does not show them', () => {
    expect(ringOf(null)).toBeNull();
    for (const key of ['short', 'a'.repeat(15), 'a passphrase, with a comma']) {
      expect(() => ringOf(key)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
      expect(() => ringOf(key)).not.toThrow(key);
    }
    expect(() => ringOf(null, hex)).toThrow('BATUTA_SECRET_KEY_OLD is set but BATUTA_SECRET_KEY is not');
  });
});
