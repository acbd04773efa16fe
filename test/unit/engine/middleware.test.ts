import { describe, expect, test } from 'vitest';
import { contextKey, Flow, type FlowContext, FlowError, type Middleware, Task, type TaskContext } from 'batuta';
import { testFlow } from 'batuta/testing';
import { failing, makeFlow } from '../../support/make-flow.ts';

const tenant = contextKey<string>('tenant');

/** Notes when it enters and leaves what is inside of it. */
const noting =
  (notes: string[], name: string): Middleware =>
  async (ctx, next) => {
    const what = ctx.task === null ? 'run' : ctx.task.index === null ? ctx.task.name : `${ctx.task.name}[${ctx.task.index}]`;
    notes.push(`> ${name} ${what}`);
    try {
      return await next();
    } finally {
      notes.push(`< ${name} ${what}`);
    }
  };

describe('middleware', () => {
  test('runs around the run and around each task, that of the project outermost, that of the task innermost', async () => {
    const notes: string[] = [];
    const flow = makeFlow(
      { pay: { middleware: [noting(notes, 'task')], does: () => void notes.push('pay') } },
      { middleware: [noting(notes, 'flow')] },
    );
    (await testFlow(flow, {}, { middleware: [noting(notes, 'project')] })).expectState('Completed');
    expect(notes).toEqual([
      '> project run',
      '> flow run',
      ...['> project pay', '> flow pay', '> task pay', 'pay', '< task pay', '< flow pay', '< project pay'],
      '< flow run',
      '< project run',
    ]);
  });

  test('runs around each attempt, each item of a mapped task and each call of a code flow', async () => {
    const notes: string[] = [];
    const mapped = makeFlow({
      list: { does: () => [1, 2] },
      pay: {
        each: 'list',
        retries: 1,
        middleware: [noting(notes, 'm')],
        does: (item: number, ctx: TaskContext) => (item === 2 && ctx.task.attempt === 1 ? failing()() : item),
      },
    });
    expect((await testFlow(mapped)).result).toEqual([1, 2]);
    expect(notes.filter((note) => note.startsWith('>')).sort()).toEqual(['> m pay[0]', '> m pay[1]', '> m pay[1]']);

    @Flow()
    class Code {
      @Task({ middleware: [noting(notes, 'call')] }) async pay(name: string, ctx?: TaskContext): Promise<string> {
        return `${name} ${ctx?.task.name ?? ''}`;
      }
      async run(_params: unknown, ctx: FlowContext): Promise<string> {
        return `${await this.pay('ada', ctx)} for ${ctx.get(tenant)}`;
      }
    }
    notes.length = 0;
    const acme: Middleware = (ctx, next) => {
      if (ctx.task === null) ctx.set(tenant, 'acme');
      return next();
    };
    expect((await testFlow(Code, {}, { middleware: [acme] })).result).toBe('ada pay for acme');
    expect(notes).toEqual(['> call pay', '< call pay']);
  });

  test('hands values to tasks, the nearer one first, and says which is missing', async () => {
    const set =
      (value: string, where: 'run' | 'task'): Middleware =>
      (ctx, next) => {
        if ((ctx.task === null) === (where === 'run')) ctx.set(tenant, value);
        return next();
      };
    const flow = makeFlow({
      plain: { does: (ctx: TaskContext) => ctx.get(tenant) },
      own: { middleware: [set('own', 'task')], does: (ctx: TaskContext) => ctx.get(tenant) },
    });
    expect((await testFlow(flow, {}, { middleware: [set('run', 'run')] })).result).toEqual({ plain: 'run', own: 'own' });
    const without = await testFlow(makeFlow({ plain: { does: (ctx: TaskContext) => ctx.get(tenant) } }));
    expect(without.error).toMatchObject({ code: 'CONTEXT_VALUE_MISSING', message: expect.stringContaining("'tenant'") });
  });

  test('adds fields to the log lines of its task or run', async () => {
    const flow = makeFlow({
      pay: { does: (ctx: TaskContext) => ctx.log.info('paid') },
      other: { does: (ctx: TaskContext) => ctx.log.info('other') },
    });
    const fields: Middleware = (ctx, next) => {
      if (ctx.task === null) ctx.addLogFields({ tenant: 'acme' });
      if (ctx.task?.name === 'pay') ctx.addLogFields({ order: 7 });
      return next();
    };
    const { logs } = await testFlow(flow, {}, { middleware: [fields] });
    const of = (message: string) => logs.find((line) => line.message === message)?.fields;
    expect(of('paid')).toMatchObject({ tenant: 'acme', order: 7 });
    expect(of('other')).toMatchObject({ tenant: 'acme' });
    expect(of('other')).not.toHaveProperty('order');
  });

  test('may put another error in the place of one; what it swallows fails the task all the same', async () => {
    class Wrapped extends FlowError {}
    const wrap: Middleware = async (ctx, next) => {
      try {
        return await next();
      } catch (cause) {
        throw new Wrapped(`in ${ctx.task?.name ?? 'the run'}`, { cause });
      }
    };
    const wrapped = await testFlow(makeFlow({ pay: { middleware: [wrap], does: failing('no money') } }));
    expect(wrapped.error).toMatchObject({ name: 'Wrapped', message: 'in pay', cause: { message: 'no money' } });
    const around = await testFlow(
      makeFlow({ pay: { does: failing('no money') } }, {}),
      {},
      { middleware: [(ctx, next) => (ctx.task ? next() : wrap(ctx, next))] },
    );
    expect(around.error).toMatchObject({ message: 'in the run', cause: { message: 'no money' } });
    around.expectTask('pay', 'Failed');
    const swallow: Middleware = (_ctx, next) => next().catch(() => undefined);
    const swallowed = await testFlow(
      makeFlow({ pay: { middleware: [swallow], does: failing('no money') } }),
      {},
      { middleware: [swallow] },
    );
    expect(swallowed.expectState('Failed').error?.message).toBe('no money');
  });

  const value = { paid: true };
  test.each<[string, Middleware, string]>([
    ['never calls next', () => undefined, 'never called next()'],
    ['calls next twice', (_ctx, next) => next().then(next), 'called next() twice'],
    [
      'calls next twice and hides it',
      (_ctx, next) =>
        next().then((v) =>
          next().then(
            () => v,
            () => v,
          ),
        ),
      'called next() twice',
    ],
    ['returns another value', (_ctx, next) => next().then(() => ({ paid: false })), 'returned another value'],
  ])('that %s fails its task with a sentence, once', async (_, bad, sentence) => {
    let executed = 0;
    const does = (): unknown => {
      executed++;
      return value;
    };
    const run = await testFlow(makeFlow({ pay: { retries: 3, middleware: [bad], does } }));
    run.expectTask('pay', 'Failed', { attempts: 1 });
    expect(run.error).toMatchObject({ code: 'MIDDLEWARE_MISUSED', message: expect.stringContaining(sentence) });
    expect(executed).toBeLessThanOrEqual(1);
  });

  test('that throws before next fails its task, which is retried as for any error', async () => {
    let asked = 0;
    const flaky: Middleware = (_ctx, next) => {
      asked++;
      if (asked === 1) throw new Error('not now');
      return next();
    };
    const run = await testFlow(makeFlow({ pay: { retries: 1, middleware: [flaky], does: () => value } }));
    run.expectTask('pay', 'Completed', { attempts: 2 });
  });

  test('that returns nothing, or before its task has ended, changes nothing', async () => {
    const careless: Middleware = (_ctx, next) => void next();
    const run = await testFlow(makeFlow({ pay: { middleware: [careless], does: async () => value } }), {}, { middleware: [careless] });
    expect(run.expectState('Completed').result).toEqual(value);
  });

  test('sees the items of an async generator as the list that is recorded', async () => {
    let seen: unknown;
    const look: Middleware = async (_ctx, next) => {
      seen = await next();
      return seen;
    };
    const flow = makeFlow({
      rows: {
        middleware: [look],
        async *does() {
          yield 1;
          yield 2;
        },
      },
    });
    expect((await testFlow(flow)).result).toEqual([1, 2]);
    expect(seen).toEqual([1, 2]);
  });

  test.each([[{ middleware: 'log' }], [{ middleware: [1] }]])(
    'is refused where it is declared when it is no list of functions: %j',
    (options) => {
      expect(() => makeFlow({ pay: options as never })).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }) as Error);
      expect(() => makeFlow({ pay: {} }, options as never)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }) as Error);
    },
  );
});
