/** What the API tells of errors. */
import { expect, test } from 'vitest';
import { BatutaError } from '../../../src/base/errors.ts';
import { answerOf } from '../../../src/server/errors.ts';

test.each(['STORE_UNAVAILABLE', 'STORE_READ_ONLY', 'STORE_FULL', 'STORE_CORRUPT', 'BROKER_UNAVAILABLE'] as const)(
  '%s tells whoever asks nothing of where things are',
  (code) => {
    const place = 'postgres://ada@db.internal/batuta';
    const { status, body } = answerOf(
      new BatutaError(code, `The database ${place} cannot be reached (connect ECONNREFUSED 10.0.0.7:5432).`, { details: { store: place } }),
    );
    expect([status, body.error.code, body.error.details]).toEqual([503, code, {}]);
    expect(JSON.stringify(body)).not.toMatch(/ada|internal|10\.0/);
  },
);

test('an error that is none of ours is told without its words', () => {
  expect(answerOf(new Error('secret'))).toMatchObject({ status: 500, body: { error: { code: 'INTERNAL', details: {} } } });
  expect(JSON.stringify(answerOf(new Error('secret')))).not.toContain('secret');
});
