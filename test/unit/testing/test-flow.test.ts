import { describe, expect, test } from 'vitest';
import { Flow, type FlowContext, Task, type TaskContext } from 'batuta';
import { fakeClock, testFlow } from 'batuta/testing';

@Flow()
class Orders {
  @Task({ retries: 3, retryDelay: '10m', backoff: 'exponential' })
  async fetch(ctx: TaskContext): Promise<number[]> {
    if (ctx.task.attempt < 3) throw new Error('The shop does not answer.');
    return [1, 2, 3];
  }

  @Task({ needs: ['fetch'], timeout: '1m' })
  async total(orders: number[], _ctx: TaskContext): Promise<number> {
    return orders.reduce((sum, order) => sum + order, 0);
  }
}

@Flow()
class Child {
  @Task({ retries: 1, retryDelay: '1 day' })
  async work(ctx: TaskContext): Promise<string> {
    if (ctx.task.attempt === 1) throw new Error('not yet');
    return 'real';
  }
}

@Flow({ timeout: '2h' })
class Parent {
  async run(_params: unknown, ctx: FlowContext): Promise<string> {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return `${await this.step('a')} ${await ctx.runFlow(Child)}`;
  }

  @Task()
  async step(name: string): Promise<string> {
    return name;
  }
}

describe('testFlow', () => {
  test('retry delays pass at once, on a clock that shows them', async () => {
    const run = await testFlow(Orders);
    run.expectState('Completed').expectTask('fetch', 'Completed', { attempts: 3 }).expectOrder('fetch', 'total');
    expect(run.result).toBe(6);
    expect(run.waitedMs).toBe(30 * 60_000);
    expect(run.started).toEqual(['fetch', 'total']);
  });

  test('an override runs in the place of a task, or gives its value', async () => {
    const run = await testFlow(Orders, {}, { override: { fetch: [5, 5], total: (orders: number[]) => orders.length } });
    expect(run.result).toBe(2);
    expect(run.task('fetch').attempts).toBe(1);
  });

  test('an override of no task is refused with the nearest name', async () => {
    await expect(testFlow(Orders, {}, { override: { fetsch: [] } as object })).rejects.toThrow(
      "Orders has no task 'fetsch' to override. Did you mean 'fetch'?",
    );
  });

  test('a task that waits on the clock runs into its timeout without waiting', async () => {
    const clock = fakeClock();
    const run = await testFlow(
      Orders,
      {},
      { clock, override: { fetch: [1], total: (_orders: number[], ctx: TaskContext) => clock.sleep('5m', ctx.signal) } },
    );
    run.expectState('Failed').expectTask('total', 'TimedOut', { attempts: 1 });
    expect(run.waitedMs).toBe(60_000);
  });

  test('real work holds time still, also in the body of a code flow', async () => {
    const run = await testFlow(Parent, {}, { override: {}, subFlows: [[Child, { work: 'fake' }]] });
    expect(run.result).toBe('a fake');
    expect(run.waitedMs).toBe(0);
  });

  test('flows stand for the deployments that are run by name, and one that was not named fails the run', async () => {
    @Flow({ name: 'nightly' })
    class Nightly {
      async run(_params: unknown, ctx: FlowContext): Promise<number> {
        return ctx.runDeployment<number>('orders', { from: 1 });
      }
    }
    const run = await testFlow(Nightly, {}, { deployments: { orders: Orders } });
    expect(run.inspection.children).toMatchObject([{ flow: 'orders', deployment: 'orders' }]);
    (await testFlow(Nightly)).expectState('Failed');
  });

  test('a sub-flow that waits a day runs into the timeout of its parent', async () => {
    const run = await testFlow(Parent);
    run.expectState('TimedOut');
    expect(run.waitedMs).toBe(2 * 3_600_000);
  });

  test('a failed expectation says what it found', async () => {
    const run = await testFlow(Orders, {}, { override: { fetch: () => Promise.reject(new Error('gone')) } });
    expect(() => run.expectState('Completed')).toThrow('Expected Completed, but the run is Failed (Task fetch failed: gone).');
    expect(() => run.expectTask('total', 'Completed')).toThrow(
      'Expected Completed, but task total is UpstreamFailed (It waits for fetch, which failed.).',
    );
    expect(run.thrown).toEqual(new Error('gone'));
  });
});
