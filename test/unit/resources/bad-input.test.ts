import { describe, expect, test } from 'vitest';
import { type AnyResource, Flow, type Resource, resource, Task, type TaskContext } from 'batuta';
import { testFlow, type TestRun } from 'batuta/testing';

/** A run whose task uses these one after the other. */
async function using(...resources: readonly AnyResource[]): Promise<TestRun> {
  @Flow()
  class Uses {
    @Task()
    async work(ctx: TaskContext): Promise<unknown[]> {
      const values: unknown[] = [];
      for (const one of resources) values.push(await ctx.use(one));
      return values;
    }
  }
  return testFlow(Uses);
}

describe('a declaration', () => {
  const open = (): number => 1;
  test.each([
    ['a name that is none', () => resource('', open), 'NAME_INVALID'],
    ['a name that is no text', () => resource(7 as never, open), 'NAME_INVALID'],
    ['no function', () => resource('a', 7 as never), 'OPTION_INVALID'],
    ['options that are none', () => resource('a', open, null as never), 'OPTION_INVALID'],
    ['a scope that is none', () => resource('a', open, { scope: 'flow' as never }), 'OPTION_INVALID'],
    ['an option that is none', () => resource('a', open, { scop: 'run' } as never), 'OPTION_UNKNOWN'],
    ['a timeout that is none', () => resource('a', open, { timeout: 'soon' as never }), 'DURATION_INVALID'],
    ['a time to close that is none', () => resource('a', open, { closeTimeout: -1 }), 'DURATION_INVALID'],
  ])('with %s is refused', (_what, declare, code) => {
    expect(declare).toThrow(expect.objectContaining({ code }));
  });
});

