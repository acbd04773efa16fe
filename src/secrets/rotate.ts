/**
 * Re-encrypts everything with the current key, value by value. A crash in the middle leaves each value under one of the keys; run
 * again, it continues with the rest. A value set meanwhile is not overwritten.
 */
import { BatutaError } from '../base/errors.ts';
import { keyIdOf, type Keyring } from '../base/keyring.ts';
import type { NamedStore, Store, StoredSecretValue } from '../store/store.ts';
import { openWith, purposeOf } from './sealing.ts';

/** See `RotationReport` of the client. */
export interface Rotation {
  readonly keyId: string;
  readonly moved: number;
  readonly current: number;
  readonly failed: readonly { readonly what: string; readonly why: string }[];
}

/** @throws BatutaError SECRET_KEY_MISSING, STORE_… */
export async function rotateSecrets(
  { secrets, connections }: Pick<Store, 'secrets' | 'connections'>,
  keyring: Keyring | null,
): Promise<Rotation> {
  if (keyring === null)
    throw new BatutaError(
      'SECRET_KEY_MISSING',
      'To move secrets to another key set BATUTA_SECRET_KEY to the new one and BATUTA_SECRET_KEY_OLD to that of before.',
    );
  const tally = { moved: 0, current: 0, failed: [] as { what: string; why: string }[] };
  const move = (what: string, value: StoredSecretValue, purpose: string): StoredSecretValue => {
    if ('reference' in value) return value;
    if (keyIdOf(value.sealed) === keyring.currentId) {
      tally.current++;
      return value;
    }
    try {
      const sealed = keyring.seal(openWith(keyring, `The ${what}`, value.sealed, purpose), purpose);
      tally.moved++;
      return { sealed };
    } catch (error) {
      tally.failed.push({ what, why: error instanceof Error ? error.message : String(error) });
      return value;
    }
  };
  for (const row of await secrets.list()) {
    const value = move(`secret '${row.name}'`, row.value, purposeOf('secret', row.name));
    if (value !== row.value) await write(secrets, row, { ...row, value }, () => tally.moved--);
  }
  for (const row of await connections.list()) {
    const before = tally.moved;
    const fields = Object.entries(row.secrets).map(
      ([field, value]) =>
        [field, move(`field ${field} of connection '${row.name}'`, value, purposeOf('connection', row.name, field))] as const,
    );
    if (tally.moved > before) await write(connections, row, { ...row, secrets: Object.fromEntries(fields) }, () => (tally.moved = before));
  }
  return { keyId: keyring.currentId, ...tally };
}

/** If it was set or deleted meanwhile, that used the current key. */
async function write<T>(store: NamedStore<T>, before: T, after: T, missed: () => void): Promise<void> {
  if (!(await store.replace(before, after))) missed();
}
