/** What errors of the store tell. */
import { expect, test } from 'vitest';
import { maskAddress } from '../../../src/base/mask.ts';
import { openingError, storeError } from '../../../src/store/errors.ts';

test('no password of a database is told, wherever the URL has it', () => {
  expect(maskAddress('postgres://ada:secret@host:5432/db')).toBe('postgres://ada:***@host:5432/db');
  expect(maskAddress('postgres://host/db?user=ada&password=secret&sslmode=require')).toBe(
    'postgres://host/db?user=ada&password=***&sslmode=require',
  );
  expect(maskAddress('postgres://ada:s@host/db?sslpassword=secret')).toBe('postgres://ada:***@host/db?sslpassword=***');
  expect(maskAddress('postgres://ada@host/db')).toBe('postgres://ada@host/db');
});

test.each([
  ['22P05', 'CONFIG_INVALID', 'Move Batuta to a database whose encoding is UTF8'],
  ['3F000', 'STORE_UNAVAILABLE', 'has no schema for the tables of Batuta'],
  ['42501', 'STORE_READ_ONLY', 'Grant it USAGE and CREATE'],
  ['25006', 'STORE_READ_ONLY', 'Set BATUTA_DATABASE_URL to the primary'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'STORE_UNAVAILABLE', 'sslrootcert=<file>'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'STORE_UNAVAILABLE', 'sslrootcert=<file>'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'STORE_UNAVAILABLE', 'sslrootcert=<file>'],
])('%s of PostgreSQL is %s, with what to do', (code, expected, message) => {
  const error = storeError(Object.assign(new Error('refused'), { code }), 'postgres://host/db');
  expect(error).toMatchObject({ code: expected, message: expect.stringContaining(message) });
  expect(error.message).not.toContain('bug');
});

test('what a driver throws before PostgreSQL said anything is no bug; what PostgreSQL says of a statement still is', () => {
  expect(openingError(new Error('odd handshake'), 'postgres://host/db').code).toBe('STORE_UNAVAILABLE');
  expect(openingError(Object.assign(new Error('syntax error'), { code: '42601' }), 'postgres://host/db').code).toBe('INTERNAL');
});
