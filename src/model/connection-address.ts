/** Fields of a connection from its address. Pure. */
import { BatutaError } from '../base/errors.ts';
import type { ConnectionKind } from './connection-kinds.ts';

/** Kind and fields, including the password. @throws BatutaError CONNECTION_INVALID, which shows only the scheme of the address */
export function fieldsOfAddress(address: string): { readonly kind: ConnectionKind; readonly fields: Readonly<Record<string, unknown>> } {
  if (!URL.canParse(address))
    throw new BatutaError(
      'CONNECTION_INVALID',
      'The address of the connection is no URL, e.g. postgres://user@host:5432/database. Signs such as @ and / in a password are written %40 and %2F.',
    );
  const url = new URL(address);
  const login = {
    ...(url.username === '' ? {} : { user: decode(url.username) }),
    ...(url.password === '' ? {} : { password: decode(url.password) }),
  };
  const place = {
    host: decode(url.hostname),
    ...(url.port === '' ? {} : { port: Number(url.port) }),
    database: decode(url.pathname.slice(1)),
  };
  const query = Object.fromEntries(url.searchParams);
  switch (url.protocol) {
    case 'postgres:':
    case 'postgresql:':
      return { kind: 'postgres', fields: { ...place, ...login, ...query } };
    case 'mysql:':
    case 'mariadb:':
      return { kind: 'mysql', fields: { ...place, ...login, ...query } };
    case 'http:':
    case 'https:': {
      url.username = '';
      url.password = '';
      return { kind: 'http', fields: { baseUrl: url.toString(), ...login } };
    }
    case 's3:':
      return { kind: 's3', fields: { bucket: url.hostname, ...query } };
    default:
      throw new BatutaError(
        'CONNECTION_INVALID',
        `The address of the connection begins with ${url.protocol}//; known are postgres, mysql, http, https and s3. Give other kinds by their fields.`,
      );
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
