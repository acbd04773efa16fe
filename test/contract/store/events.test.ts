/** Live events, over both makers. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Store } from '../../../src/store/store.ts';
import { makers } from './makers.ts';
import type { Place } from './makers.ts';
import { endRun, logLine, startedAt, startRun, taskRun, transitionOf } from './rows.ts';

describe.each(makers)('events on $name', (maker) => {
  let here: Place;
  let store: Store;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
  });
  afterEach(() => here.remove());

  test('of runs are read in the order of their numbers, and go on from one', async () => {
    expect(await store.events.place()).toBe(0);
    const runs = [await startRun(store), await startRun(store), await startRun(store)];
    const all = await store.events.runs(0, 100);
    expect(all.rows.map(({ id }) => id)).toEqual(runs.map(({ runId }) => runId));
    expect(all.rows[0]).toMatchObject({ flow: 'flight-delays', name: 'quick-otter', deployment: null, attempt: 1, at: startedAt });
    const [first] = all.rows;
    expect((await store.events.runs(first?.seq ?? 0, 1)).rows.map(({ id }) => id)).toEqual([runs[1]?.runId]);
    expect(await store.events.place()).toBe(all.rows.at(-1)?.seq);
    expect((await store.events.runs(all.rows.at(-1)?.seq ?? 0, 100)).rows).toEqual([]);
  });

  test('tell of every change of a run, whoever wrote it, and leave out those of task runs', async () => {
    const held = await startRun(store);
    const task = taskRun(held.runId, 'load');
    await store.recorder.addTaskRun(held, task, transitionOf(task));
    await endRun(store, held);
    expect((await store.events.runs(0, 100)).rows.map(({ state }) => state.name)).toEqual(['Running', 'Completed']);
    const tasks = await store.events.tasks(held.runId, 0, 100);
    expect(tasks.rows).toMatchObject([{ id: task.id, runId: held.runId, name: 'load', index: null, state: { type: 'RUNNING' } }]);
    expect((await store.events.placesOf(held.runId)).task).toBeGreaterThanOrEqual(tasks.rows[0]?.seq ?? Number.NaN);
  });

  test('of logs go on after a line', async () => {
    const { runId } = await startRun(store);
    for (const message of ['one', 'two', 'three']) await store.recorder.addLog(logLine(runId, message));
    const [first] = (await store.events.logs(runId, 0, 1)).rows;
    expect(first?.message).toBe('one');
    expect((await store.events.logs(runId, first?.seq ?? 0, 10)).rows.map(({ message }) => message)).toEqual(['two', 'three']);
  });

  test('of runs that were deleted are left out, and old ones are forgotten in time', async () => {
    const [gone, stays] = [await startRun(store), await startRun(store)];
    await store.runs.delete(gone.runId, { force: true });
    expect((await store.events.runs(0, 100)).rows.map(({ id }) => id)).toEqual([stays.runId]);
    await store.prune(0);
    expect((await store.events.runs(0, 100)).rows.map(({ id }) => id)).toEqual([stays.runId]);
  });
});
