/** Values that later runs take instead of making them again: who makes one, and who takes it. */
import { afterEach, expect, test } from 'vitest';
import { Flow, type FlowClass, Task, type TaskContext } from 'batuta';
import { z } from 'zod';
import type { TaskRun } from '../../../src/model/run.ts';
import { gate, makeFlow } from '../../support/make-flow.ts';
import { type OpenEngine, openEngine } from '../../support/open-engine.ts';
import { type Ended, named, runToEnd } from '../../support/run-to-end.ts';

let made: unknown[] = [];
let here: OpenEngine;
afterEach(async () => {
  made = [];
  await here.client.close();
});

const runIt = (flow: FlowClass, params: unknown = {}): Promise<Ended> => runToEnd(here, flow, params);

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

test('a retry that finds what another has made meanwhile takes it, and nothing is left of the attempt that failed', async () => {
  const tried = gate();
  let calls = 0;
  const flow = makeFlow({
    quote: {
      cache: '1 hour',
      retries: 1,
      retryIf: async () => {
        await tried.opened;
        return true;
      },
      does: (ctx: TaskContext) => {
        calls += 1;
        ctx.metrics.add('calls');
        ctx.progress(1, 2);
        if (calls === 1) throw new Error('it broke');
        return calls;
      },
    },
  });
  here = await openEngine();
  const first = runIt(flow);
  while (calls === 0) await new Promise((resolve) => setImmediate(resolve));
  const second = await runIt(flow);
  tried.open();
  const taken = named(await first, 'quote');
  expect(named(second, 'quote')).toMatchObject({ state: { name: 'Completed' }, result: '{"json":2}' });
  expect(taken).toMatchObject({
    ...{ state: { name: 'Cached' }, result: '{"json":2}', attempt: 1, error: null, progress: null, metrics: null, dueAt: null },
    cachedFrom: { runId: second.run.id, taskRunId: named(second, 'quote')?.id },
  });
  expect(taken?.startedAt).toBeLessThanOrEqual(named(second, 'quote')?.startedAt ?? 0);
  expect(calls).toBe(2);
});

test('what waits for a value that another run makes says so, and is due at no instant', async () => {
  const { opened, open } = gate();
  const flow = makeFlow({ slow: { cache: '1 hour', does: () => (made.push(1), opened) } });
  here = await openEngine();
  const first = runIt(flow);
  while (made.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const { id } = await here.client.submit(flow);
  const waiting = async (): Promise<TaskRun | undefined> => (await here.store.taskRuns.ofRun(id))[0];
  while ((await waiting()) === undefined) await new Promise((resolve) => setImmediate(resolve));
  const message = `Waits for its value, which run ${(await here.client.runs.list({ flow: 'made' })).items.find((run) => run.id !== id)?.id} makes.`;
  expect(await waiting()).toMatchObject({ state: { type: 'SCHEDULED', name: 'Scheduled', message }, attempt: 0, dueAt: null });
  open();
  await first;
  while ((await waiting())?.state.name !== 'Cached') await new Promise((resolve) => setImmediate(resolve));
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