describe('a resource', () => {
  test('that throws while it is opened fails the attempt with its cause, and the next tries again', async () => {
    let attempts = 0;
    const db = resource('db', async () => {
      if (++attempts === 1) throw new Error('connect ECONNREFUSED');
      return attempts;
    });
    @Flow()
    class Retries {
      @Task({ retries: 1 })
      work(ctx: TaskContext): Promise<number> {
        return ctx.use(db);
      }
    }
    const run = (await testFlow(Retries)).expectTask('work', 'Completed', { attempts: 2 });
    expect(run.result).toBe(2);
    const failed = await using(
      resource('db', () => {
        throw new Error('connect ECONNREFUSED');
      }),
    );
    expect(failed.error).toMatchObject({
      code: 'RESOURCE_OPEN_FAILED',
      message: "The resource 'db' could not be opened: connect ECONNREFUSED",
      cause: { message: 'connect ECONNREFUSED' },
    });
  });

  test('that is not open in time fails the attempt, hears of it, and is closed when it is open after all', async () => {
    let heard: unknown;
    let finish: () => void = () => undefined;
    const closed = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const slow = resource(
      'slow',
      async function* (ctx) {
        await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve));
        heard = ctx.signal.reason;
        try {
          yield 1;
        } finally {
          finish();
        }
      },
      { timeout: 20 },
    );
    const run = await using(slow);
    expect(run.error).toMatchObject({ code: 'RESOURCE_OPEN_FAILED', message: "The resource 'slow' was not open after 20 ms." });
    await closed;
    expect(heard).toMatchObject({ code: 'RESOURCE_OPEN_FAILED' });
  });

  test.each([
    [
      'never yields',
      function* () {
        if (Date.now() < 0) yield 1;
      },
      'RESOURCE_OPEN_FAILED',
      'without a yield',
    ],
    [
      'yields twice',
      async function* () {
        yield 1;
        yield 2;
      },
      'RESOURCE_CLOSE_FAILED',
      'yielded a second time',
    ],
    [
      'throws while it is closed',
      async function* () {
        yield 1;
        throw new Error('socket hang up');
      },
      'RESOURCE_CLOSE_FAILED',
      'socket hang up',
    ],
  ])('that %s fails what uses it with one sentence', async (_what, open, code, words) => {
    const run = await using(resource('bad', open as () => unknown, { scope: 'task' }));
    expect(run.error).toMatchObject({ code, message: expect.stringContaining(words) });
  });

  test('that yields again as an error is thrown in, or cannot be closed then, is logged, and the error of the task stands', async () => {
    const closed: string[] = [];
    const first = resource(
      'first',
      async function* () {
        try {
          yield 1;
        } finally {
          closed.push('first');
        }
      },
      { scope: 'task' },
    );
    const again = resource(
      'again',
      async function* () {
        try {
          yield 1;
        } catch {
          yield 2;
        }
      },
      { scope: 'task' },
    );
    @Flow()
    class Fails {
      @Task()
      async work(ctx: TaskContext): Promise<void> {
        await ctx.use(first);
        await ctx.use(again);
        throw new Error('it broke');
      }
    }
    const run = (await testFlow(Fails)).expectState('Failed');
    expect(run.error?.message).toBe('it broke');
    expect(run.logs.some(({ message }) => message.includes("The resource 'again' could not be closed"))).toBe(true);
    expect(closed).toEqual(['first']);
  });

  test('that is not closed in time is left, logged, and the others are closed', async () => {
    let closed = false;
    const first = resource(
      'first',
      async function* () {
        try {
          yield 1;
        } finally {
          closed = true;
        }
      },
      { scope: 'task' },
    );
    const stuck = resource(
      'stuck',
      async function* () {
        yield 1;
        await new Promise(() => undefined);
      },
      { scope: 'task', closeTimeout: 20 },
    );
    const run = await using(first, stuck);
    expect(run.error).toMatchObject({ code: 'RESOURCE_CLOSE_FAILED', message: expect.stringContaining('not closed after 20 ms') });
    expect(closed).toBe(true);
  });

  test('that uses one of a shorter scope is refused, and not tried again', async () => {
    const short = resource('short', () => 1, { scope: 'task' });
    const long = resource('long', (ctx) => ctx.use(short as unknown as Resource<number, void, 'worker'>), { scope: 'worker' });
    const run = await using(long);
    expect(run.error).toMatchObject({ code: 'RESOURCE_SCOPE', message: expect.stringMatching(/'long' \(scope 'worker'\) uses 'short'/) });
  });

  test('that uses itself by way of others is refused, also where two tasks begin at both ends', async () => {
    const known: Resource<unknown, void, 'run'>[] = [];
    const a: Resource<unknown, void, 'run'> = resource('a', async (ctx) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return ctx.use(known[1] as (typeof known)[number]);
    });
    const b: Resource<unknown, void, 'run'> = resource('b', async (ctx) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return ctx.use(a);
    });
    known.push(a, b);
    const run = await using(a);
    expect(run.error).toMatchObject({ code: 'RESOURCE_CYCLE', message: expect.stringMatching(/circle: . → . → ./) });
    @Flow()
    class Both {
      @Task({ retries: 5 })
      one(ctx: TaskContext): Promise<unknown> {
        return ctx.use(a);
      }
      @Task({ retries: 5 })
      two(ctx: TaskContext): Promise<unknown> {
        return ctx.use(b);
      }
    }
    const both = (await testFlow(Both)).expectTask('one', 'Failed', { attempts: 1 }).expectTask('two', 'Failed', { attempts: 1 });
    expect([both.task('one').error?.code, both.task('two').error?.code]).toEqual(['RESOURCE_CYCLE', 'RESOURCE_CYCLE']);
  });

  test('of the name of another in the same run is refused', async () => {
    const run = await using(
      resource('db', () => 1),
      resource('db', () => 2, { scope: 'task' }),
    );
    expect(run.error).toMatchObject({ code: 'RESOURCE_DUPLICATE', message: expect.stringContaining("named 'db'") });
  });

  test('cannot be used once its task has ended', async () => {
    const late: Promise<unknown>[] = [];
    const db = resource('db', () => 1, { scope: 'task' });
    @Flow()
    class Late {
      @Task()
      async work(ctx: TaskContext): Promise<void> {
        await ctx.use(db);
        const asked = new Promise((resolve) => setTimeout(resolve, 30)).then(() => ctx.use(db));
        late.push(
          asked.then(
            () => 'used',
            (error: unknown) => error,
          ),
        );
      }
    }
    (await testFlow(Late)).expectState('Completed');
    expect(await late[0]).toMatchObject({ code: 'RESOURCE_CLOSED' });
  });

  test('takes a key that is a plain value, and what is no resource is refused', async () => {
    const db = resource('db', (_ctx, key: object) => Object.keys(key).length);
    @Flow()
    class Keys {
      @Task()
      async work(ctx: TaskContext<{ key: unknown }>): Promise<number> {
        return ctx.use(db, ctx.params.key === 'bad' ? { call: () => 1 } : { a: 1, b: 2 });
      }
    }
    expect((await testFlow(Keys, { key: 'good' })).result).toBe(2);
    expect((await testFlow(Keys, { key: 'bad' })).error?.code).toBe('OPTION_INVALID');
    expect((await using({ name: 'x' } as never)).error?.code).toBe('OPTION_INVALID');
  });
});
