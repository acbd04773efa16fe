import { Buffer } from 'node:buffer';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { SuperJSON } from 'superjson';
import type { TaskContext } from 'batuta';
import { testFlow } from 'batuta/testing';
import { decodeValue, encodeValue, identityOf } from '../../../src/model/values.ts';
import { makeFlow } from '../../support/make-flow.ts';

const returned = (value: unknown): unknown => decodeValue(encodeValue(value, 'value'));

class Point {
  x = 1;
}

function circular(): { cause: Error } {
  const error = new Error('inner');
  error.cause = { list: [error] };
  return { cause: error };
}

class Rows extends Array<number> {
  sum(): number {
    return this.reduce((total, one) => total + one, 0);
  }
}

function oldStyle(): unknown {
  function Old(this: { a: number }): void {
    this.a = 1;
  }
  Old.prototype = { hello: () => 1 };
  return Reflect.construct(Old, []);
}

function transferred(): ArrayBuffer {
  const buffer = new ArrayBuffer(8);
  structuredClone(buffer, { transfer: [buffer] });
  return buffer;
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function argumentsOf(..._: unknown[]): IArguments {
  // oxlint-disable-next-line prefer-rest-params -- it is what is to be refused.
  return arguments;
}

describe('values that tasks pass on', () => {
  const fit = fc.jsonValue().filter((value) => !/"(__proto__|constructor|prototype)":/.test(JSON.stringify(value)));
  const circle: Record<string, unknown> = { name: 'round' };
  circle['self'] = circle;
  const withGap = [1, undefined, 3];
  const values: readonly (readonly [string, unknown])[] = [
    ['undefined', undefined],
    ['null', null],
    ['texts', ['', 'a\u0000b', '🎼', '\ud800', '\u2028']],
    ['numbers', [0, -0, 1.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.MAX_SAFE_INTEGER]],
    ['-0 alone', -0],
    ['NaN alone', Number.NaN],
    ['a big integer', { n: 123_456_789_012_345_678_901_234_567_890n }],
    ['dates', { at: new Date('2024-02-29T12:00:00.123Z') }],
    [
      'a Map of Maps',
      new Map<unknown, unknown>([
        ['a', new Map([[1, new Set([1n])]])],
        [{ k: 1 }, null],
      ]),
    ],
    ['a Set', new Set([1, 'a', undefined])],
    ['regular expressions', [/a\/b/giu, /^$/m]],
    ['URLs', new URL('https://example.com/a?b=c#d')],
    ['a Buffer', Buffer.from([0, 1, 254, 255])],
    ['bytes of a larger buffer', new Uint8Array([9, 1, 2, 9]).subarray(1, 3)],
    ['floats', new Float64Array([1.5, Number.NaN, -0, Number.POSITIVE_INFINITY])],
    ['other lists of numbers', [new Int16Array([-1]), new BigUint64Array([2n ** 60n]), new Float32Array([0.5])]],
    ['undefined inside', { a: undefined, list: withGap }],
    ['keys with dots and signs', { 'a.b': { 'c\\d': new Date(0), '': 1, '0': 2 } }],
    ['circles', circle],
    ['an ArrayBuffer', new Uint8Array([1, 2, 3]).buffer],
    ['a DataView', { view: new DataView(new Uint8Array([1, 2, 3, 4]).buffer, 1, 2) }],
    ['parameters of an address', [new URLSearchParams('a=1&a=2')]],
    ['a large array', Array.from({ length: 50_000 }, (_, at) => ({ at, even: at % 2 === 0 }))],
  ];

  test.each(values)('%s come back as they were', (_, value) => {
    expect(returned(value)).toStrictEqual(value);
  });

  test('plain JSON is written as superjson writes it, and so is what only looks like it', () => {
    const written = (value: unknown): void => {
      expect(encodeValue(value, 'value')).toBe(new SuperJSON().stringify(value));
    };
    fc.assert(fc.property(fit, written), { numRuns: 500 });
    const shared = { n: 1 };
    for (const value of [[shared, shared], [-0], { a: undefined }, Object.create(null)]) written(value);
  });

  test('an object that is met twice is one object afterwards', () => {
    const shared = { n: 1 };
    const [a, b] = returned([shared, shared]) as object[];
    expect(a).toBe(b);
  });

  test('an error comes back with its name, message and cause', () => {
    const back = returned({ error: new TypeError('no', { cause: new Error('why') }) }) as { error: Error };
    expect(back.error).toBeInstanceOf(Error);
    expect(back.error).toMatchObject({ name: 'TypeError', message: 'no', cause: { message: 'why' } });
  });

  test('an error inside a value keeps its class of the language, fields, parts and cause', () => {
    const error = Object.assign(new TypeError('t', { cause: new RangeError('why') }), { code: 'E_X', extra: { at: new Date(0) } });
    const both = new AggregateError([error, error], 'both');
    const [one, all] = returned([error, both]) as [TypeError & { code: string; extra: unknown }, AggregateError];
    expect(one).toBeInstanceOf(TypeError);
    expect(one).toMatchObject({ name: 'TypeError', message: 't', stack: error.stack, code: 'E_X', extra: { at: new Date(0) } });
    expect(one.cause).toBeInstanceOf(RangeError);
    expect(all).toBeInstanceOf(AggregateError);
    expect(all.errors).toEqual([one, one]);
  });

  test.each([
    ['plain', 20_000, (inner: unknown) => ({ inner })],
    ['with a date', 20_000, (inner: unknown) => ({ inner, at: new Date(0) })],
    ['lists', 50_000, (inner: unknown) => [inner]],
  ])('nesting that is too deep is refused with its path (%s)', (_, depth, wrap) => {
    let value: unknown = 1;
    for (let level = 0; level < depth; level++) value = wrap(value);
    expect(() => encodeValue(value, 'value')).toThrow(
      expect.objectContaining({
        code: 'RESULT_NOT_SERIALIZABLE',
        message: expect.stringMatching(/nested more than 1,000 levels deep/),
        details: { path: expect.stringMatching(/^(inner\.inner|\[0\]\[0\]).{50,300}$/) },
      }),
    );
  });

  test('nesting that uses up the stack within the allowed depth is refused with its path too', () => {
    let value: unknown = 1;
    for (let level = 0; level < 999; level++) value = new Map([[1, value]]);
    expect(() => encodeValue(value, 'value')).toThrow(
      expect.objectContaining({
        code: 'RESULT_NOT_SERIALIZABLE',
        message: expect.stringMatching(/nested more than \d+ levels deep/),
        details: { path: expect.stringMatching(/^\.get\(1\)/) },
      }),
    );
  });

  test('what inherits nothing is plain, whatever it was made from', () => {
    const made: unknown = returned(Object.create(Object.create(Object.prototype) as object, { a: { value: 1, enumerable: true } }));
    expect(made).toEqual({ a: 1 });
    expect(returned(runInNewContext('[1, { a: [2] }]'))).toEqual([1, { a: [2] }]);
  });

  test('any value of JSON comes back as it was, at the top and inside', () => {
    fc.assert(
      fc.property(fit, (value) => {
        expect(returned(value)).toEqual(value);
        expect(returned({ value, at: new Date(0) })).toEqual({ value, at: new Date(0) });
      }),
    );
  });

  test('the text by which calls are told apart is that of before: an error by name, message and cause, a gap as null', () => {
    const error = Object.assign(new TypeError('t', { cause: new Error('c') }), { code: 'X', retry: () => 1 });
    expect(identityOf([error])?.text).toBe(
      '{"json":[{"name":"TypeError","message":"t","cause":{"name":"Error","message":"c"}}],"meta":{"values":{"0":["Error",{"cause":["Error"]}]},"v":1}}',
    );
    expect(identityOf([[1].concat(new Array<number>(1), 2)])?.text).toBe('{"json":[[1,null,2]]}');
    expect(identityOf([1, { a: 'b' }])?.text).toBe('{"json":[1,{"a":"b"}]}');
    expect(identityOf([new Point()])).toBeNull();
  });

  const faults: readonly (readonly [string, unknown, string])[] = [
    ['a function', () => 1, ''],
    ['a function inside', { rows: [{ ok: 1 }, { get: () => 1 }] }, 'rows[1].get'],
    ['an instance of a class', { shape: new Point() }, 'shape'],
    ['a promise that was not awaited', [1, Promise.resolve(2)], '[1]'],
    ['a function in a Map in a Map', { m: new Map([['outer', new Map([['inner', () => 1]])]]) }, 'm.get(outer).get(inner)'],
    ['an instance as key of a Map', new Map([[new Point(), 1]]), '.keys()'],
    ['an instance in a Set', { s: new Set([new Point()]) }, 's.values()'],
    ['a symbol', { a: [Symbol('s')] }, 'a[0]'],
    ['a date that is none', { at: new Date('never') }, 'at'],
    ['a field called constructor', { team: { constructor: 'McLaren' } }, 'team.constructor'],
    ['a weak map', { w: new WeakMap() }, 'w'],
    ['a gap in a list', { rows: [1, 2].concat(new Array<number>(2), 3) }, 'rows[2]'],
    ['a key that is a symbol', [{ ok: 1 }, { [Symbol('s')]: 1 }], '[1][Symbol(s)]'],
    ['a key that is a symbol, beside a date', { at: new Date(0), [Symbol('s')]: 1 }, '[Symbol(s)]'],
    ['a list with fields', { found: 'abc'.match(/b/) }, 'found.index'],
    ['a Map with fields', Object.assign(new Map(), { label: 1 }), 'label'],
    ['an arguments object', [argumentsOf(1, 2)], '[0]'],
    ['a long list with fields', { rows: Object.assign(new Array<number>(20_001).fill(1), { total: 5 }) }, 'rows.total'],
    ['a list of a class of its own', { rows: new Rows(1, 2, 3) }, 'rows'],
    ['an object that inherits fields', [Object.create({ inherited: 1 })], '[0]'],
    ['an instance of a class of the old style', { made: oldStyle() }, 'made'],
    ['an iterator', [[1].values()], '[0]'],
    ['a namespace of the language', { tools: Math }, 'tools'],
    ['bytes with a field', [Object.assign(new Uint8Array(3), { label: 1 })], '[0].label'],
    ['many bytes with a field', Object.assign(Buffer.alloc(100_000), { label: 1 }), 'label'],
    ['a buffer with a field', Object.assign(new ArrayBuffer(3), { label: 1 }), 'label'],
    ['parameters of an address with a field', Object.assign(new URLSearchParams('a=1'), { label: 1 }), 'label'],
    ['a buffer that was transferred', { sent: transferred() }, 'sent'],
    ['a proxy that cannot be read', [revoked()], '[0]'],
    ['an instance of a class without a name', { env: process.env }, 'env'],
    ['what only looks like a date', { at: Object.create(Date.prototype) }, 'at'],
    ['a regular expression that is on its way', /a/g.test('a') && Object.assign(/a/g, { lastIndex: 1 }), ''],
    ['a function in a field of an error', { error: Object.assign(new Error('x'), { of: { run: () => 1 } }) }, 'error.of.run'],
    ['an error that holds itself', [Object.assign(new Error('x'), circular())], '[0].cause'],
    [
      'an instance in a part of an error',
      [new AggregateError([Object.assign(new Error('x'), { p: new Point() })], 'all')],
      '[0].errors[0].p',
    ],
  ];

  test.each(faults)('%s is refused with its path', (_, value, path) => {
    expect(() => encodeValue(value, 'result of task t')).toThrow(
      expect.objectContaining({ code: 'RESULT_NOT_SERIALIZABLE', details: { path }, message: expect.stringContaining('result of task t') }),
    );
  });

  test('a task that gives what cannot be stored fails at once, naming the path, and is not retried', async () => {
    const run = await testFlow(makeFlow({ a: { retries: 3, does: () => ({ rows: [new Point()] }) } }));
    run.expectState('Failed').expectTask('a', 'Failed', { attempts: 1 });
    expect(run.task('a').error).toMatchObject({
      code: 'RESULT_NOT_SERIALIZABLE',
      details: { path: 'rows[0]' },
      message: expect.stringContaining('an instance of Point'),
    });
  });

  test('the items of a generator, plain or async, are recorded as a list', async () => {
    function* plain(): Generator<number> {
      yield 1;
      yield 2;
    }
    async function* slow(ctx: TaskContext): AsyncGenerator<string> {
      for (const word of ['a', 'b']) {
        await new Promise((resolve) => setImmediate(resolve));
        ctx.log.info(word);
        yield word;
      }
    }
    const run = await testFlow(makeFlow({ plain: { does: plain }, slow: { does: slow } }));
    expect(run.result).toEqual({ plain: [1, 2], slow: ['a', 'b'] });
  });

  test('what a generator prints belongs to its task, and an error in it fails its task', async () => {
    function* bad(): Generator<number> {
      console.log('from the plain one');
      yield 1;
      throw new Error('half way');
    }
    async function* badToo(): AsyncGenerator<number> {
      console.log('from the async one');
      yield 1;
      throw new Error('half way too');
    }
    const run = await testFlow(makeFlow({ bad: { does: bad }, badToo: { does: badToo } }));
    run.expectTask('bad', 'Failed').expectTask('badToo', 'Failed');
    const ids = new Map(run.inspection.taskRuns.map((row) => [row.id, row.name]));
    const lines = run.logs
      .filter((line) => line.message.startsWith('from'))
      .map((line) => `${ids.get(line.taskRunId ?? '')}: ${line.message}`);
    expect(lines.toSorted()).toEqual(['bad: from the plain one', 'badToo: from the async one']);
  });

  test('a result with a then that is no promise, or a field that throws when it is read, fails its task alone', async () => {
    // oxlint-disable-next-line unicorn/no-thenable -- what users hand on may be anything.
    const thorny = Object.defineProperty({}, 'then', {
      get: () => {
        throw new Error('do not touch');
      },
    });
    // oxlint-disable-next-line unicorn/no-thenable -- the same.
    const fine = { then: 'not a function' };
    const run = await testFlow(makeFlow({ thorny: { does: () => thorny }, fine: { does: () => fine } }));
    run.expectTask('thorny', 'Failed').expectTask('fine', 'Completed').expectState('Failed');
  });
});
