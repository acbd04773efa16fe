/** A connection as code gets it: its fields, typed by its kind, and its address. */
import { BatutaError } from '../base/errors.ts';
import { hideSecret } from '../base/hidden-values.ts';
import { addressOf, type ConnectionFieldsByKind, type ConnectionKind, checkKind } from './connection-kinds.ts';
import type { NamedValues } from './secret.ts';

/** What opens a database or service. Its address and secret fields are hidden wherever this process prints or records text. */
export type Connection<K extends ConnectionKind = 'generic'> = ConnectionFieldsByKind[K] & {
  readonly name: string;
  readonly kind: K;
  /** E.g. `postgres://etl:…@db:5432/shop`, password included; of kind `generic` its field `url`, null if it has none. */
  readonly url: K extends 'generic' ? string | null : string;
};

/**
 * Reads a connection.
 *
 * @param kind the expected kind; others are refused
 * @throws BatutaError CONNECTION_NOT_FOUND, CONNECTION_INVALID, SECRET_KEY_MISSING, SECRET_KEY_WRONG, SECRET_UNREADABLE
 */
export async function readConnection<K extends ConnectionKind>(values: NamedValues, name: string, kind: K): Promise<Connection<K>> {
  checkKind(kind);
  const found = await values.connection(name);
  if (found.kind !== kind)
    throw new BatutaError(
      'CONNECTION_INVALID',
      `The connection '${name}' is of kind ${found.kind}, and the code takes one of kind ${kind}.`,
      { details: { name, kind: found.kind } },
    );
  const { checkFields } = await import('./connection-schemas.ts');
  const fields = checkFields(name, kind, found.fields, []);
  const url = addressOf(kind, fields);
  if (url !== null && found.secretFields.length > 0) hideSecret(url);
  return { ...fields, name, kind, url } as Connection<K>;
}
