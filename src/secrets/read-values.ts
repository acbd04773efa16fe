/**
 * Secrets, variables and connections as running code reads them. Each secret returned is hidden from then on wherever this process
 * prints or records text.
 */
import type { Clock } from '../base/clock.ts';
import { BatutaError } from '../base/errors.ts';
import { hideSecret } from '../base/hidden-values.ts';
import type { Keyring } from '../base/keyring.ts';
import { hintFor } from '../base/nearest.ts';
import type { ConnectionValues, NamedValues } from '../model/secret.ts';
import type { Store, StoredSecretValue } from '../store/store.ts';
import { type Resolvers, resolveReference } from './references.ts';
import { openWith, purposeOf } from './sealing.ts';

/** How long a read value is reused, ms: each item of a mapped task may need the same. */
const keptMs = 5_000;

export interface ReaderParts {
  readonly store: Pick<Store, 'secrets' | 'variables' | 'connections'>;
  /** Created on first use: a passphrase is slow to derive, and most processes read no secret. @throws BatutaError CONFIG_INVALID */
  readonly keyring: () => Keyring | null;
  readonly clock: Clock;
  readonly resolvers: () => Promise<Resolvers>;
}

export class NamedValueReader implements NamedValues {
  readonly #parts: ReaderParts;
  readonly #kept = new Map<string, { readonly at: number; readonly value: Promise<unknown> }>();

  constructor(parts: ReaderParts) {
    this.#parts = parts;
  }

  secret(name: string): Promise<string> {
    return this.#once(`secret ${name}`, async () => {
      const { secrets } = this.#parts.store;
      const stored = await secrets.get(name);
      if (!stored) throw missing('SECRET_NOT_FOUND', 'secret', name, await secrets.names());
      return this.#reveal(`The secret '${name}'`, stored.value, purposeOf('secret', name));
    });
  }

  findVariable(name: string): ReturnType<NamedValues['findVariable']> {
    return this.#once(`variable ${name}`, () => this.#parts.store.variables.get(name));
  }

  async variableMissing(name: string): Promise<BatutaError> {
    return missing('VARIABLE_NOT_FOUND', 'variable', name, await this.#parts.store.variables.names());
  }

  connection(name: string): Promise<ConnectionValues> {
    return this.#once(`connection ${name}`, async () => {
      const { connections } = this.#parts.store;
      const stored = await connections.get(name);
      if (!stored) throw missing('CONNECTION_NOT_FOUND', 'connection', name, await connections.names());
      const revealed = Object.entries(stored.secrets).map(
        async ([field, value]) =>
          [field, await this.#reveal(`The field ${field} of connection '${name}'`, value, purposeOf('connection', name, field))] as const,
      );
      return {
        name,
        kind: stored.kind,
        fields: { ...stored.fields, ...Object.fromEntries(await Promise.all(revealed)) },
        secretFields: Object.keys(stored.secrets),
      };
    });
  }

  async #reveal(what: string, value: StoredSecretValue, purpose: string): Promise<string> {
    const text =
      'reference' in value
        ? await resolveReference(what, value.reference, this.#parts)
        : openWith(this.#parts.keyring(), what, value.sealed, purpose);
    hideSecret(text);
    return text;
  }

  /** Concurrent requests share one read; a failure is not kept. */
  #once<T>(key: string, read: () => Promise<T>): Promise<T> {
    const now = this.#parts.clock.monotonic();
    const known = this.#kept.get(key);
    if (known && now - known.at < keptMs) return known.value as Promise<T>;
    const value = read();
    this.#kept.set(key, { at: now, value });
    value.catch(() => this.#kept.delete(key));
    return value;
  }
}

/** The error for an unknown name. */
export function missing(
  code: 'SECRET_NOT_FOUND' | 'VARIABLE_NOT_FOUND' | 'CONNECTION_NOT_FOUND',
  what: string,
  name: string,
  names: readonly string[],
): BatutaError {
  const hint = hintFor(name, names, 'There are') || ` Set one: batuta ${what} set ${/^[\w.-]+$/.test(name) ? name : 'NAME'}`;
  return new BatutaError(code, `There is no ${what} '${name}'.${hint}`, { details: { name } });
}
