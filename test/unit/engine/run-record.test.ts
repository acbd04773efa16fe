/** The one writer of states: what it refuses, what it queues, and what it shows. */
import { setImmediate as turn } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Artifact, Run, RunPatch, TaskRun } from '../../../src/model/run.ts';
import { type StateName, stateOf, type StateType } from '../../../src/model/state.ts';
import { taskRun } from '../../contract/store/rows.ts';
import { broken, claim, definition, notedRecord, type NotedRecord, rowIn } from '../../support/noted-record.ts';

let here: NotedRecord;
beforeEach(() => {
  here = notedRecord();
});

describe('a state of a run', () => {
  test('is written with its transition, and shown to whoever listens', () => {
    const record = here.recordOf();
    const state = stateOf('FAILED', 'Failed', 'it broke');
    void record.setRun(state, { endedAt: 1_000, error: broken });
    const patch = { state, endedAt: 1_000, error: broken };
    expect(here.written).toEqual([
      { patch, transition: { runId: 'run', taskRunId: null, at: 1_000, ...state, attempt: 2, owner: 'here' } },
    ]);
    expect(here.told).toEqual([{ kind: 'run', run: record.run, definition }]);
    expect(record.run).toMatchObject(patch);
  });

  test('that cannot follow is refused, and nothing of it is written or shown', () => {
    const record = here.recordOf({ state: stateOf('COMPLETED') });
    expect(() => record.setRun(stateOf('RUNNING'))).toThrow('The run run cannot go from COMPLETED to RUNNING (Running).');
    expect(() => record.setRun(stateOf('RUNNING'), {}, true)).toThrow('cannot go from COMPLETED');
    expect(() => record.repeatRun(stateOf('CANCELLING'))).toThrow('cannot go from COMPLETED');
    expect(() => here.recordOf({ state: stateOf('FAILED') }).repeatRun(stateOf('CANCELLING'))).toThrow('cannot go from FAILED');
    expect([here.written, here.told, record.run.state.type]).toEqual([[], [], 'COMPLETED']);
  });

  test.each(['FAILED', 'CRASHED', 'CANCELLED'] as const)('follows %s where it is opened again, and only there', (type) => {
    expect(() => here.recordOf({ state: stateOf(type) }).setRun(stateOf('SCHEDULED'))).toThrow(`cannot go from ${type}`);
    void here.recordOf({ state: stateOf(type) }).setRun(stateOf('SCHEDULED'), {}, true);
    expect(here.written).toHaveLength(1);
  });

  test('that another process has recorded is repeated without its transition', () => {
    const record = here.recordOf();
    const state = stateOf('CANCELLING', 'Cancelling', 'Enough.');
    void record.repeatRun(state);
    expect(here.written).toEqual([{ patch: { state }, transition: null }]);
    expect([record.run.state, here.told.length]).toEqual([state, 1]);
  });

  test('that the store has given it is shown if it says something else, with its end if it is one, and is not written', () => {
    const record = here.recordOf({ state: stateOf('SCHEDULED', 'AwaitingSlot', 'Waits.') });
    record.noteState(stateOf('SCHEDULED', 'AwaitingSlot', 'Waits.'));
    expect(here.told).toEqual([]);
    record.noteState(stateOf('SCHEDULED', 'AwaitingSlot', 'Waits for others.'));
    record.noteState(stateOf('SCHEDULED', 'Scheduled', 'Waits for others.'));
    expect([here.told.length, record.run.endedAt]).toEqual([2, undefined]);
    record.noteState(stateOf('CANCELLED', 'Skipped', 'Waits for others.'));
    expect([here.told.length, record.run.endedAt, here.written]).toEqual([3, 1_000, []]);
  });
});

