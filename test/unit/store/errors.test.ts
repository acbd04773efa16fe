/** What errors of the store tell. */
import { expect, test } from 'vitest';
import { maskUrl } from '../../../src/store/errors.ts';

test('no password of a database is told, wherever the URL has it', () => {
  expect(maskUrl('postgres://ada:secret@host:5432/db')).toBe('postgres://ada:***@host:5432/db');
  expect(maskUrl('postgres://host/db?user=ada&password=secret&sslmode=require')).toBe(
    'postgres://host/db?user=ada&password=***&sslmode=require',
  );
  expect(maskUrl('postgres://ada:s@host/db?sslpassword=secret')).toBe('postgres://ada:***@host/db?sslpassword=***');
  expect(maskUrl('postgres://ada@host/db')).toBe('postgres://ada@host/db');
});
