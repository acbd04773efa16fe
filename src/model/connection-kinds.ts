/** Kinds of connections: their fields, which of them are secret, and their address. Pure. */
import { BatutaError } from '../base/errors.ts';
import { hintFor } from '../base/nearest.ts';

/** Fields of a connection to a database. */
export interface DatabaseFields {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password?: string | undefined;
}

/** Fields of connections, by kind. */
export interface ConnectionFieldsByKind {
  /** Port 5432 by default. */
  readonly postgres: DatabaseFields & {
    readonly sslmode?: 'disable' | 'allow' | 'prefer' | 'require' | 'verify-ca' | 'verify-full' | undefined;
  };
  /** Port 3306 by default. */
  readonly mysql: DatabaseFields;
  readonly http: {
    readonly baseUrl: string;
    readonly user?: string | undefined;
    readonly password?: string | undefined;
    /** For `Authorization: Bearer …`. */
    readonly token?: string | undefined;
    readonly headers?: Readonly<Record<string, string>> | undefined;
  };
  readonly s3: {
    readonly bucket: string;
    readonly region?: string | undefined;
    readonly endpoint?: string | undefined;
    readonly accessKeyId?: string | undefined;
    readonly secretAccessKey?: string | undefined;
    readonly sessionToken?: string | undefined;
    readonly forcePathStyle?: boolean | undefined;
  };
  /** Any fields. */
  readonly generic: Readonly<Record<string, unknown>>;
}

export type ConnectionKind = keyof ConnectionFieldsByKind;
export const connectionKinds = ['postgres', 'mysql', 'http', 's3', 'generic'] as const satisfies readonly ConnectionKind[];

/** Fields that are always secret; for a generic connection, those set as secret. */
const secretFields: Readonly<Record<ConnectionKind, readonly string[]>> = {
  postgres: ['password'],
  mysql: ['password'],
  http: ['password', 'token'],
  s3: ['secretAccessKey', 'sessionToken'],
  generic: [],
};

/** Fields of a kind that are always secret. */
export function secretFieldsOf(kind: string): readonly string[] {
  return isKind(kind) ? secretFields[kind] : [];
}

/** @throws BatutaError CONNECTION_INVALID */
export function checkKind(kind: string): ConnectionKind {
  if (isKind(kind)) return kind;
  throw new BatutaError('CONNECTION_INVALID', `'${kind}' is no kind of connection.${hintFor(kind, connectionKinds, 'There are')}`, {
    details: { kind },
  });
}

function isKind(kind: string): kind is ConnectionKind {
  return (connectionKinds as readonly string[]).includes(kind);
}

/** The address of a connection with all its fields, e.g. `postgres://etl:…@db:5432/shop`; null for kinds without one. */
export function addressOf(kind: string, fields: Readonly<Record<string, unknown>>): string | null {
  const text = (field: string): string => encodeURIComponent(String(fields[field] ?? ''));
  const login = `${text('user')}${fields['password'] === undefined ? '' : `:${text('password')}`}@`;
  const at = String(fields['host'] ?? '');
  const place = `${at.includes(':') && !at.startsWith('[') ? `[${at}]` : at}:${text('port')}/${text('database')}`;
  switch (kind) {
    case 'postgres':
      return `postgres://${login}${place}${fields['sslmode'] === undefined ? '' : `?sslmode=${text('sslmode')}`}`;
    case 'mysql':
      return `mysql://${login}${place}`;
    case 'http':
      return String(fields['baseUrl']);
    case 's3':
      return `s3://${text('bucket')}`;
    default:
      return typeof fields['url'] === 'string' ? fields['url'] : null;
  }
}
