import { describe, expect, test } from 'vitest';
import {
  Flow,
  FlowError,
  type FlowContext,
  NonRetryable,
  registerErrors,
  RetryAfter,
  Task,
  type TaskContext,
  ValidationError,
} from 'batuta';
import { testFlow } from 'batuta/testing';
import { isBatutaError } from '../../../src/base/errors.ts';
import { errorOf, failureOf } from '../../../src/model/failure.ts';
import { decodeValue, encodeValue } from '../../../src/model/values.ts';
import { makeFlow } from '../../support/make-flow.ts';
import { hang, takeOver } from '../../support/take-over.ts';

class OutOfStock extends FlowError {
  readonly article: number;
  constructor(article: number) {
    super(`No more of ${article}`, {
      code: 'OUT_OF_STOCK',
      stage: 'reserve',
      details: { article },
      cause: new Error('the shelf is empty'),
    });
    this.article = article;
  }
}

/** As it comes out of a store, a thread or another process. */
const travelled = (error: unknown): Error => errorOf(JSON.parse(JSON.stringify(failureOf(error))) as ReturnType<typeof failureOf>);

describe('errors of ones own', () => {
  test.each([
    ['a recorded failure', travelled],
    ['a value', (error: unknown) => decodeValue(encodeValue({ error }, 'value')) as { error: Error }],
  ])('keep class, name, message, code, stage, details, fields and cause through %s', (_, travel) => {
    const back = travel(new OutOfStock(7));
    const error = back instanceof Error ? back : back.error;
    expect(error).toBeInstanceOf(OutOfStock);
    expect(error).toBeInstanceOf(FlowError);
    expect(error).toMatchObject({
      name: 'OutOfStock',
      message: 'No more of 7',
      code: 'OUT_OF_STOCK',
      stage: 'reserve',
      details: { article: 7 },
      article: 7,
    });
    expect((error.cause as Error).message).toBe('the shelf is empty');
    expect(error.stack).toContain('typed-errors.test.ts');
  });

  test('of a class that was never thrown nor registered here are instances of it and of what it extends once that is asked', () => {
    // As read in a process that has only loaded the classes.
    class Refused extends NonRetryable {
      get isFinal(): boolean {
        return this.code === 'LIMIT';
      }
    }
    class LimitRefused extends Refused {}
    class Other extends FlowError {}
    const thrown = { name: 'LimitRefused', message: 'no', code: 'LIMIT', stack: null, details: null, cause: null, base: 'NonRetryable' };
    const stored = { ...thrown, classes: ['LimitRefused', 'Refused'] };
    const error = errorOf(stored);
    expect([error instanceof Other, error instanceof Refused, error instanceof NonRetryable]).toEqual([false, true, true]);
    expect(failureOf(error)).toEqual({ ...stored, stack: error.stack });
    expect([error instanceof LimitRefused, error instanceof Refused, error instanceof Other]).toEqual([true, true, false]);
    expect(error).toHaveProperty('isFinal', true);
    expect(failureOf(new LimitRefused('no', { code: 'LIMIT' }))).toMatchObject({ classes: stored.classes, base: 'NonRetryable' });
    class Plain extends FlowError {}
    expect(errorOf({ ...thrown, name: 'Plain', base: 'FlowError' })).toBeInstanceOf(Plain);
    expect(errorOf({ ...thrown, name: 'Plain', base: 'Error' })).not.toBeInstanceOf(Plain);
    expect(failureOf(new Plain('x'))).not.toHaveProperty('classes');
  });

  test('of a class that is not known come back as FlowError by its name', () => {
    const Unknown = { Elsewhere: class extends FlowError {} }.Elsewhere;
    const failure = { ...failureOf(new Unknown('away', { code: 'AWAY' })), name: 'NeverSeenHere' };
    expect(errorOf(failure)).toBeInstanceOf(FlowError);
    expect(errorOf(failure)).toMatchObject({ name: 'NeverSeenHere', code: 'AWAY' });
  });

  test('of a class that was registered are instances of it at once', () => {
    class NeverThrown extends RetryAfter {}
    const failure = { ...failureOf(new RetryAfter('2s', 'busy')), name: 'NeverThrown' };
    expect(errorOf(failure).constructor).toBe(RetryAfter);
    registerErrors(NeverThrown);
    expect(errorOf(failure).constructor).toBe(NeverThrown);
    expect(errorOf(failure)).toMatchObject({ delayMs: 2_000 });
  });

  test('are never taken for errors of Batuta, whatever their code', () => {
    expect(isBatutaError(new FlowError('none here', { code: 'NOT_FOUND', stage: 'server' }))).toBe(false);
  });

  test('a class that is none of them is refused', () => {
    expect(() => registerErrors(TypeError as never)).toThrow(TypeError);
    expect(() => new RetryAfter('soon' as never)).toThrow(expect.objectContaining({ code: 'DURATION_INVALID' }) as Error);
  });

  test('a run that failed with one tells all of it, to people and to programs', async () => {
    const run = await testFlow(makeFlow({ reserve: { does: () => Promise.reject(new OutOfStock(7)) } }));
    expect(run.error).toMatchObject({
      name: 'OutOfStock',
      code: 'OUT_OF_STOCK',
      details: { article: 7 },
      fields: { stage: 'reserve', article: 7 },
    });
    expect(run.thrown).toBeInstanceOf(OutOfStock);
  });

  test('a code flow catches the same class on the first pass and after its process was lost', async () => {
    const shop = (then: () => Promise<unknown>) => {
      @Flow({ name: 'shop' })
      class Shop {
        @Task() async reserve(): Promise<never> {
          throw new OutOfStock(7);
        }
        @Task() async after(): Promise<unknown> {
          return then();
        }
        async run(_params: unknown, _ctx: FlowContext): Promise<unknown> {
          const error = await this.reserve().catch((thrown: unknown) => thrown);
          await this.after();
          return error instanceof OutOfStock && error.article === 7 && error.stage === 'reserve';
        }
      }
      return Shop;
    };
    const taken = await takeOver(
      shop(() => hang()),
      shop(async () => 'done'),
    );
    expect(taken.result).toBe(true);
  });

  test('reach the parent of a sub-flow as they were thrown', async () => {
    @Flow()
    class Inner {
      @Task() async fail(): Promise<never> {
        throw new OutOfStock(9);
      }
    }
    @Flow()
    class Outer {
      async run(_params: unknown, ctx: FlowContext): Promise<unknown> {
        return ctx.runFlow(Inner).catch((error: unknown) => error instanceof OutOfStock && error.article);
      }
    }
    expect((await testFlow(Outer)).result).toBe(9);
  });
});

