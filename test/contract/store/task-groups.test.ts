/** Task runs counted by task, over both makers. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { stateOf } from '../../../src/model/state.ts';
import type { Store } from '../../../src/store/store.ts';
import { makers, type Place } from './makers.ts';
import { newRun, startedAt, startRun, taskRun, transitionOf } from './rows.ts';

describe.each(makers)('task runs by task on $name', (maker) => {
  let here: Place;
  let store: Store;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
  });
  afterEach(() => here.remove());

  test('ten thousand items are one group, with what only a single task run has left to the single ones', async () => {
    const claim = await startRun(store);
    const child = newRun().id;
    const single = taskRun(claim.runId, 'list', { displayName: 'List “März”', childRunId: child, progress: { done: 3, total: null } });
    const rows = Array.from({ length: 10_000 }, (_, index) =>
      taskRun(claim.runId, `item[${index}]`, {
        name: 'item',
        index,
        startedAt: startedAt + index,
        ...(index % 2 === 0 ? { state: stateOf('COMPLETED'), endedAt: startedAt + 2 * index, cpuMs: 2, peakBytes: 5_000 } : { attempt: 3 }),
      }),
    );
    await Promise.all([single, ...rows].map((row) => store.recorder.addTaskRun(claim, row, transitionOf(row))));
    expect(await store.taskRuns.groupsOfRun(claim.runId)).toEqual([
      {
        name: 'list',
        total: 1,
        counts: { Running: 1 },
        startedAt: single.startedAt,
        endedAt: null,
        attempts: 1,
        cpuMs: null,
        peakBytes: null,
        single: { id: single.id, displayName: 'List “März”', childRunId: child, progress: { done: 3, total: null } },
      },
      {
        name: 'item',
        total: 10_000,
        counts: { Completed: 5_000, Running: 5_000 },
        startedAt,
        endedAt: startedAt + 19_996,
        attempts: 3,
        cpuMs: 10_000,
        peakBytes: 5_000,
        single: null,
      },
    ]);
  });

  test('the inputs of tasks are listed by the names of the tasks that gave them, however many calls there were', async () => {
    const claim = await startRun(store);
    const first = taskRun(claim.runId, 'first#1', { name: 'first' });
    const calls = Array.from({ length: 5_000 }, (_, at) =>
      taskRun(claim.runId, `double#${at}`, { name: 'double', dependsOn: at === 0 ? ['first#1'] : ['first#1', `double#${at - 1}`] }),
    );
    const sum = taskRun(claim.runId, 'sum#1', { name: 'sum', dependsOn: [...calls.map(({ key }) => key), 'gone#1'] });
    await Promise.all([first, ...calls, sum].map((row) => store.recorder.addTaskRun(claim, row, transitionOf(row))));
    expect(await store.taskRuns.givenByName(claim.runId)).toEqual([
      { from: 'first', to: 'double' },
      { from: 'double', to: 'sum' },
    ]);
  });
});
