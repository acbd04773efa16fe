/** Values that later runs take instead of making them again. */
import { afterEach, expect, test } from 'vitest';
import { adaptiveTtl, Flow, type FlowClass, Task, type TaskContext } from 'batuta';
import { z } from 'zod';
import type { Run, TaskRun } from '../../../src/model/run.ts';
import { FakeClock } from '../../../src/testing/fake-clock.ts';
import { gate, makeFlow } from '../../support/make-flow.ts';
import { type OpenEngine, openEngine } from '../../support/open-engine.ts';

let made: unknown[] = [];
let here: OpenEngine;
afterEach(async () => {
  made = [];
  await here.client.close();
});

interface Ended {
  readonly run: Run;
  readonly tasks: readonly TaskRun[];
  readonly value: unknown;
}

async function runIt(flow: FlowClass, params: unknown = {}): Promise<Ended> {
  const handle = await here.client.submit(flow, params);
  const run = await handle.done();
  const value = run.state.type === 'COMPLETED' ? await handle.result() : undefined;
  return { run, tasks: await here.store.taskRuns.ofRun(handle.id), value };
}

function named({ tasks }: Ended, name: string): TaskRun | undefined {
  return tasks.find((task) => task.name === name);
}

@Flow()
class Geocode {
  static readonly params = z.object({ city: z.string(), note: z.string().default('') });

  @Task()
  name(ctx: TaskContext<typeof Geocode>): string {
    return ctx.params.city;
  }

  @Task({ needs: ['name'], cache: '1 hour' })
  async place(name: string): Promise<{ name: string; at: Date }> {
    made.push(name);
    return { name, at: new Date(0) };
  }
}

test('a value is made once for its inputs, and taken by later runs as Cached, with the run and task run that made it', async () => {
  here = await openEngine();
  const first = await runIt(Geocode, { city: 'Lima' });
  const second = await runIt(Geocode, { city: 'Lima', note: 'other parameters, same input' });
  const other = await runIt(Geocode, { city: 'Quito' });
  expect(made).toEqual(['Lima', 'Quito']);
  expect(second.value).toEqual({ name: 'Lima', at: new Date(0) });
  const maker = first.tasks.find(({ name }) => name === 'place');
  const taken = second.tasks.find(({ name }) => name === 'place');
  expect(maker?.state.name).toBe('Completed');
  expect(taken).toMatchObject({
    state: { type: 'COMPLETED', name: 'Cached' },
    attempt: 0,
    cachedFrom: { runId: first.run.id, taskRunId: maker?.id },
  });
  expect(taken?.state.message).toContain(first.run.id);
  expect(other.tasks.map(({ state }) => state.name)).toEqual(['Completed', 'Completed']);
});

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

