/** What the dashboard asks about many runs at once, and what it tells people to look at. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import type { Clock } from '../../../src/base/clock.ts';
import { makeId } from '../../../src/base/id.ts';
import { percentilesOf } from '../../../src/model/duration-ranges.ts';
import { stateOf } from '../../../src/model/state.ts';
import { openStore } from '../../../src/store/open.ts';
import type { NewRun } from '../../../src/store/store.ts';
import { endRun, newRun, startRun, taskRun } from '../../contract/store/rows.ts';
import { deploy } from '../../contract/store/ticking.ts';
import { type OpenEngine, openEngine } from '../../support/open-engine.ts';

const minute = 60_000;
const now = Date.UTC(2026, 4, 12, 10, 30);
let at = now;
const clock: Clock = { ...systemClock, now: () => at };

let here: OpenEngine;
beforeEach(async () => {
  here = await openEngine({ store: await openStore({ url: 'sqlite::memory:', clock }), clock });
});
afterEach(() => here.client.close());

async function ended(changes: Partial<NewRun>, type: 'COMPLETED' | 'FAILED', ms = 1_000): Promise<string> {
  const createdAt = changes.createdAt ?? now;
  const claim = await startRun(here.store, { ...changes, createdAt });
  await here.store.recorder.addRunPatch(claim, { startedAt: createdAt }, null);
  await endRun(here.store, claim, type, createdAt + ms);
  return claim.runId;
}

function worker(name: string, queues: readonly string[]): Parameters<OpenEngine['store']['workers']['beat']>[0] {
  return {
    id: makeId(),
    name,
    version: '1',
    host: 'here',
    pid: 1,
    queues,
    concurrency: 4,
    flows: {},
    startedAt: now,
    running: 2,
    lagMs: 1,
  };
}

test('an empty store has figures of nothing', async () => {
  const { figures } = here.client;
  const overview = await figures.overview();
  expect(overview).toMatchObject({
    runs: 0,
    completed: 0,
    failed: 0,
    late: 0,
    running: 0,
    waiting: 0,
    next: null,
    attention: [],
    runningNow: [],
    queues: [],
  });
  expect(overview.histogram).toHaveLength(60);
  expect(await figures.flows()).toEqual([]);
  expect(await figures.days({})).toEqual([]);
  expect(await figures.facets()).toEqual({ flows: [], deployments: [], tags: [] });
  expect(await figures.runs()).toEqual({ items: [], next: null });
  await expect(figures.flow('none')).rejects.toMatchObject({ code: 'FLOW_NOT_FOUND' });
});

test('the overview counts runs of the time asked for, and what goes on now', async () => {
  await ended({ createdAt: now - 30 * 60 * minute }, 'FAILED');
  for (let index = 0; index < 3; index += 1) await ended({ createdAt: now - index * minute }, 'COMPLETED');
  await ended({ createdAt: now - 10 * minute }, 'FAILED');
  const claim = await startRun(here.store, { createdAt: now - minute });
  for (const key of ['a', 'b', 'c']) {
    void here.store.recorder.addTaskRun(claim, taskRun(claim.runId, key, { state: stateOf(key === 'c' ? 'RUNNING' : 'COMPLETED') }), null);
  }
  await here.store.runs.insert(newRun({ state: stateOf('SCHEDULED'), createdAt: now }));
  await here.store.recorder.flush();
  const overview = await here.client.figures.overview();
  expect(overview).toMatchObject({
    runs: 6,
    completed: 3,
    failed: 1,
    running: 1,
    waiting: 1,
    untilAt: now,
    sinceAt: now - 24 * 60 * minute,
  });
  expect(overview.runningNow).toHaveLength(1);
  expect(overview.runningNow[0]).toMatchObject({ id: claim.runId, tasks: { total: 3, ended: 2, failed: 0 } });
  expect(overview.runningNow[0]).not.toHaveProperty('params');
  expect((await here.client.figures.overview({ sinceAt: now - 31 * 60 * minute })).failed).toBe(2);
});

test('what a person should look at: queues without workers, what keeps failing, what is late, workers that are gone', async () => {
  await here.store.runs.insert(newRun({ state: stateOf('SCHEDULED'), queue: 'gpu', dueAt: now - 5 * minute, createdAt: now - 5 * minute }));
  await here.store.runs.insert(newRun({ state: stateOf('SCHEDULED'), queue: 'new', createdAt: now - 1_000 }));
  for (let index = 0; index < 4; index += 1)
    await ended({ flow: 'sync', deployment: 'sync-eu', createdAt: now - (10 - index) * minute }, index === 0 ? 'COMPLETED' : 'FAILED');
  await ended({ flow: 'alone', createdAt: now - 3 * minute }, 'FAILED');
  await ended({ flow: 'mended', createdAt: now - 3 * minute }, 'FAILED');
  await ended({ flow: 'mended', createdAt: now - 2 * minute }, 'COMPLETED');
  const lateRun = newRun({
    flow: 'slow',
    state: stateOf('SCHEDULED', 'Late'),
    dueAt: now - 2 * minute,
    createdAt: now - 3 * minute,
  });
  await here.store.runs.insert(lateRun);
  at = now - 60 * minute;
  await here.store.workers.beat(worker('gone-heron', ['gpu']));
  at = now;
  await here.store.workers.beat(worker('calm-otter', ['default']));
  const { attention, late } = await here.client.figures.overview();
  expect(late).toBe(1);
  expect(attention.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
    'no-worker gpu',
    'failing sync-eu',
    'failing alone',
    'late slow',
    'lost gone-heron',
  ]);
  expect(attention.map(({ message }) => message)).toEqual([
    '1 run waits in queue gpu, which no worker serves.',
    'Its last 3 runs failed.',
    'Its last run failed.',
    'One run is late, the longest by 2 m 00 s. The worker of its queue default does not know the flow slow.',
    'Worker gone-heron on here has been silent for 1 h 00 m; it had 2 runs.',
  ]);
  expect(attention[3]).toMatchObject({ runId: lateRun.id, sinceAt: now - 2 * minute, flow: 'slow' });
});

test('ticks that no scheduler has taken for a minute are what a person should look at first; a pause is not', async () => {
  await deploy(here.store, 'soon', now - 30_000);
  await deploy(here.store, 'rests', now - 9 * minute, { pausedAt: now - 9 * minute });
  expect((await here.client.figures.overview()).attention).toEqual([]);
  await deploy(here.store, 'nightly', now - 8 * minute);
  await deploy(here.store, 'hourly', now - 2 * minute);
  await ended({ flow: 'alone' }, 'FAILED');
  expect((await here.client.figures.overview()).attention).toMatchObject([
    {
      kind: 'no-scheduler',
      name: 'nightly',
      message: '2 schedules are due and no scheduler takes the ticks. Start one: npx batuta scheduler',
      sinceAt: now - 8 * minute,
      runId: null,
    },
    { kind: 'failing' },
  ]);
});

test('queues are told with the workers that serve them, also those that are empty', async () => {
  await here.store.workers.beat(worker('calm-otter', ['default', 'etl']));
  await here.store.workers.beat(worker('keen-lynx', ['etl']));
  await here.store.runs.insert(newRun({ state: stateOf('SCHEDULED'), queue: 'gpu', createdAt: now - 90_000 }));
  const queues = await here.client.figures.queues();
  expect(queues.map(({ name, workers, waiting }) => [name, workers, waiting])).toEqual([
    ['default', 1, 0],
    ['etl', 2, 0],
    ['gpu', 0, 1],
  ]);
});

test('flows have their failures and durations, with their tasks the slowest first', async () => {
  for (let index = 1; index <= 20; index += 1) {
    const createdAt = now - index * 60 * minute;
    const claim = await startRun(here.store, { flow: 'etl', createdAt });
    for (const [key, ms] of [
      ['load', 100],
      ['join', 5_000],
    ] as const) {
      const row = taskRun(claim.runId, key, { state: stateOf('COMPLETED'), startedAt: createdAt, endedAt: createdAt + ms });
      void here.store.recorder.addTaskRun(claim, row, null);
    }
    await here.store.recorder.addRunPatch(claim, { startedAt: createdAt }, null);
    await endRun(here.store, claim, index <= 5 ? 'FAILED' : 'COMPLETED', createdAt + index * 1_000);
  }
  await ended({ flow: 'other', createdAt: now }, 'COMPLETED');
  for (const summed of [false, true]) {
    if (summed) for (let more = true; more; ) ({ more } = await here.store.figures.rollUp());
    const [etl, other] = await here.client.figures.flows();
    expect(etl).toMatchObject({ name: 'etl', runs: 20, failures: 5, meanMs: 10_500 });
    expect(other).toMatchObject({ name: 'other', runs: 1, failures: 0 });
    expect(Math.abs((etl?.p50Ms ?? 0) / 10_000 - 1)).toBeLessThan(0.026);
    expect(Math.abs((etl?.p95Ms ?? 0) / 19_000 - 1)).toBeLessThan(0.026);
    const flow = await here.client.figures.flow('etl', { sinceAt: now - 10.5 * 60 * minute });
    expect(flow).toMatchObject({ runs: 10, failures: 5 });
    expect(flow.tasks.map(({ name, runs }) => [name, runs])).toEqual([
      ['join', 10],
      ['load', 10],
    ]);
    const days = await here.client.figures.days({ flow: 'etl' });
    expect(days.map(({ completed, failed }) => [completed, failed])).toEqual([
      [10, 0],
      [5, 5],
    ]);
    expect(days.every(({ startAt }) => startAt % (24 * 60 * minute) === 0)).toBe(true);
  }
});

test('of a flow that ran once all durations are that of its run', async () => {
  const claim = await startRun(here.store, { flow: 'once', createdAt: now - minute });
  await here.store.recorder.addRunPatch(claim, { startedAt: now - minute }, null);
  await endRun(here.store, claim, 'COMPLETED', now - minute + 6_217);
  expect(await here.client.figures.flows()).toMatchObject([{ name: 'once', runs: 1, meanMs: 6_217, p50Ms: 6_217, p95Ms: 6_217 }]);
});

test('percentiles of ranges are close to those of the durations themselves', () => {
  expect(percentilesOf(new Map(), [0.5, 0.95])).toEqual([null, null]);
  expect(percentilesOf(new Map([[0, 3]]), [0.5])).toEqual([1]);
});
