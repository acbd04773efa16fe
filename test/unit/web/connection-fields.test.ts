/** What the form of a connection begins with, and what it sends. */
import { describe, expect, it } from 'vitest';
import { connectionKinds, secretFieldsOf } from '../../../src/model/connection-kinds.ts';
import { connectionSchemas } from '../../../src/model/connection-schemas.ts';
import { fieldsOfKind, kinds, readFields, secretNames, typedFields } from '../../../web/src/pages/secrets/connection-fields.ts';

describe('fields of connections in the form', () => {
  it('has every kind there is, each with all its fields and those of them secret that the server keeps secret', () => {
    expect(kinds).toEqual(connectionKinds);
    for (const kind of connectionKinds) {
      expect(secretNames(kind, [])).toEqual(secretFieldsOf(kind));
      if (kind === 'generic') continue;
      const drawn = [...(fieldsOfKind(kind) ?? []).map(({ name }) => name), ...secretNames(kind, [])];
      expect(drawn.toSorted()).toEqual(Object.keys(connectionSchemas[kind].shape).toSorted());
    }
  });

  it('sends what was stored when nothing is typed', () => {
    const stored = {
      postgres: { host: 'db', port: 5433, database: 'shop', user: 'etl', sslmode: 'require' },
      http: { baseUrl: 'https://crm.example', headers: { accept: 'text/csv' } },
      s3: { bucket: 'b', forcePathStyle: true },
      generic: { url: 'ledger://a', depth: { of: [1, null] } },
    };
    for (const [kind, fields] of Object.entries(stored)) expect(readFields(kind, typedFields(kind, fields))).toEqual({ fields });
  });

  it('says which field is missing or cannot be read', () => {
    expect(readFields('mysql', { host: 'db' })).toEqual({ error: 'database is needed.' });
    expect(readFields('http', { baseUrl: 'https://a.example', headers: '{' })).toEqual({ error: expect.stringContaining('headers: ') });
    expect(readFields('generic', { fields: '[1]' })).toEqual({ error: 'Fields are a JSON object.' });
  });

  it('shows secret fields that are set beside those of the kind once', () => {
    expect(secretNames('http', ['token', 'pin'])).toEqual(['password', 'token', 'pin']);
    expect(secretNames('generic', ['pin'])).toEqual(['pin']);
  });
});
