/** Secrets and variables over an open store. Values are sealed here and never returned. */
import { Buffer } from 'node:buffer';
import type { Clock } from '../base/clock.ts';
import { BatutaError } from '../base/errors.ts';
import { keyIdOf, type Keyring } from '../base/keyring.ts';
import { plainJsonText } from '../model/plain-json.ts';
import { checkDescription, checkValueName, maxSecretBytes, maxVariableBytes, type SecretEntry, type Variable } from '../model/secret.ts';
import { missing } from '../secrets/read-values.ts';
import { checkReference } from '../secrets/references.ts';
import { rotateSecrets } from '../secrets/rotate.ts';
import { purposeOf, sealWith } from '../secrets/sealing.ts';
import type { Store, StoredSecret, StoredSecretValue } from '../store/store.ts';
import type { RotationReport, SecretsClient, SecretWish, VariablesClient } from './secrets-client.ts';

export interface SecretParts {
  readonly store: Store;
  readonly clock: Clock;
  /** @throws BatutaError CONFIG_INVALID */
  readonly keyring: () => Keyring | null;
}

export class LocalSecrets implements SecretsClient {
  readonly #parts: SecretParts;

  constructor(parts: SecretParts) {
    this.#parts = parts;
  }

  async list(): Promise<readonly SecretEntry[]> {
    return (await this.#parts.store.secrets.list()).map(entryOf);
  }

  async get(name: string): Promise<SecretEntry> {
    return entryOf(await this.#find(name));
  }

  async set(name: string, wish: Parameters<SecretsClient['set']>[1]): Promise<SecretEntry> {
    checkValueName('secret', name);
    const { store, clock } = this.#parts;
    const description = wish.description ?? null;
    checkDescription(description);
    const value = storedValue(this.#parts.keyring, wish, purposeOf('secret', name), `secret '${name}'`);
    const known = wish.description === undefined ? ((await store.secrets.get(name))?.description ?? null) : description;
    const now = clock.now();
    return entryOf(await store.secrets.put({ name, description: known, value, createdAt: now, updatedAt: now }));
  }

  async delete(name: string): Promise<void> {
    if (!(await this.#parts.store.secrets.delete(name))) throw await this.#missing(name);
  }

  rotate(): Promise<RotationReport> {
    return rotateSecrets(this.#parts.store, this.#parts.keyring());
  }

  async #find(name: string): Promise<StoredSecret> {
    return (await this.#parts.store.secrets.get(name)) ?? Promise.reject(await this.#missing(name));
  }

  async #missing(name: string): Promise<BatutaError> {
    return missing('SECRET_NOT_FOUND', 'secret', name, await this.#parts.store.secrets.names());
  }
}

export class LocalVariables implements VariablesClient {
  readonly #parts: Pick<SecretParts, 'store' | 'clock'>;

  constructor(parts: Pick<SecretParts, 'store' | 'clock'>) {
    this.#parts = parts;
  }

  list(): Promise<readonly Variable[]> {
    return this.#parts.store.variables.list();
  }

  async get(name: string): Promise<Variable> {
    return (await this.#parts.store.variables.get(name)) ?? Promise.reject(await this.#missing(name));
  }

  async set(name: string, wish: Parameters<VariablesClient['set']>[1]): Promise<Variable> {
    checkValueName('variable', name);
    const { store, clock } = this.#parts;
    const description = wish.description ?? null;
    checkDescription(description);
    const text = plainJsonText(wish.value, `variable ${name}`);
    if (Buffer.byteLength(text) > maxVariableBytes)
      throw new BatutaError(
        'OPTION_INVALID',
        `The variable '${name}' has ${Buffer.byteLength(text)} bytes of JSON; at most ${maxVariableBytes} are allowed.`,
      );
    const known = wish.description === undefined ? ((await store.variables.get(name))?.description ?? null) : description;
    const now = clock.now();
    return store.variables.put({ name, description: known, value: JSON.parse(text), createdAt: now, updatedAt: now });
  }

  async delete(name: string): Promise<void> {
    if (!(await this.#parts.store.variables.delete(name))) throw await this.#missing(name);
  }

  async #missing(name: string): Promise<BatutaError> {
    return missing('VARIABLE_NOT_FOUND', 'variable', name, await this.#parts.store.variables.names());
  }
}

/**
 * The stored form of a wish.
 *
 * @param what names it in messages, e.g. `secret 'stripe'`
 * @throws BatutaError OPTION_INVALID, SECRET_KEY_MISSING
 */
export function storedValue(keyring: () => Keyring | null, wish: SecretWish, purpose: string, what: string): StoredSecretValue {
  if ('reference' in wish) {
    checkReference(wish.reference);
    return { reference: wish.reference };
  }
  const bytes = Buffer.byteLength(wish.value);
  if (bytes === 0) throw new BatutaError('OPTION_INVALID', `The ${what} is empty.`);
  if (bytes > maxSecretBytes)
    throw new BatutaError('OPTION_INVALID', `The ${what} has ${bytes} bytes; at most ${maxSecretBytes} are allowed.`);
  return { sealed: sealWith(keyring(), wish.value, purpose) };
}

function entryOf({ name, description, value, createdAt, updatedAt }: StoredSecret): SecretEntry {
  const where = 'reference' in value ? ({ kind: 'reference', reference: value.reference, keyId: null } as const) : null;
  return {
    name,
    description,
    ...(where ?? { kind: 'stored', reference: null, keyId: keyIdOf('sealed' in value ? value.sealed : '') }),
    createdAt,
    updatedAt,
  };
}
