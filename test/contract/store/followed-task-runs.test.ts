/** Following the task runs of a run, over both makers. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { stateOf } from '../../../src/model/state.ts';
import type { TaskRun } from '../../../src/model/run.ts';
import type { Store } from '../../../src/store/store.ts';
import { makers } from './makers.ts';
import type { Place } from './makers.ts';
import { newRun, startRun, taskRun, transitionOf } from './rows.ts';

describe.each(makers)('following task runs on $name', (maker) => {
  let here: Place;
  let store: Store;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
  });
  afterEach(() => here.remove());

  const write = async (rows: readonly TaskRun[]): Promise<void> => {
    for (const row of rows) void store.recorder.addTaskRun({ runId: row.runId, epoch: 1 }, row, transitionOf(row));
    await store.recorder.flush();
  };

  test('tells all of them at every change, as reading all would, and nothing when nothing has changed', async () => {
    const { runId: id } = await startRun(store);
    const { runId: other } = await startRun(store, newRun());
    const followed = store.taskRuns.follow(id);
    expect(await followed.read()).toEqual([]);
    const rows = Array.from({ length: 2_500 }, (_, index) => taskRun(id, `load[${index}]`, { index }));
    for (let at = 0; at < rows.length; at += 500) {
      await write(rows.slice(at, at + 500));
      await write([taskRun(other, `other[${at}]`)]);
      expect(await followed.read()).toEqual(await store.taskRuns.ofRun(id));
      expect(await followed.read()).toBeNull();
    }
    const done = rows.map((row): TaskRun => ({ ...row, state: stateOf('COMPLETED'), endedAt: 1, result: '{"json":1}' }));
    await write(done.slice(0, 2_200));
    expect(await followed.read()).toEqual(await store.taskRuns.ofRun(id));
    const [first, last] = [done[0] as TaskRun, done.at(-1) as TaskRun];
    await write([last, { ...first, state: stateOf('RUNNING', 'Retrying'), attempt: 2 }]);
    const seen = await followed.read();
    expect(seen).toEqual(await store.taskRuns.ofRun(id));
    expect(seen?.[0]?.attempt).toBe(2);
  });

  test('tells progress, of which there is nothing in the history', async () => {
    const { runId: id } = await startRun(store);
    const row = taskRun(id, 'load');
    await write([row]);
    const followed = store.taskRuns.follow(id);
    await followed.read();
    void store.recorder.addTaskRun({ runId: id, epoch: 1 }, { ...row, progress: { done: 3, total: 9 } }, null);
    await store.recorder.flush();
    expect(await followed.read()).toMatchObject([{ progress: { done: 3, total: 9 } }]);
  });
});
