/** Fields of connections as drawn by the form, and the values it sends. */
import type { ConnectionFieldsByKind, ConnectionKind } from '../../../../src/model/connection-kinds.ts';
import { readJson } from '../../form/form-values.ts';

/** Input type of a field: a line, a number, yes or no, JSON. */
export interface ConnectionField {
  readonly name: string;
  readonly as: 'text' | 'number' | 'flag' | 'json';
  readonly required?: boolean;
  readonly hint?: string;
}

type FieldsOf<Kind extends ConnectionKind> = readonly (ConnectionField & { readonly name: keyof ConnectionFieldsByKind[Kind] & string })[];

const user: ConnectionField & { readonly name: 'user' } = { name: 'user', as: 'text' };

const plainFields: { readonly [Kind in Exclude<ConnectionKind, 'generic'>]: FieldsOf<Kind> } = {
  postgres: [
    { name: 'host', as: 'text', required: true },
    { name: 'port', as: 'number', hint: '5432 when it is empty' },
    { name: 'database', as: 'text', required: true },
    { ...user, required: true },
    { name: 'sslmode', as: 'text', hint: 'disable, allow, prefer, require, verify-ca or verify-full' },
  ],
  mysql: [
    { name: 'host', as: 'text', required: true },
    { name: 'port', as: 'number', hint: '3306 when it is empty' },
    { name: 'database', as: 'text', required: true },
    { ...user, required: true },
  ],
  http: [
    { name: 'baseUrl', as: 'text', required: true },
    user,
    { name: 'headers', as: 'json', hint: 'JSON, for example {"accept": "text/csv"}' },
  ],
  s3: [
    { name: 'bucket', as: 'text', required: true },
    { name: 'region', as: 'text' },
    { name: 'endpoint', as: 'text', hint: 'An address; empty for that of AWS' },
    { name: 'accessKeyId', as: 'text' },
    { name: 'forcePathStyle', as: 'flag', hint: 'For most servers that are not AWS' },
  ],
};

/** Fields that are not secret; null: any, as one JSON object. */
export function fieldsOfKind(kind: string): readonly ConnectionField[] | null {
  return Object.hasOwn(plainFields, kind) ? plainFields[kind as keyof typeof plainFields] : null;
}

const secretFields: { readonly [Kind in ConnectionKind]: readonly (keyof ConnectionFieldsByKind[Kind] & string)[] } = {
  postgres: ['password'],
  mysql: ['password'],
  http: ['password', 'token'],
  s3: ['secretAccessKey', 'sessionToken'],
  generic: [],
};

/** All kinds. */
export const kinds: readonly string[] = Object.keys(secretFields);

/** Secret fields of a kind, and others that are set. */
export function secretNames(kind: string, set: readonly string[]): readonly string[] {
  const always: readonly string[] = Object.hasOwn(secretFields, kind) ? secretFields[kind as ConnectionKind] : [];
  return [...new Set([...always, ...set])];
}

/** Input of the fields: text, or whether a box is ticked. For a generic connection `fields` is all of it as JSON. */
export type TypedFields = Readonly<Record<string, string | boolean>>;

/** Initial values of the form. */
export function typedFields(kind: string, fields: Readonly<Record<string, unknown>>): TypedFields {
  const known = fieldsOfKind(kind);
  if (known === null) return { fields: JSON.stringify(fields, null, 2) };
  return Object.fromEntries(
    known.flatMap(({ name, as }): [string, string | boolean][] => {
      const value = fields[name];
      if (value === undefined) return [];
      if (as === 'flag') return [[name, value === true]];
      return [[name, as === 'json' ? JSON.stringify(value, null, 2) : String(value)]];
    }),
  );
}

/** The fields to send; `error` says what is invalid. */
export function readFields(
  kind: string,
  typed: TypedFields,
): { readonly fields: Readonly<Record<string, unknown>> } | { readonly error: string } {
  const known = fieldsOfKind(kind);
  if (known === null) {
    const read = readJson(String(typed['fields'] ?? '{}'));
    if (!('value' in read)) return { error: read.error };
    const { value } = read;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return { error: 'Fields are a JSON object.' };
    return { fields: value as Record<string, unknown> };
  }
  const fields: Record<string, unknown> = {};
  for (const { name, as, required = false } of known) {
    const value = typed[name] ?? '';
    if (value === '' || value === false) {
      if (required) return { error: `${name} is needed.` };
      continue;
    }
    if (as !== 'json') {
      fields[name] = as === 'number' ? Number(value) : value;
      continue;
    }
    const read = readJson(String(value));
    if (!('value' in read)) return { error: `${name}: ${read.error}` };
    fields[name] = read.value;
  }
  return { fields };
}
