import { describe, expect, test } from 'vitest';
import { BatutaError, Flow, type FlowContext, Task } from 'batuta';
import { hang, takeOver } from '../../support/take-over.ts';

class ApiError extends Error {
  readonly headers = { 'retry-after': '7', authorization: 'Bearer abc' };
  readonly at = new Date('2024-02-29T00:00:00Z');

  constructor(
    message: string,
    readonly statusCode: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  get isRetryable(): boolean {
    return this.statusCode >= 429;
  }
}

const thrown: Readonly<Record<string, () => unknown>> = {
  own: () => new ApiError('quota', 429, { cause: Object.assign(new TypeError('socket'), { errno: -104, code: 'ECONNRESET' }) }),
  builtIn: () => Object.assign(new RangeError('far'), { code: 7 }),
  aggregate: () => new AggregateError([new ApiError('one', 500), new TypeError('two')], ' '),
  aborted: () => new DOMException('took too long', 'TimeoutError'),
  batuta: () => new BatutaError('OPTION_INVALID', 'no', { details: { n: 1 } }),
  text: () => 'just text',
  object: () => ({ status: 409, message: 'in use', code: '23505' }),
  noMessage: () => new Error(' '),
  long: () => new Error('x'.repeat(50_000)),
};

/** All that code can ask of an error. */
function seenOf(error: unknown): unknown {
  if (!(error instanceof Error)) return { noError: String(error) };
  const fields = Object.fromEntries(Object.entries(error));
  const { name, message, stack, cause } = error;
  const classes = [TypeError, RangeError, AggregateError, DOMException, BatutaError, ApiError].filter((one) => error instanceof one);
  const parts: unknown = Reflect.get(error, 'errors');
  return {
    ...{ name, message, stack, fields, code: Reflect.get(error, 'code'), details: Reflect.get(error, 'details') },
    classes: classes.map((one) => one.name),
    cause: cause === undefined ? undefined : seenOf(cause),
    errors: Array.isArray(parts) ? parts.map(seenOf) : undefined,
  };
}

const passes: Record<string, unknown>[] = [];

abstract class Catching {
  async run(_params: unknown, ctx: FlowContext): Promise<unknown> {
    const seen: Record<string, unknown> = {};
    passes.push(seen);
    for (const kind of Object.keys(thrown)) await this.fail(kind).catch((error: unknown) => (seen[kind] = seenOf(error)));
    await ctx.runFlow(Child).catch((error: unknown) => (seen['sub-flow'] = seenOf(error)));
    await ctx.waitFor('never', { timeout: 1 }).catch((error: unknown) => (seen['wait'] = seenOf(error)));
    await this.wait();
    return seen;
  }

  @Task()
  async fail(kind: string): Promise<never> {
    throw thrown[kind]?.();
  }

  abstract wait(): Promise<void>;
}

@Flow({ name: 'child' })
class Child {
  @Task()
  async fail(): Promise<never> {
    throw new ApiError('below', 503);
  }
}

@Flow({ name: 'catching' })
class Before extends Catching {
  @Task()
  async wait(): Promise<void> {
    await hang();
  }
}

@Flow({ name: 'catching' })
class After extends Catching {
  @Task()
  async wait(): Promise<void> {}
}

describe('an error that the body of a code flow catches', () => {
  test('is the same on the first pass and from the record: name, message, code, fields, parts, cause, and what it is an instance of', async () => {
    passes.length = 0;
    const { run } = await takeOver(Before, After);
    expect(run.state.name).toBe('Completed');
    const [first, second] = passes;
    expect(Object.keys(first ?? {})).toEqual([...Object.keys(thrown), 'sub-flow', 'wait']);
    expect(second).toEqual(first);
    expect(first).toMatchObject({
      own: {
        name: 'ApiError',
        fields: {
          statusCode: 429,
          isRetryable: true,
          at: thrown['own'] && new Date('2024-02-29T00:00:00Z'),
          headers: { 'retry-after': '7', authorization: '[redacted]' },
        },
        classes: [],
        cause: { name: 'TypeError', code: 'ECONNRESET', fields: { errno: -104 }, classes: ['TypeError'] },
      },
      builtIn: { code: 7, classes: ['RangeError'] },
      aggregate: {
        message: 'one; two',
        classes: ['AggregateError'],
        errors: [{ message: 'one', fields: { statusCode: 500 } }, { name: 'TypeError' }],
      },
      aborted: { name: 'TimeoutError', classes: ['DOMException'] },
      batuta: { code: 'OPTION_INVALID', details: { n: 1 }, classes: ['BatutaError'] },
      text: { message: 'just text' },
      object: { message: 'in use', code: '23505', fields: { status: 409 } },
      noMessage: { message: '(no message)' },
      'sub-flow': { name: 'ApiError', fields: { statusCode: 503 } },
      wait: { code: 'WAIT_TIMED_OUT', classes: ['BatutaError'] },
    });
  });
});
