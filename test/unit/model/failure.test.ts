import { describe, expect, test } from 'vitest';
import { storableJson } from '../../../src/base/cut-text.ts';
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
    expect(failureOf(10n).message).toBe('10');
  });

  test('bytes are recorded by their size and very many fields by their names, without reading each of them', () => {
    expect(failureOf(new Uint8Array(5_000_000))).toMatchObject({ message: '[object Uint8Array] of 5,000,000 bytes' });
    const many = failureOf(
      Object.assign(new Error('many'), Object.fromEntries(Array.from({ length: 5_000 }, (_, at) => [`f${at}`, ''])), {
        body: Buffer.alloc(5_000_000),
      }),
    );
    expect(many.fields).toMatchObject({ f0: '', f999: '' });
    expect(many.fields).not.toHaveProperty('f1000');
    expect(many.fieldsLeftOut).toHaveLength(50);
    expect(failureOf(Object.assign(new Error('x'), { body: Buffer.alloc(5_000_000) })).fieldsLeftOut).toEqual(['body']);
  });

  test('fields of names that no value may have are left out, and named', () => {
    const failure = failureOf(Object.assign(new Error('x'), { constructor: null, prototype: 1, status: 503 }));
    expect(failure).toMatchObject({ message: 'x', fields: { status: 503 } });
    expect(failure.fieldsLeftOut).toEqual(['constructor', 'prototype']);
  });

  test('a circle of causes ends, details that are no JSON are left out, a long text is cut', () => {
    const error = new Error('x'.repeat(100_000));
    Object.assign(error, { cause: error, details: { big: 1n } });
    const failure = failureOf(error);
    expect(failure.cause).toBeNull();
    expect(failure.details).toBeNull();
    expect(failure.message.length).toBeLessThan(17_000);
  });

  test('a circle through several causes names each once, a long chain is cut', () => {
    const inner = new Error('inner');
    const outer = new Error('outer', { cause: inner });
    inner.cause = outer;
    expect(failureOf(outer)).toMatchObject({ message: 'outer', cause: { message: 'inner', cause: null } });
    let chain = new Error('first');
    for (let at = 0; at < 100; at++) chain = new Error(`${at}`, { cause: chain });
    let depth = 0;
    for (let at = failureOf(chain).cause; at; at = at.cause) depth++;
    expect(depth).toBe(8);
  });

  test('an error that cannot be read is told all the same', () => {
    const refuse = (): never => {
      throw new Error('not to be read');
    };
    const closed = Object.defineProperties(
      new Error('closed'),
      Object.fromEntries(['stack', 'name', 'message', 'code', 'details', 'cause'].map((name) => [name, { get: refuse }])),
    );
    expect(failureOf(closed)).toEqual({
      name: 'Error',
      message: '(its message cannot be read)',
      code: null,
      stack: null,
      details: null,
      cause: null,
    });
    expect(
      failureOf({
        toJSON: refuse,
        get [Symbol.toStringTag]() {
          return refuse();
        },
      }).message,
    ).toBe('something that has no text');
    expect(failureOf(new Proxy(new Error('x'), { getPrototypeOf: refuse })).message).toBe('{}');
    expect(failureOf(Object.assign(new Error('x'), { name: Object.create(null) })).name).toBe('{}');
  });

  test('own fields of an error are recorded as plain data: secrets masked, what is none or too large named', () => {
    const socket = new (class Socket {
      fd = 1;
    })();
    const error = Object.assign(new Error('no'), {
      ...{ statusCode: 429, headers: new Headers({ 'retry-after': '7' }), token: 'abc', socket, send: () => 1 },
      ...{ body: 'x'.repeat(100_000), rows: Array.from({ length: 50_000 }, (_, at) => ({ at })), last: new TypeError('inner') },
    });
    const failure = failureOf(error);
    expect(failure).toMatchObject({
      fields: { statusCode: 429, headers: { 'retry-after': '7' }, token: '[redacted]' },
      fieldsLeftOut: expect.arrayContaining(['socket']),
    });
    expect(JSON.stringify(failure).length).toBeLessThan(60_000);
    expect(errorOf(failure)).toMatchObject({ statusCode: 429, headers: { 'retry-after': '7' } });
  });

  test('a failure of a failure is the same again', () => {
    const error = new AggregateError([Object.assign(new RangeError('one'), { at: new Date(0) }), 'two'], 'both', {
      cause: new Error('why'),
    });
    const failure = failureOf(Object.assign(error, { code: 7, map: new Map([['a', 1n]]) }));
    expect(JSON.parse(JSON.stringify(failure))).toEqual(failure);
    const again = failureOf(errorOf(JSON.parse(JSON.stringify(failure))));
    const stackless = (one: unknown): unknown =>
      JSON.parse(JSON.stringify(one, (key, value: unknown) => (key === 'stack' ? undefined : value)));
    expect(stackless(again)).toEqual(stackless(failure));
    expect(again.stack).toBe(failure.stack);
  });

  test('texts that no database can store are replaced at once, not only on record, wherever they stand', () => {
    const bad = 'half \ud83e, NUL \0';
    const error = new AggregateError([new Error(bad), bad], bad, { cause: Object.assign(new Error(bad), { name: bad }) });
    const fields = { ...{ code: bad, details: { [bad]: [bad] }, body: bad, [bad]: { [bad]: new Map([[bad, new Date(0)]]) } } };
    const failure = failureOf(Object.assign(error, fields, { inner: Object.assign(new Error(bad), { at: bad }), [`${bad}()`]: () => 1 }));
    const stored = JSON.parse(storableJson(JSON.stringify(failure))) as typeof failure;
    expect(failure).toEqual(stored);
    expect(errorOf(failure)).toEqual(errorOf(stored));
    expect(failure.message).toBe('half \ufffd, NUL \ufffd');
    expect(errorOf(failure)).toMatchObject({
      'half \ufffd, NUL \ufffd': { 'half \ufffd, NUL \ufffd': new Map([[failure.message, new Date(0)]]) },
    });
  });

  test('an empty message is filled from the parts, the cause or the code', () => {
    const none = '';
    expect(failureOf(new AggregateError([new Error('a'), new Error('b')], none)).message).toBe('a; b');
    expect(failureOf(new Error(none, { cause: new Error('why') })).message).toBe('why');
    expect(failureOf(Object.assign(new Error(none), { code: 'ETIMEDOUT' })).message).toBe('ETIMEDOUT');
    expect(failureOf(new Error(' ')).message).toBe('(no message)');
  });

  test('thousands of parts, and parts of parts, are counted and the first kept', () => {
    const failure = failureOf(
      new AggregateError(
        Array.from({ length: 5_000 }, (_, at) => new Error(`${at}`)),
        'all',
      ),
    );
    expect(failure).toMatchObject({ errorCount: 5_000 });
    expect(failure.errors).toHaveLength(20);
    const nested = (depth: number): Error =>
      depth === 0
        ? new Error('leaf')
        : new AggregateError(
            Array.from({ length: 10 }, () => nested(depth - 1)),
            'level',
          );
    expect(JSON.stringify(failureOf(nested(5))).length).toBeLessThan(300_000);
  });

  test('a stack keeps its frames however long the message is', () => {
    const { stack } = failureOf(new Error('x'.repeat(50_000)));
    expect(stack).toMatch(/\n {4}at /);
    expect(stack?.length).toBeLessThan(10_000);
  });
});
