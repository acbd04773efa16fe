/** What a cached value is known by. */
import { afterEach, expect, test } from 'vitest';
import { Flow, type FlowClass, Task, type TaskContext } from 'batuta';
import { z } from 'zod';
import { makeFlow } from '../../support/make-flow.ts';
import { type OpenEngine, openEngine } from '../../support/open-engine.ts';
import { type Ended, runToEnd } from '../../support/run-to-end.ts';

let made: unknown[] = [];
let here: OpenEngine;
afterEach(async () => {
  made = [];
  await here.client.close();
});

const runIt = (flow: FlowClass, params: unknown = {}): Promise<Ended> => runToEnd(here, flow, params);

test('a task that takes its context is known by the parameters too, for it may read them', async () => {
  @Flow()
  class Weather {
    static readonly params = z.object({ month: z.string() });
    @Task({ cache: '1 hour' })
    async load(ctx: TaskContext<typeof Weather>): Promise<string> {
      made.push(ctx.params.month);
      return `weather of ${ctx.params.month}`;
    }
  }
  here = await openEngine();
  for (const month of ['01', '02', '01']) await runIt(Weather, { month });
  expect(made).toEqual(['01', '02']);
});

test('inputs differ by what they hold, whatever the order of their fields', async () => {
  @Flow()
  class Orders {
    @Task() async one(): Promise<object> {
      return { a: 1, b: new Map([['x', 1n]]) };
    }
    @Task() async same(): Promise<object> {
      return { b: new Map([['x', 1n]]), a: 1 };
    }
    @Task() async other(): Promise<object> {
      return { b: new Map([['x', 2n]]), a: 1 };
    }
    async run(): Promise<void> {
      for (const input of await Promise.all([this.one(), this.same(), this.other()])) await this.price(input);
    }
    @Task({ cache: '1 hour' }) async price(input: object): Promise<void> {
      made.push(input);
    }
  }
  here = await openEngine();
  const { tasks } = await runIt(Orders);
  expect(made).toHaveLength(2);
  expect(tasks.filter(({ name }) => name === 'price').map(({ state }) => state.name)).toEqual(['Completed', 'Cached', 'Completed']);
});

test('a key of the user stands for the inputs; a template reads the parameters', async () => {
  @Flow()
  class Fares {
    static readonly params = z.object({ from: z.string(), seat: z.number() });
    @Task() ask(ctx: TaskContext<typeof Fares>): { from: string; seat: number } {
      return ctx.params;
    }
    @Task({ needs: ['ask'], cache: { ttl: '1h', key: (ask: { from: string }) => ask.from } })
    fare(ask: { from: string; seat: number }): number {
      return made.push(ask.seat);
    }
    @Task({ needs: ['ask'], cache: { ttl: '1h', key: '{from}' } })
    tax(ask: { from: string; seat: number }): number {
      return made.push(-ask.seat);
    }
  }
  here = await openEngine();
  await runIt(Fares, { from: 'LIM', seat: 1 });
  await runIt(Fares, { from: 'LIM', seat: 2 });
  expect(made.sort()).toEqual([-1, 1]);
});

test('an input that has no identity fails the task at once with CACHE_KEY_INVALID, naming the place', async () => {
  @Flow()
  class Odd {
    async run(): Promise<void> {
      await this.use({ of: [() => 1] });
    }
    @Task({ cache: '1h', retries: 3 }) async use(what: object): Promise<void> {
      made.push(what);
    }
  }
  here = await openEngine();
  const { run, tasks } = await runIt(Odd);
  expect(run).toMatchObject({ state: { type: 'FAILED' }, error: { code: 'CACHE_KEY_INVALID' } });
  expect(run.error?.message).toContain('.of[0]');
  expect(tasks[0]).toMatchObject({ attempt: 0, state: { type: 'FAILED' } });
  expect(made).toEqual([]);
});

test('other code is another key, unless the task says its version', async () => {
  const flow = (version: string, task?: string): FlowClass =>
    makeFlow({ quote: { cache: '1h', ...(task === undefined ? {} : { version: task }), does: () => made.push(version) } }, { version });
  here = await openEngine();
  for (const version of ['1', '2', '1']) await runIt(flow(version));
  expect(made).toEqual(['1', '2']);
  for (const version of ['3', '4']) await runIt(flow(version, 'a'));
  await runIt(flow('4', 'b'));
  expect(made).toEqual(['1', '2', '3', '4']);
});