describe('the time that a run was executed', () => {
  const timesOf = ({ executedMs, resumedAt }: RunPatch) => [executedMs, resumedAt];
  /** Goes through these states, a second each; what is written of its times with each. */
  function through(run: Partial<Run>, states: readonly StateType[]): unknown[] {
    const record = here.recordOf(run);
    for (const type of states) {
      here.now += 1_000;
      void record.setRun(stateOf(type));
    }
    return here.written.map(({ patch = {} }) => timesOf(patch));
  }
  const none = [undefined, undefined];

  test('is not written before it has begun, nor at a beginning or an end', () => {
    expect(through({ state: stateOf('PENDING'), startedAt: null }, ['SCHEDULED', 'RUNNING'])).toEqual([none, none]);
    here.written = [];
    expect(through({}, ['RUNNING', 'CANCELLING', 'CANCELLED'])).toEqual([none, none, none]);
  });

  test.each(['SCHEDULED', 'PAUSED'] as const)('is added up when it becomes %s, and begins anew when it continues', (waits) => {
    expect(through({ startedAt: 1_200 }, [waits, 'RUNNING', waits, 'RUNNING'])).toEqual([
      [800, 2_000],
      [undefined, 3_000],
      [1_800, 4_000],
      [undefined, 5_000],
    ]);
  });

  test('counts a cancel as execution, and what waits already no more', () => {
    expect(through({ state: stateOf('CANCELLING'), startedAt: 1_500, executedMs: 300, resumedAt: 1_900 }, ['SCHEDULED'])).toEqual([
      [400, 2_000],
    ]);
    [here.written, here.now] = [[], 1_000];
    expect(through({ state: stateOf('PAUSED') }, ['SCHEDULED'])).toEqual([none]);
  });

  test('is never less than nothing, where the clock has gone back', () => {
    expect(through({ startedAt: 9_000, executedMs: 300 }, ['PAUSED'])).toEqual([[300, 2_000]]);
  });
});

describe('a state of a task run', () => {
  test('is written with its transition, and shown', () => {
    const record = here.recordOf();
    const row = rowIn('RUNNING', 'Running', { attempt: 4 });
    void record.setTask('SCHEDULED', row);
    void record.setTask(null, row, true, true);
    const transition = { runId: 'run', taskRunId: 'task', at: 1_000, ...row.state, attempt: 4, owner: 'here' };
    expect(here.written).toEqual([
      { row, transition, flags: [false, false] },
      { row, transition, flags: [true, true] },
    ]);
    expect(here.told).toEqual(Array.from({ length: 2 }, () => ({ kind: 'task', run: record.run, taskRun: row })));
  });

  test('that cannot follow is refused: nothing of it is written, shown or kept', () => {
    const record = here.recordOf();
    expect(() => record.setTask('COMPLETED', rowIn('RUNNING'))).toThrow('The task run work cannot go from COMPLETED to RUNNING (Running).');
    expect(() => record.setTask('FAILED', rowIn('RUNNING'))).toThrow('cannot go from FAILED');
    expect([here.written, here.told, record.taskRun('task')]).toEqual([[], [], null]);
  });

  test('that is its end carries the instant, is due no more, and takes what else is given', () => {
    const record = here.recordOf();
    void record.endTask('RUNNING', rowIn('RUNNING', 'Running', { dueAt: 7 }), stateOf('COMPLETED'), { result: '1' });
    expect(here.written[0]?.row).toEqual(rowIn('COMPLETED', 'Completed', { endedAt: 1_000, dueAt: null, result: '1' }));
  });

  test('stays as it is when its progress is written, which may wait, and fails nothing', async () => {
    here.flush = () => Promise.reject(new Error('The store is away.'));
    const record = here.recordOf();
    const row = rowIn('RUNNING');
    record.touchTask(row);
    record.tellMapped('work', 3);
    record.cancelOpen('Enough.');
    await turn();
    expect(here.written[0]).toEqual({ row, transition: null, flags: [false, true] });
    expect(here.told[0]).toEqual({ kind: 'task', run: { ...record.run, mapped: undefined }, taskRun: row });
  });

  test('that another process has recorded is shown and kept, and not written', () => {
    const record = here.recordOf();
    const row = rowIn('RUNNING');
    record.tellTask(row);
    expect([here.written, here.told.length, record.taskRun('task')]).toEqual([[], 1, row]);
    record.tellTask(rowIn('COMPLETED'));
    expect(record.taskRun('task')).toBeNull();
  });
});

