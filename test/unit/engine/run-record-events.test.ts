/** What the writer of states reports to the bus of its process. */
import { setImmediate as turn } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import type { ResourceUse } from '../../../src/model/resource-use.ts';
import { stateOf } from '../../../src/model/state.ts';
import type { LifecycleEvent } from '../../../src/observe/lifecycle.ts';
import type { Occurrence } from '../../../src/observe/occurrence.ts';
import { notedRecord, type NotedRecord, rowIn } from '../../support/noted-record.ts';

let here: NotedRecord;
beforeEach(() => {
  here = notedRecord();
});

describe('what listeners of the bus receive', () => {
  const heard = (): LifecycleEvent[] => {
    const events: LifecycleEvent[] = [];
    here.lifecycle.listen((event) => events.push(event));
    return events;
  };

  test('of a run is its state, with the time of its execution without waits', () => {
    const events = heard();
    const record = here.recordOf({ executedMs: 200, resumedAt: 900, dueAt: null });
    const state = stateOf('FAILED');
    const flushed = record.setRun(state, { endedAt: 1_000 });
    expect(events).toEqual([
      {
        ...{ step: 'ended', at: 1_000, runId: 'run', taskRunId: null, flow: 'made', task: null, state, attempt: 2 },
        ...{ startedAt: 500, dueAt: null, executingMs: 300, flushed, holder: record, taskRun: null },
      },
    ]);
    void here.recordOf({ state: stateOf('PENDING'), startedAt: null }).setRun(stateOf('SCHEDULED'));
    expect(events.at(-1)).toMatchObject({ step: 'waiting', executingMs: null });
  });

  test('of a task run is its own, with the time since it began', () => {
    const events = heard();
    const row = rowIn('RUNNING', 'Running', { startedAt: 400, attempt: 3, dueAt: 6 });
    void here.recordOf().setTask(null, row);
    expect(events).toMatchObject([
      { step: 'started', taskRunId: 'task', task: 'work', attempt: 3, startedAt: 400, dueAt: 6, executingMs: 600, taskRun: row },
    ]);
    void here.recordOf().setTask(null, { ...row, startedAt: 5_000 });
    void here.recordOf().setTask(null, { ...row, startedAt: null });
    expect(events.map(({ executingMs }) => executingMs)).toEqual([600, 0, null]);
  });

  test('of a run or task run of another process is that it continues here; nothing where nobody listens', async () => {
    here.recordOf().reportRecovered();
    const events = heard();
    const row = rowIn('RUNNING');
    here.recordOf().reportRecovered();
    here.recordOf().reportRecovered(row);
    expect(events.map(({ step, taskRun: of }) => [step, of])).toEqual([
      ['recovered', null],
      ['recovered', row],
    ]);
    await Promise.all(events.map(({ flushed }) => flushed));
  });

  const use = (taskRunId: string | null, closedAt: number | null): ResourceUse => ({
    ...{ id: 'use', runId: 'run', taskRunId, resource: 'pool', scope: 'task', error: null },
    ...{ beganAt: 1, openedAt: 1, closingAt: 1, closedAt },
  });

  test('of a resource is its end, once recorded, with the attempt of its task', async () => {
    const record = here.recordOf();
    void record.setTask(null, rowIn('RUNNING', 'Running', { attempt: 5 }));
    record.noteResourceUse(use('task', 9));
    const observed: Occurrence[] = [];
    here.lifecycle.observe((occurrence) => observed.push(occurrence));
    for (const one of [use('task', null), use('task', 9), use('ended', 9), use(null, 9)]) record.noteResourceUse(one);
    expect([observed, here.written.filter(({ use: kept }) => kept).length]).toEqual([[], 5]);
    await turn();
    expect(observed.map((one) => one.kind === 'resource' && [one.use.taskRunId, one.attempt])).toEqual([
      ['task', 5],
      ['ended', 1],
      [null, null],
    ]);
  });

  test('is nothing of what was refused, or could not be written', async () => {
    const observed: Occurrence[] = [];
    here.lifecycle.observe((occurrence) => observed.push(occurrence));
    const lost = here.recordOf();
    lost.noteResourceUse(use(null, 9));
    lost.lose();
    expect(lost.isLost).toBe(true);
    here.flush = () => Promise.reject(new Error('The store is away.'));
    here.recordOf().noteResourceUse(use(null, 9));
    await turn();
    expect(observed).toEqual([]);
  });
});
