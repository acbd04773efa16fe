/** Figures over many runs, counted from the runs and from sums, over both makers. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { stateOf } from '../../../src/model/state.ts';
import type { StateType } from '../../../src/model/state.ts';
import { percentilesOf } from '../../../src/model/duration-ranges.ts';
import type { EndedRuns, NewRun, Store } from '../../../src/store/store.ts';
import { makers } from './makers.ts';
import type { Place } from './makers.ts';
import { endRun, newRun, startRun, taskRun } from './rows.ts';

const hour = 3_600_000;
const day = 24 * hour;

describe.each(makers)('figures on $name', (maker) => {
  let here: Place;
  let store: Store;
  /** The hour that is under way. */
  const thisHour = Math.floor(Date.now() / hour) * hour;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
  });
  afterEach(() => here.remove());

  /** A run of the past that has ended. */
  async function ended(changes: Partial<NewRun>, type: 'COMPLETED' | 'FAILED' = 'COMPLETED', ms = 1_000): Promise<string> {
    const createdAt = changes.createdAt ?? thisHour;
    const claim = await startRun(store, { ...changes, createdAt });
    await store.recorder.addRunPatch(claim, { startedAt: createdAt }, null);
    await endRun(store, claim, type, createdAt + ms);
    return claim.runId;
  }

  function counts(rows: readonly EndedRuns[]): Record<string, number> {
    const sums: Record<string, number> = {};
    for (const { name, type, runs } of rows) sums[`${name} ${type}`.trim()] = (sums[`${name} ${type}`.trim()] ?? 0) + runs;
    return sums;
  }

  async function rollAll(): Promise<void> {
    for (let more = true; more; ) ({ more } = await store.figures.rollUp());
  }

  test('runs of a flow that failed alike are counted, with the first of them', async () => {
    const failure = (key: string) => ({
      origin: { key, task: 'a', attempt: 1, attempts: 1, frame: null },
      ...{ name: 'Error', message: 'm', code: null, stack: null, details: null, cause: null },
    });
    const fail = async (flow: string, key: string, endedAt: number): Promise<void> => {
      const claim = await startRun(store, { flow, createdAt: endedAt - 1_000 });
      const state = stateOf('FAILED');
      await store.recorder.addRunPatch(claim, { state, error: failure(key), startedAt: endedAt - 1_000, endedAt }, null);
    };
    const [one, two] = ['0123456789abcdef', 'fedcba9876543210'];
    for (const minutes of [3, 1, 2]) await fail('a', one, thisHour + minutes * 60_000);
    await fail('a', two, thisHour);
    await fail('b', one, thisHour);
    expect(await store.figures.alike([{ flow: 'a', key: one }])).toEqual([{ flow: 'a', key: one, runs: 3, sinceAt: thisHour + 60_000 }]);
    expect(await store.figures.alike([{ flow: 'b', key: two }])).toEqual([]);
    expect(
      await store.figures.alike([
        { flow: 'a', key: two },
        { flow: 'a', key: two },
        { flow: 'b', key: one },
      ]),
    ).toHaveLength(2);
  });

  test('ended runs are the same before and after they are summed up, by the hour and by the day', async () => {
    for (let hours = 1; hours <= 60; hours += 1) {
      const createdAt = thisHour - hours * hour + 5;
      await ended({ flow: 'a', deployment: 'nightly', createdAt }, hours % 5 === 0 ? 'FAILED' : 'COMPLETED', 1_000 * hours);
      if (hours % 3 === 0) await ended({ flow: 'b', createdAt }, 'COMPLETED', 10);
    }
    await store.runs.insert(newRun({ flow: 'a', createdAt: thisHour - 10 * hour, state: stateOf('SCHEDULED') }));
    const wishes = [
      { kind: 'all', fromAt: 0, untilAt: Date.now(), by: 'hour' },
      { kind: 'flow', fromAt: 0, untilAt: Date.now(), by: 'day' },
      { kind: 'flow', name: 'b', fromAt: thisHour - 30.5 * hour, untilAt: thisHour - 2.5 * hour, by: 'day' },
      { kind: 'deployment', name: 'nightly', fromAt: thisHour - 50 * hour, untilAt: Date.now(), by: 'hour' },
      { kind: 'deployment', fromAt: thisHour - 50 * hour, untilAt: Date.now(), by: 'day' },
      { kind: 'flow', fromAt: thisHour - 55.5 * hour, untilAt: Date.now(), by: 'all' },
      { kind: 'flow', fromAt: 0, untilAt: Date.now(), by: 'all', countsOnly: true },
      {
        kind: 'all',
        fromAt: thisHour - 55 * hour,
        untilAt: Date.now(),
        by: { startAt: thisHour - 60 * hour, widthMs: 7 * hour },
        countsOnly: true,
      },
    ] as const;
    const order = (rows: readonly EndedRuns[]) =>
      rows
        .map(({ name, at, type, runs, timed, totalMs, durations }) => ({
          name,
          at,
          type,
          runs,
          timed,
          totalMs,
          durations: new Map([...durations].sort()),
        }))
        .sort((left, right) => left.at - right.at || (`${left.name}${left.type}` < `${right.name}${right.type}` ? -1 : 1));
    const before = await Promise.all(wishes.map(async (wish) => order(await store.figures.ended(wish))));
    expect(counts(before[1] ?? [])).toEqual({ 'a COMPLETED': 48, 'a FAILED': 12, 'b COMPLETED': 20 });
    await rollAll();
    const after = await Promise.all(wishes.map(async (wish) => order(await store.figures.ended(wish))));
    expect(after).toEqual(before);
  });

  test('a run that ends after its hour was summed up is counted at once, and once', async () => {
    const createdAt = thisHour - 5 * hour;
    await ended({ flow: 'a', createdAt });
    const late = await startRun(store, { flow: 'a', createdAt: createdAt + 1 });
    await rollAll();
    const all = { kind: 'flow', fromAt: 0, untilAt: Date.now() + 1, by: 'hour' } as const;
    expect(counts(await store.figures.ended(all))).toEqual({ 'a COMPLETED': 1 });
    await endRun(store, late, 'FAILED', Date.now());
    expect(counts(await store.figures.ended(all))).toEqual({ 'a COMPLETED': 1, 'a FAILED': 1 });
    await rollAll();
    expect(counts(await store.figures.ended(all))).toEqual({ 'a COMPLETED': 1, 'a FAILED': 1 });
  });

  test('a run that is deleted or opened by hand is not counted any more, one that retention deletes is', async () => {
    const createdAt = thisHour - 30 * hour;
    const [deleted, opened] = [await ended({ flow: 'a', createdAt }), await ended({ flow: 'a', createdAt }, 'FAILED')];
    await ended({ flow: 'a', createdAt });
    await rollAll();
    const all = { kind: 'flow', fromAt: 0, untilAt: Date.now(), by: 'day' } as const;
    expect(counts(await store.figures.ended(all))).toEqual({ 'a COMPLETED': 2, 'a FAILED': 1 });
    await store.runs.delete(deleted);
    expect(await store.runs.reopen(opened, Date.now())).not.toBeNull();
    expect(counts(await store.figures.ended(all))).toEqual({ 'a COMPLETED': 1 });
    await rollAll();
    expect(counts(await store.figures.ended(all))).toEqual({ 'a COMPLETED': 1 });
    await store.prune(Date.now());
    expect((await store.runs.list({ states: ['COMPLETED'] })).items).toEqual([]);
    expect(counts(await store.figures.ended(all))).toEqual({ 'a COMPLETED': 1 });
  });

  test('several processes that sum up at the same time count nothing twice', async () => {
    const other = await here.open();
    for (let hours = 1; hours <= 40; hours += 1) await ended({ flow: 'a', createdAt: thisHour - hours * hour });
    await Promise.all(
      [store, other, store, other].map(async ({ figures }) => {
        for (let more = true; more; ) ({ more } = await figures.rollUp({ maxHours: 5 }));
      }),
    );
    expect(counts(await store.figures.ended({ kind: 'all', fromAt: 0, untilAt: Date.now(), by: 'day' }))).toEqual({ COMPLETED: 40 });
  });

  test('a histogram counts every state, of what filters ask for, with and without sums', async () => {
    for (let hours = 1; hours <= 48; hours += 1)
      await ended(
        { flow: 'a', tags: ['even'].slice(hours % 2), createdAt: thisHour - hours * hour },
        hours % 8 === 0 ? 'FAILED' : 'COMPLETED',
      );
    await store.runs.insert(newRun({ flow: 'b', createdAt: thisHour - hour / 2, state: stateOf('SCHEDULED', 'Late') }));
    const wish = { fromAt: thisHour - 48 * hour, untilAt: thisHour, buckets: 8 };
    const total = async (filter: object, types: readonly StateType[]): Promise<number[]> => {
      const buckets = await store.figures.histogram(filter, wish);
      return buckets.map(({ counts: found }) => types.reduce((sum, type) => sum + (found[type] ?? 0), 0));
    };
    for (const summed of [false, true]) {
      if (summed) await rollAll();
      expect(await total({}, ['COMPLETED', 'FAILED'])).toEqual([6, 6, 6, 6, 6, 6, 6, 6]);
      expect(await total({ states: ['failed'] }, ['FAILED', 'COMPLETED'])).toEqual([1, 1, 1, 0, 1, 1, 1, 0]);
      expect(await total({ tag: 'even' }, ['COMPLETED', 'FAILED'])).toEqual([3, 3, 3, 3, 3, 3, 3, 3]);
      expect(await total({ states: ['late'] }, ['SCHEDULED'])).toEqual([0, 0, 0, 0, 0, 0, 0, 1]);
      expect(await total({ flow: 'a', since: thisHour - 12 * hour }, ['COMPLETED', 'FAILED'])).toEqual([0, 0, 0, 0, 0, 0, 6, 6]);
    }
    const days = await store.figures.histogram({}, { ...wish, buckets: 2 });
    expect(days.every(({ startAt }) => startAt % day === 0)).toBe(true);
    expect(days.reduce((sum, { counts: found }) => sum + (found.COMPLETED ?? 0) + (found.FAILED ?? 0), 0)).toBe(48);
    const buckets = await store.figures.histogram({}, { ...wish, buckets: 500 });
    expect(buckets).toHaveLength(500);
    expect(buckets.reduce((sum, { counts: found }) => sum + (found.COMPLETED ?? 0), 0)).toBe(42);
    await expect(store.figures.histogram({}, { ...wish, buckets: 501 })).rejects.toMatchObject({ code: 'FILTER_INVALID' });
    await expect(store.figures.histogram({}, { ...wish, fromAt: wish.untilAt })).rejects.toMatchObject({ code: 'FILTER_INVALID' });
  });

  test('what is open, late, waiting and running is counted by the state it has now', async () => {
    const now = Date.now();
    await startRun(store, { flow: 'a' });
    await store.runs.insert(newRun({ state: stateOf('SCHEDULED'), dueAt: null, queue: 'etl', createdAt: now - 5_000 }));
    await store.runs.insert(
      newRun({
        state: stateOf('SCHEDULED', 'Late'),
        dueAt: now - 90_000,
        queue: 'etl',
        flow: 'b',
        deployment: 'd',
        createdAt: now - 90_000,
      }),
    );
    await store.runs.insert(newRun({ state: stateOf('SCHEDULED'), dueAt: now + day, queue: 'etl', createdAt: now }));
    const open = await store.figures.open();
    expect(Object.fromEntries(open.map(({ name, count }) => [name, count]))).toEqual({ Running: 1, Scheduled: 2, Late: 1 });
    expect(await store.figures.late()).toEqual([
      { deployment: 'd', flow: 'b', count: 1, runId: expect.any(String), sinceAt: now - 90_000 },
    ]);
    const queues = await store.figures.queues();
    expect(queues.find(({ name }) => name === 'etl')).toEqual({
      name: 'etl',
      waiting: 2,
      delayed: 1,
      running: 0,
      oldestAt: now - 90_000,
      inLastMinute: 2,
      outLastMinute: 0,
    });
    expect(queues.find(({ name }) => name === 'default')).toMatchObject({ running: 1, waiting: 0 });
  });

  test('task runs are counted for a page of runs, and timed over the newest runs of a flow', async () => {
    const claim = await startRun(store, { flow: 'a', createdAt: thisHour });
    for (let index = 0; index < 20; index += 1) {
      const state = stateOf(index === 0 ? 'FAILED' : 'COMPLETED');
      const row = taskRun(claim.runId, `load[${index}]`, { state, startedAt: thisHour, endedAt: thisHour + 1_000 + index });
      void store.recorder.addTaskRun(claim, row, null);
    }
    const told = [{ done: 3, total: 4 }, { done: 9, total: 4 }, { done: 7, total: null }, { done: 0, total: 0 }, null];
    for (const [index, progress] of told.entries())
      void store.recorder.addTaskRun(claim, taskRun(claim.runId, `join[${index}]`, { state: stateOf('RUNNING'), progress }), null);
    await endRun(store, claim, 'FAILED', thisHour + 2_000);
    const other = newRun().id;
    const counted = await store.figures.taskCounts([claim.runId, other]);
    expect(counted.get(claim.runId)).toEqual({ total: 25, ended: 20, failed: 1, stopped: 0, underWay: 1.75 });
    expect(counted.has(other)).toBe(false);
    const [task, ...others] = await store.figures.tasks('a', thisHour);
    expect(others).toEqual([]);
    expect(task).toMatchObject({ name: 'load', runs: 20, failures: 1, timed: 20, totalMs: 20_190 });
    const [median] = percentilesOf(task?.durations ?? new Map(), [0.5]);
    expect(Math.abs((median ?? 0) - 1_009)).toBeLessThan(30);
    expect(await store.figures.tasks('a', Date.now() + day)).toEqual([]);
    expect(await store.figures.taskWorkers('a', thisHour)).toEqual([{ name: 'load', owner: null, runs: 20, failures: 1, totalMs: 20_190 }]);
  });

  test('task runs of a flow are counted by the process that ended them', async () => {
    const claim = await startRun(store, { flow: 'steps', createdAt: thisHour });
    const add = (key: string, owners: readonly string[], type: 'COMPLETED' | 'FAILED', ms: number): void => {
      const [name = ''] = key.split('#');
      const row = taskRun(claim.runId, key, { name, startedAt: thisHour, endedAt: thisHour + ms, state: stateOf(type) });
      const change = { runId: claim.runId, taskRunId: row.id, at: thisHour, name: row.state.name, message: null };
      for (const [at, owner] of owners.entries())
        void store.recorder.addTaskRun(claim, row, { ...change, type: at === owners.length - 1 ? type : 'FAILED', attempt: at + 1, owner });
    };
    add('load#1', ['a@m:1:1'], 'COMPLETED', 10);
    add('load#2', ['a@m:1:1'], 'COMPLETED', 30);
    // Failed in one process, made good in another.
    add('load#3', ['a@m:1:1', 'b@m:2:1'], 'COMPLETED', 50);
    add('join#1', ['b@m:2:1'], 'FAILED', 70);
    await endRun(store, claim, 'FAILED', thisHour + 2_000);
    const rows = [...(await store.figures.taskWorkers('steps', thisHour))].sort((x, y) => y.totalMs - x.totalMs);
    expect(rows).toEqual([
      { name: 'join', owner: 'b@m:2:1', runs: 1, failures: 1, totalMs: 70 },
      { name: 'load', owner: 'b@m:2:1', runs: 1, failures: 0, totalMs: 50 },
      { name: 'load', owner: 'a@m:1:1', runs: 2, failures: 0, totalMs: 40 },
    ]);
    expect(await store.figures.taskWorkers('none', thisHour)).toEqual([]);
  });

  test('the last runs of a name come newest first, and facets name what runs have', async () => {
    for (let index = 0; index < 4; index += 1)
      await ended(
        { flow: 'a', deployment: 'nightly', tags: ['red', `n${index}`], createdAt: thisHour - index * hour },
        index < 2 ? 'FAILED' : 'COMPLETED',
      );
    await ended({ flow: 'b', createdAt: thisHour - 9 * hour });
    const [nightly, b, none] = await store.figures.last(
      [
        { kind: 'deployment', name: 'nightly' },
        { kind: 'flow', name: 'b' },
        { kind: 'flow', name: 'none' },
      ],
      3,
    );
    expect(nightly?.runs.map(({ type }) => type)).toEqual(['FAILED', 'FAILED', 'COMPLETED']);
    expect(nightly).toMatchObject({ flow: 'a', deployment: 'nightly' });
    expect(b).toMatchObject({ kind: 'flow', flow: 'b', deployment: null });
    expect(none).toBeUndefined();
    expect(await store.figures.facets(200)).toEqual({ flows: ['a', 'b'], deployments: ['nightly'], tags: ['n0', 'n1', 'n2', 'n3', 'red'] });
    expect((await store.figures.facets(2)).tags).toEqual(['n0', 'n1']);
    await store.prune(Date.now());
    expect((await store.figures.facets(200)).tags).toEqual([]);
  });
});