describe('what is open when a run ends', () => {
  test('is ended with a reason, each once, and what has ended stays as it is', () => {
    const record = here.recordOf();
    for (const [id, type] of [
      ['a', 'RUNNING'],
      ['b', 'SCHEDULED'],
      ['c', 'COMPLETED'],
    ] as const)
      void record.setTask(null, { ...rowIn(type), id, dueAt: 5 });
    here.written = [];
    expect(record.cancelOpen('Enough.', ({ id }) => id === 'b')).toBe(1);
    expect(record.cancelOpen('The run has ended.')).toBe(1);
    expect(record.cancelOpen('Once more.')).toBe(0);
    const state = (message: string) => stateOf('CANCELLED', 'Cancelled', message);
    expect(here.written.map(({ row }) => [row?.id, row?.state, row?.dueAt, row?.endedAt])).toEqual([
      ['b', state('Enough.'), null, 1_000],
      ['a', state('The run has ended.'), null, 1_000],
    ]);
  });

  test('is known from what was recorded before', async () => {
    const record = here.recordOf();
    await record.recall([rowIn('RUNNING'), { ...rowIn('FAILED'), id: 'b', error: broken }]);
    expect([record.taskRun('task')?.id, record.taskRun('b'), [...record.failed.keys()]]).toEqual(['task', null, ['work']]);
  });
});

describe('what has failed in a run', () => {
  const failedRow = (key: string, name: StateName = 'Failed', changes: Partial<TaskRun> = {}): TaskRun =>
    taskRun('run', key, { id: key, state: stateOf('FAILED', name), error: broken, ...changes });

  test('is the first of each task that failed by itself', () => {
    const record = here.recordOf();
    for (const row of [failedRow('work[1]', 'UpstreamFailed'), failedRow('work[2]'), failedRow('work[3]', 'TimedOut'), failedRow('load')])
      void record.setTask(null, row);
    void record.setTask(null, failedRow('other', 'Failed', { error: null }));
    expect([...record.failed].map(([name, { key }]) => [name, key])).toEqual([
      ['work', 'work[2]'],
      ['load', 'load'],
    ]);
  });

  test('is forgotten once that very one is tried again, and shown as it failed last', () => {
    const record = here.recordOf();
    void record.setTask(null, failedRow('work[2]'));
    void record.setTask(null, { ...failedRow('work[3]'), state: stateOf('COMPLETED'), error: null });
    expect(record.failed.get('work')?.key).toBe('work[2]');
    void record.setTask(null, failedRow('work[2]', 'TimedOut'));
    expect(record.failed.get('work')?.state.name).toBe('TimedOut');
    void record.setTask(null, { ...failedRow('work[2]'), state: stateOf('RUNNING') });
    expect(record.failed.size).toBe(0);
  });
});

test('the number of items of a mapped task is written when it changes, beside those of others, and shown each time', () => {
  const record = here.recordOf();
  for (const [task, items] of [
    ['a', 2],
    ['b', 3],
    ['a', 2],
    ['a', 4],
  ] as const)
    record.tellMapped(task, items);
  expect(here.written).toEqual([{ a: 2 }, { a: 2, b: 3 }, { a: 4, b: 3 }].map((mapped) => ({ patch: { mapped }, transition: null })));
  expect(here.told.map((event) => event.kind === 'mapped' && [event.task, event.items])).toEqual([
    ['a', 2],
    ['b', 3],
    ['a', 2],
    ['a', 4],
  ]);
});

test('no two artifacts are of the same time, nor is a later one of an earlier', () => {
  const record = here.recordOf();
  const times = [record.artifactTime(), record.artifactTime(), record.artifactTime()];
  here.now = 900;
  times.push(record.artifactTime());
  here.now = 5_000;
  expect([...times, record.artifactTime()]).toEqual([1_000, 1_001, 1_002, 1_003, 5_000]);
});

test('large values and emissions are those of its claim, unless others are given', () => {
  expect(here.recordOf()).toMatchObject({ writer: '3', emissionClaim: claim });
  const emissionClaim = { taskRunId: 'task', epoch: 1 };
  expect(here.recordOf({}, { writer: 'own', emissionClaim })).toMatchObject({ writer: 'own', emissionClaim });
});

test('parameters that were recorded again are those of its run, and an artifact is written under its claim', async () => {
  const record = here.recordOf();
  record.noteParams('{"json":1}');
  expect(record.run.params).toBe('{"json":1}');
  const artifact = { id: 'a' } as Artifact;
  await record.addArtifact(artifact);
  expect(here.written).toEqual([{ artifact }]);
});

test('all of it is written where nobody listens', () => {
  const record = here.recordOf({}, { listener: null });
  void record.setRun(stateOf('CANCELLING'));
  record.tellMapped('work', 1);
  void record.setTask(null, rowIn('SCHEDULED'));
  record.touchTask(rowIn('RUNNING'));
  record.tellTask(rowIn('COMPLETED'));
  expect([here.written.length, here.told]).toEqual([4, []]);
});
