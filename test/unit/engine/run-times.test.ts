/** What is counted of a run: time of execution apart from waiting, and the items of its mapped tasks. */
import { Flow, Task, type TaskContext } from 'batuta';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../../src/base/clock.ts';
import { runTimes, spentTimes } from '../../../src/model/run-times.ts';
import { stateOf } from '../../../src/model/state.ts';
import { openStore } from '../../../src/store/open.ts';
import { failing, gate, makeFlow } from '../../support/make-flow.ts';
import { type OpenEngine, openEngine } from '../../support/open-engine.ts';

const minute = 60_000;
let aheadMs = 0;
const clock: Clock = { ...systemClock, now: () => systemClock.now() + aheadMs };
let mended = false;

@Flow()
class Fragile {
  @Task()
  async work(): Promise<string> {
    aheadMs += 2_000;
    return mended ? 'fine' : failing()();
  }
}

let here: OpenEngine;
beforeEach(async () => {
  [aheadMs, mended] = [0, false];
  here = await openEngine({ store: await openStore({ url: 'sqlite::memory:', clock }), clock, flows: [Fragile] });
});
afterEach(() => here.client.close());

test('the end of a run of one short task shares the flush of its beginning', async () => {
  const { recorder, runs } = here.store;
  let begun: Promise<void> | undefined;
  const does = ({ run }: TaskContext): void => {
    begun = recorder.addLog({ runId: run.id, taskRunId: null, at: 1, level: 30, message: 'begun', fields: null });
  };
  const handle = await here.client.submit(makeFlow({ only: { does } }));
  while (begun === undefined) await new Promise(setImmediate);
  await begun;
  expect((await runs.get(handle.id))?.state.name).toBe('Completed');
});

test('a run that is retried by hand later does not count the time between as its duration, nor do the figures of its flow', async () => {
  const first = await (await here.client.submit(Fragile, {})).done();
  expect(first.executedMs).toBeNull();
  aheadMs += 16 * minute;
  mended = true;
  const last = await (await here.client.runs.retry(first.id)).done();
  const times = runTimes(last, last.endedAt ?? 0);
  expect(last.state.name).toBe('Completed');
  expect(times?.executingMs).toBeGreaterThanOrEqual(4_000);
  expect(times?.executingMs).toBeLessThan(minute);
  expect(times?.waitingMs).toBeGreaterThanOrEqual(16 * minute);
  expect(times?.wallMs).toBe((times?.executingMs ?? 0) + (times?.waitingMs ?? 0));
  const figures = await here.client.figures.flow('fragile');
  expect(figures.p50Ms).toBeLessThan(minute);
  expect(figures.p95Ms).toBeLessThan(minute);
});

test('time in a state that waits is waiting, whether it has ended or goes on', () => {
  const started = { startedAt: 1_000, endedAt: null, executedMs: null, resumedAt: null, state: stateOf('RUNNING') };
  expect(runTimes({ ...started, startedAt: null }, 9_000)).toBeNull();
  expect(runTimes(started, 9_000)).toEqual({ executingMs: 8_000, waitingMs: 0, wallMs: 8_000 });
  const waits = { ...started, state: stateOf('PAUSED'), executedMs: 3_000, resumedAt: 4_000 };
  expect(runTimes(waits, 9_000)).toEqual({ executingMs: 3_000, waitingMs: 5_000, wallMs: 8_000 });
  const goesOn = { ...waits, state: stateOf('RUNNING'), resumedAt: 8_000 };
  expect(runTimes(goesOn, 9_000)).toEqual({ executingMs: 4_000, waitingMs: 4_000, wallMs: 8_000 });
});

test('suspended time, waits between attempts and execution stand apart, and add up', () => {
  const history = (...states: [number, Parameters<typeof stateOf>[0]][]) => states.map(([at, type]) => ({ at, type }));
  expect(spentTimes(history([0, 'SCHEDULED'], [5, 'PENDING']), 9)).toBeNull();
  const waited = history(
    [0, 'SCHEDULED'],
    [5, 'RUNNING'],
    [8, 'SCHEDULED'],
    [20, 'RUNNING'],
    [21, 'PAUSED'],
    [121, 'SCHEDULED'],
    [130, 'RUNNING'],
    [133, 'FAILED'],
  );
  expect(spentTimes(waited, 9_999)).toEqual({ executingMs: 7, suspendedMs: 100, waitingMs: 21, wallMs: 128 });
  const again = [...waited, ...history([1_133, 'SCHEDULED'], [1_134, 'RUNNING'])];
  expect(spentTimes(again, 1_140)).toEqual({ executingMs: 13, suspendedMs: 100, waitingMs: 1_022, wallMs: 1_135 });
  expect(spentTimes(history([5, 'RUNNING'], [8, 'PAUSED']), 108)).toEqual({ executingMs: 3, suspendedMs: 100, waitingMs: 0, wallMs: 103 });
});

test('the progress of a mapped task is that of all its items, also of a run that was cancelled; what failed and what was stopped stand out', async () => {
  const held = gate();
  const flow = makeFlow({
    list: { does: () => Array.from({ length: 500 }, (_, index) => index) },
    item: {
      each: 'list',
      eachLimit: 10,
      does: async (index: number, ctx: TaskContext) => {
        if (index % 10 === 7) throw new Error('bad');
        if (index < 60) return index;
        held.open();
        return await new Promise((_, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason as Error)));
      },
    },
  });
  const handle = await here.client.submit(flow, {});
  await held.opened;
  await here.store.recorder.flush();
  const [running] = (await here.client.figures.runs()).items;
  expect(running?.mapped).toEqual({ item: 500 });
  expect(running?.tasks.total).toBe(501);
  expect(running?.tasks.ended).toBeLessThan(80);
  await handle.cancel();
  await handle.done();
  const [cancelled] = (await here.client.figures.runs()).items;
  expect(cancelled?.tasks).toMatchObject({ total: 501, failed: expect.any(Number), stopped: expect.any(Number) });
  expect(cancelled?.tasks.failed).toBeGreaterThanOrEqual(6);
  expect(cancelled?.tasks.stopped).toBeGreaterThan(0);
});
