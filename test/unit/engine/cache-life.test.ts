/** How long a cached value holds, and what goes with it. */
import { afterEach, expect, test } from 'vitest';
import { adaptiveTtl, type FlowClass } from 'batuta';
import { FakeClock } from '../../../src/testing/fake-clock.ts';
import { makeFlow } from '../../support/make-flow.ts';
import { type OpenEngine, openEngine } from '../../support/open-engine.ts';
import { type Ended, named, runToEnd } from '../../support/run-to-end.ts';

let made: unknown[] = [];
let here: OpenEngine;
afterEach(async () => {
  made = [];
  await here.client.close();
});

const runIt = (flow: FlowClass, params: unknown = {}): Promise<Ended> => runToEnd(here, flow, params);

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
