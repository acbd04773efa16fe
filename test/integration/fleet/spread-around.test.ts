/** What goes around a task, where a worker executes it: cache, rollback, middleware, typed errors. */
import { Flow, FlowError, type Middleware, NonRetryable, Task, type TaskContext } from 'batuta';
import { expect, test } from 'vitest';
import { makeFlow } from '../../support/make-flow.ts';
import { openNode, runOn } from './spread-node.ts';

test('cached values of spread items are made once, by workers, and taken by later runs', async () => {
  const made: number[] = [];
  const flow = makeFlow({
    list: { does: () => [1, 2, 1] },
    square: { each: 'list', spread: true, cache: '1h', does: (n: number) => (made.push(n), { square: n * n }) },
  });
  const node = await openNode([flow]);
  const first = await runOn(node, flow);
  const second = await runOn(node, flow);
  expect(made.toSorted()).toEqual([1, 2]);
  expect(second.result).toEqual([{ square: 1 }, { square: 4 }, { square: 1 }]);
  expect(second.result).toEqual(first.result);
  const taken = second.rows.filter(({ name }) => name === 'square');
  expect(taken.map(({ state, cachedFrom }) => [state.name, cachedFrom?.runId])).toEqual(Array(3).fill(['Cached', first.run.id]));
  const anew = await node.client.submit(flow, {}, { refreshCache: true });
  await anew.done();
  expect(made.length).toBeGreaterThanOrEqual(4);
});

test('what spread tasks did is undone with the results they gave, each item by itself', async () => {
  const done: string[] = [];
  @Flow()
  class Seats {
    @Task() async list(): Promise<string[]> {
      return ['A', 'B'];
    }
    @Task({ each: 'list', spread: true, rollback: 'release' }) async reserve(seat: string): Promise<{ seat: string }> {
      done.push(`reserve ${seat}`);
      return { seat };
    }
    @Task({ needs: ['reserve'], spread: true }) async pay(): Promise<void> {
      throw new Error('The card is refused.');
    }
    release({ seat }: { seat: string }): void {
      done.push(`release ${seat}`);
    }
  }
  const node = await openNode([Seats]);
  const { run } = await runOn(node, Seats);
  expect(run.state).toMatchObject({ type: 'FAILED', message: expect.stringContaining('Rolled back: 2 tasks were undone.') });
  expect(done.toSorted()).toEqual(['release A', 'release B', 'reserve A', 'reserve B']);
});

class OverLimit extends FlowError {}

test('middleware runs around a spread task where it is executed, attempt by attempt, and may wrap its error', async () => {
  const seen: string[] = [];
  const wraps: Middleware = async (ctx, next) => {
    if (ctx.task === null) return next();
    seen.push(`${ctx.task.name} ${ctx.task.attempt}`);
    try {
      return await next();
    } catch (cause) {
      throw new OverLimit('wrapped', { details: { task: ctx.task.name }, cause });
    }
  };
  const flow = makeFlow(
    {
      ask: {
        spread: true,
        retries: 2,
        does: (ctx: TaskContext) => {
          if (ctx.task.attempt === 1) throw new Error('busy');
          return 'here';
        },
      },
    },
    { middleware: [wraps] },
  );
  const node = await openNode([flow]);
  const { run, rows } = await runOn(node, flow);
  expect(run.state.name).toBe('Completed');
  expect(seen).toEqual(['ask 1', 'ask 2']);
  const attempts = await node.store.transitions.ofRun(run.id, rows[0]?.id ?? '');
  expect(attempts.map(({ message }) => message).join()).toContain('wrapped');
});

test('a typed error of a spread task keeps its class, code and details on the way to the body, and its word on retries', async () => {
  const caught: unknown[] = [];
  let attempts = 0;
  @Flow()
  class Pays {
    @Task({ spread: true, retries: 3 }) async pay(): Promise<void> {
      attempts++;
      throw new NonRetryable('The account is closed.', { stage: 'payment', details: { account: 7 } });
    }
    async run(): Promise<string> {
      try {
        await this.pay();
        return 'paid';
      } catch (error) {
        caught.push(error);
        return 'unpaid';
      }
    }
  }
  const node = await openNode([Pays]);
  expect(await runOn(node, Pays)).toMatchObject({ result: 'unpaid' });
  expect(attempts).toBe(1);
  expect(caught).toEqual([expect.any(NonRetryable)]);
  expect(caught[0]).toMatchObject({ message: 'The account is closed.', stage: 'payment', details: { account: 7 } });
});
