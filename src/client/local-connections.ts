/** Connections over an open store. */
import { BatutaError } from '../base/errors.ts';
import { checkKind, secretFieldsOf } from '../model/connection-kinds.ts';
import { plainJsonText } from '../model/plain-json.ts';
import { checkDescription, checkValueName, type ConnectionEntry, maxVariableBytes } from '../model/secret.ts';
import { missing } from '../secrets/read-values.ts';
import { purposeOf } from '../secrets/sealing.ts';
import type { StoredConnection, StoredSecretValue } from '../store/store.ts';
import { LocalSecrets, LocalVariables, type SecretParts, storedValue } from './local-secrets.ts';
import type { ConnectionsClient, ConnectionWish } from './secrets-client.ts';

export class LocalConnections implements ConnectionsClient {
  readonly #parts: SecretParts;

  constructor(parts: SecretParts) {
    this.#parts = parts;
  }

  async list(): Promise<readonly ConnectionEntry[]> {
    return (await this.#parts.store.connections.list()).map(entryOf);
  }

  async get(name: string): Promise<ConnectionEntry> {
    const stored = await this.#parts.store.connections.get(name);
    if (stored) return entryOf(stored);
    throw await this.#missing(name);
  }

  async set(name: string, wish: ConnectionWish): Promise<ConnectionEntry> {
    checkValueName('connection', name);
    const { store, clock } = this.#parts;
    const before = await store.connections.get(name);
    if (wish.kind === undefined && !before)
      throw new BatutaError(
        'CONNECTION_INVALID',
        `The connection '${name}' is new and needs a kind: postgres, mysql, http, s3 or generic.`,
        { details: { name } },
      );
    const kind = checkKind(wish.kind ?? before?.kind ?? '');
    const isSame = before?.kind === kind;
    const description = wish.description === undefined ? (before?.description ?? null) : wish.description;
    checkDescription(description);
    const given = this.#secretsOf(name, kind, wish);
    const secrets = { ...(isSame ? before.secrets : {}), ...given };
    const plain = Object.entries(wish.fields ?? (isSame ? before.fields : {})).filter(([field]) => !Object.hasOwn(given, field));
    const { checkFields } = await import('../model/connection-schemas.ts');
    const fields = checkFields(
      name,
      kind,
      Object.fromEntries(plain.filter(([field]) => !secretFieldsOf(kind).includes(field))),
      Object.keys(secrets),
    );
    if (plainJsonText(fields, `fields of connection ${name}`).length > maxVariableBytes)
      throw new BatutaError('OPTION_INVALID', `The fields of connection '${name}' are larger than ${maxVariableBytes} bytes.`);
    const now = clock.now();
    return entryOf(await store.connections.put({ name, description, kind, fields, secrets, createdAt: now, updatedAt: now }));
  }

  async delete(name: string): Promise<void> {
    if (!(await this.#parts.store.connections.delete(name))) throw await this.#missing(name);
  }

  /** Fields given as secrets, and fields that are always secret for this kind. */
  #secretsOf(name: string, kind: string, { fields = {}, secrets = {} }: ConnectionWish): Record<string, StoredSecretValue> {
    const always = secretFieldsOf(kind).flatMap((field) =>
      typeof fields[field] === 'string' ? [[field, { value: fields[field] }] as const] : [],
    );
    return Object.fromEntries(
      [...always, ...Object.entries(secrets)].map(([field, one]) => [
        field,
        storedValue(this.#parts.keyring, one, purposeOf('connection', name, field), `field ${field} of connection '${name}'`),
      ]),
    );
  }

  async #missing(name: string): Promise<BatutaError> {
    return missing('CONNECTION_NOT_FOUND', 'connection', name, await this.#parts.store.connections.names());
  }
}

function entryOf({ name, description, kind, fields, secrets, createdAt, updatedAt }: StoredConnection): ConnectionEntry {
  const places = Object.entries(secrets).map(([field, value]) => [field, 'reference' in value ? value.reference : null] as const);
  return { name, description, kind, fields, secrets: Object.fromEntries(places), createdAt, updatedAt };
}

/** All that flows read by name, over one store. */
export function localNamedValues(parts: SecretParts): readonly [LocalSecrets, LocalVariables, LocalConnections] {
  return [new LocalSecrets(parts), new LocalVariables(parts), new LocalConnections(parts)];
}