test('inputs are told apart by what they hold, whatever the order of their fields', async () => {
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

test('a value holds as long as its ttl says, then it is made anew', async () => {
  const clock = new FakeClock();
  const flow = makeFlow({ quote: { cache: '10m', does: () => made.push(clock.now()) } });
  here = await openEngine({ clock });
  await runIt(flow);
  await clock.sleep('9m');
  expect(named(await runIt(flow), 'quote')?.state.name).toBe('Cached');
  await clock.sleep('1m');
  expect(named(await runIt(flow), 'quote')?.state.name).toBe('Completed');
  expect(made).toHaveLength(2);
});

test('the life of a value grows with its use: adaptiveTtl', async () => {
  const clock = new FakeClock();
  const ttl = adaptiveTtl({ cold: '5m', warm: '15m', hot: '1h', warmFrom: 2, hotFrom: 4 });
  const flow = makeFlow({ quote: { cache: { ttl }, does: () => made.push(1) } });
  here = await openEngine({ clock });
  const stateAfter = async (wait: `${number}m`): Promise<string | undefined> => {
    await clock.sleep(wait);
    return named(await runIt(flow), 'quote')?.state.name;
  };
  await runIt(flow);
  expect(await stateAfter('1m')).toBe('Cached');
  expect(await stateAfter('1m')).toBe('Cached');
  // Two hits: it is warm, and 14 minutes old.
  expect(await stateAfter('12m')).toBe('Cached');
  expect(await stateAfter('0.5m')).toBe('Cached');
  // Four: it is hot.
  expect(await stateAfter('40m')).toBe('Cached');
  expect(await stateAfter('6m')).toBe('Completed');
  expect(made).toHaveLength(2);
});

test('of many that want one value at the same time one makes it, the others wait for that', async () => {
  const { opened, open } = gate();
  const flow = makeFlow(
    {
      list: { does: () => Array.from({ length: 50 }, () => 'same') },
      slow: {
        each: 'list',
        cache: '1 hour',
        does: async (item: string) => {
          made.push(item);
          await opened;
          return item;
        },
      },
    },
    { name: 'crowd' },
  );
  here = await openEngine();
  const both = [runIt(flow), runIt(flow)];
  while (made.length === 0) await new Promise((resolve) => setImmediate(resolve));
  open();
  const [one, two] = await Promise.all(both);
  expect(made).toEqual(['same']);
  expect(one?.value).toEqual(Array.from({ length: 50 }, () => 'same'));
  expect(two?.value).toEqual(one?.value);
  const states = [...(one?.tasks ?? []), ...(two?.tasks ?? [])].filter(({ name }) => name === 'slow').map(({ state }) => state.name);
  expect(states.filter((name) => name === 'Cached')).toHaveLength(99);
  await here.engine.services.cache.close();
  const { items } = await here.store.cache.list({ at: Date.now() });
  expect(items).toMatchObject([{ flow: 'crowd', task: 'slow', hits: 99, misses: 1, runId: expect.any(String), makingRunId: null }]);
});

test('when the one that makes it fails, the next in line does', async () => {
  let attempts = 0;
  const flow = makeFlow({
    list: { does: () => ['a', 'a', 'a'] },
    shaky: {
      each: 'list',
      cache: '1 hour',
      does: async () => {
        attempts += 1;
        await new Promise((resolve) => setImmediate(resolve));
        if (attempts === 1) throw new Error('not yet');
        return attempts;
      },
    },
  });
  here = await openEngine();
  const { tasks } = await runIt(flow);
  expect(attempts).toBe(2);
  expect(
    tasks
      .filter(({ name }) => name === 'shaky')
      .map(({ state }) => state.name)
      .sort(),
  ).toEqual(['Cached', 'Completed', 'Failed']);
});

test('a retry that finds what another has made meanwhile takes it', async () => {
  let calls = 0;
  const flow = makeFlow({
    quote: {
      cache: '1 hour',
      retries: 1,
      does: async () => {
        calls += 1;
        if (calls === 1) throw new Error('it broke');
        return calls;
      },
    },
  });
  here = await openEngine();
  const { tasks } = await runIt(flow);
  expect(tasks[0]?.state.name).toBe('Completed');
  expect(named(await runIt(flow), 'quote')).toMatchObject({ state: { name: 'Cached' }, result: '{"json":2}' });
  expect(calls).toBe(2);
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

test('scope run keeps a value to its run, and it goes with it', async () => {
  const flow = makeFlow({
    list: { does: () => ['a', 'a'] },
    once: { each: 'list', cache: { scope: 'run' }, does: (item: string) => made.push(item) },
  });
  here = await openEngine();
  const { run } = await runIt(flow);
  await runIt(flow);
  expect(made).toEqual(['a', 'a']);
  const ids = async (): Promise<(string | null)[]> =>
    (await here.store.cache.list({ at: Date.now() })).items.map(({ scopeRunId }) => scopeRunId);
  expect(await ids()).toContain(run.id);
  await here.client.runs.delete(run.id);
  expect(await ids()).not.toContain(run.id);
  expect(await ids()).toHaveLength(1);
});

test('refresh makes it anew, always or where a function says so, and others find the new value', async () => {
  let isStale = false;
  const flow = makeFlow({ quote: { cache: { ttl: '1h', refresh: () => isStale }, does: () => made.push(1) } });
  here = await openEngine();
  await runIt(flow);
  await new Promise((resolve) => setTimeout(resolve, 5));
  isStale = true;
  expect(await runIt(flow)).toMatchObject({ value: 2 });
  isStale = false;
  expect(await runIt(flow)).toMatchObject({ value: 2, tasks: [{ state: { name: 'Cached' } }] });
});

test('a condition that is not met skips the task, whatever is in the cache, and is asked once', async () => {
  let isWanted = true;
  let asked = 0;
  const when = (): boolean => {
    asked += 1;
    return isWanted;
  };
  const flow = makeFlow({ quote: { cache: '1h', when, does: () => made.push(1) } });
  here = await openEngine();
  await runIt(flow);
  isWanted = false;
  expect(named(await runIt(flow), 'quote')?.state.name).toBe('Skipped');
  expect(asked).toBe(2);
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

test('a value too large for its row outlives the run that made it, and its file goes with the entry', async () => {
  const flow = makeFlow({ big: { cache: '1h', does: () => 'x'.repeat(300 * 1024) } });
  here = await openEngine();
  const { run, tasks } = await runIt(flow);
  const ref = tasks[0]?.resultRef ?? '';
  await here.client.runs.delete(run.id);
  const taken = await runIt(flow);
  expect(taken.tasks[0]).toMatchObject({ state: { name: 'Cached' }, resultRef: ref });
  expect(String(taken.value)).toHaveLength(300 * 1024);
  await here.client.runs.delete(taken.run.id);
  const { resultRefs } = await here.store.cache.remove({ at: Date.now() });
  expect(resultRefs).toEqual([ref.split('#')[0]]);
});

test('a value whose file is gone is made again', async () => {
  const flow = makeFlow({ big: { cache: '1h', does: () => `${made.push(1)}${'x'.repeat(300 * 1024)}` } });
  here = await openEngine();
  const { tasks } = await runIt(flow);
  await here.engine.services.results.remove(tasks[0]?.resultRef ?? '');
  const again = await runIt(flow);
  expect(again.tasks[0]?.state.name).toBe('Completed');
  expect(made).toHaveLength(2);
});