describe('RetryAfter', () => {
  test('says the wait before the next attempt itself, and counts as an attempt', async () => {
    const does = (ctx: TaskContext): number => {
      if (ctx.task.attempt < 3) throw new RetryAfter(`${ctx.task.attempt * 10} s`, 'busy');
      return ctx.task.attempt;
    };
    const run = await testFlow(makeFlow({ ask: { retries: 2, retryDelay: '1h', maxRetryDelay: '2s', does } }));
    run.expectTask('ask', 'Completed', { attempts: 3 });
    expect(run.waitedMs).toBe(30_000);
    (await testFlow(makeFlow({ ask: { retries: 1, does } }))).expectTask('ask', 'Failed', { attempts: 2 });
    (await testFlow(makeFlow({ ask: { does } }))).expectTask('ask', 'Failed', { attempts: 1 });
  });

  test('says the wait of a flow that is retried, too', async () => {
    let attempts = 0;
    const does = (): number => {
      attempts++;
      if (attempts === 1) throw new RetryAfter('1m');
      return attempts;
    };
    const run = await testFlow(makeFlow({ ask: { does } }, { retries: 1, retryDelay: '1h' }));
    expect(run.expectState('Completed').waitedMs).toBe(60_000);
  });
});

describe.each([
  ['NonRetryable', NonRetryable],
  ['ValidationError', ValidationError],
  ['a class of ones own', class Refused extends NonRetryable {}],
])('%s', (_, Kind) => {
  test('ends the retries of its task and of its flow at once', async () => {
    const asked: unknown[] = [];
    const does = (): never => {
      throw new Kind('no use', { details: { field: 'month' } });
    };
    const retryIf = (error: unknown): boolean => {
      asked.push(error);
      return true;
    };
    const run = await testFlow(makeFlow({ ask: { retries: 5, retryIf, does } }, { retries: 5 }));
    run.expectTask('ask', 'Failed', { attempts: 1 });
    expect(run.attempt).toBe(1);
    expect(asked).toEqual([]);
    expect(travelled(run.thrown)).toBeInstanceOf(Kind);
    expect(run.error).toMatchObject({ details: { field: 'month' } });
  });
});
