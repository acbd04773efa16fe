import { describe, expect, test } from 'vitest';
import { errorOf, failureOf } from '../../../src/model/failure.ts';

describe('failureOf', () => {
  test('name, message, stack, code, details and causes of an error survive', () => {
    class HttpError extends Error {
      override readonly name = 'HttpError';
      readonly code = 'E_HTTP';
      readonly details = { status: 503, tries: [1, 2] };
    }
    const failure = failureOf(new HttpError('no answer', { cause: new TypeError('socket closed') }));
    expect(failure).toMatchObject({
      name: 'HttpError',
      message: 'no answer',
      code: 'E_HTTP',
      details: { status: 503, tries: [1, 2] },
      cause: { name: 'TypeError', message: 'socket closed' },
    });
    const back = errorOf(failure);
    expect(back).toMatchObject({ name: 'HttpError', message: 'no answer', code: 'E_HTTP', stack: failure.stack });
    expect(back.cause).toMatchObject({ name: 'TypeError' });
  });

  test('anything thrown is told: texts, objects, nothing at all', () => {
    expect(failureOf('plain').message).toBe('plain');
    expect(failureOf({ reason: 7 }).message).toBe('{"reason":7}');
    expect(failureOf(undefined).message).toBe('undefined');
    expect(failureOf(10n).message).toBe('[object BigInt]');
  });

  test('a circle of causes ends, details that are no JSON are left out, a long text is cut', () => {
    const error = new Error('x'.repeat(100_000));
    Object.assign(error, { cause: error, details: { big: 1n } });
    const failure = failureOf(error);
    let depth = 0;
    for (let at = failure.cause; at; at = at.cause) depth++;
    expect(depth).toBeLessThan(20);
    expect(failure.details).toBeNull();
    expect(failure.message.length).toBeLessThan(17_000);
  });
});
