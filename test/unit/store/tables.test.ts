/** Rows as their tables describe them. */
import { expect, test } from 'vitest';
import { failureOf } from '../../../src/model/failure.ts';
import type { TaskRun } from '../../../src/model/run.ts';
import { stateOf } from '../../../src/model/state.ts';
import {
  commonTaskRunTable,
  commonTaskRunValues,
  hasOnlyCommonValues,
  newRunValues,
  runTable,
  taskRunTable,
  transitionTable,
  transitionValues,
} from '../../../src/store/tables.ts';
import { newRun, owner, taskRun, transitionOf } from '../../contract/store/rows.ts';

const rare: Partial<TaskRun> = {
  ...{ displayName: 'One', state: stateOf('FAILED', 'TimedOut', 'late'), dueAt: 1, failures: 2, childRunId: 'child', resultRef: 'ref' },
  ...{
    dependsOn: ['a'],
    progress: { done: 1, total: 2 },
    metrics: { rows: 3 },
    error: failureOf(new Error('no')),
    callArgs: [{ json: 1 }],
    ...{ cpuMs: 5, peakBytes: 6, usageScope: 'thread' },
    cachedFrom: { runId: 'run', taskRunId: 'task', madeAt: 1, entry: 'entry' },
  },
};

test('values that are written out for speed are those of the description', () => {
  for (const row of [taskRun('run', 'load[3]', { index: 3, result: '{}', itemHash: 'h', endedAt: 9 }), taskRun('run', 'load', rare)]) {
    expect(commonTaskRunValues(row)).toEqual(commonTaskRunTable.values(row));
    expect(transitionValues(transitionOf(row))).toEqual(transitionTable.values(transitionOf(row)));
  }
});

test('those of a new run as well, whatever of it is given', () => {
  const more = {
    ...{ state: stateOf('FAILED', 'TimedOut', 'late'), deployment: 'nightly', parentRunId: 'p', parentTaskRunId: 't', tags: ['a'] },
    ...{ source: 'a.ts#A', scheduledFor: 1, dueAt: 2, queue: 'gpu', priority: 3, scheduleId: 's', backfillId: 'b', concurrencyKey: 'k' },
    ...{ startedAt: 4, endedAt: 5, resultRef: 'ref', result: '{}', error: failureOf(new Error('no')), executedMs: 6, resumedAt: 7 },
    ...{ mapped: { load: 8 }, slots: 9, fairKey: 'acme' },
  };
  for (const [run, by] of [
    [newRun(), null],
    [newRun(more), owner],
  ] as const) {
    const given = { ...run, recoveries: 0, cancelRequestedAt: null, epoch: by === null ? 0 : 1, owner: by, leaseUntil: 9 };
    expect(newRunValues(run, by, 9)).toEqual(runTable.values(given));
  }
  expect(newRunValues(newRun(more), owner, 9).filter((value) => value === null)).toHaveLength(1);
});

test('a task run is written with its common values alone only while it has no others', () => {
  const none = taskRun('run', 'load');
  expect(hasOnlyCommonValues(none)).toBe(true);
  expect(taskRunTable.values(none).slice(commonTaskRunTable.columns.length)).toEqual(Array.from({ length: 15 }, () => null));
  for (const [field, value] of Object.entries(rare)) expect(hasOnlyCommonValues({ ...none, [field]: value })).toBe(false);
  expect(Object.keys(rare)).toHaveLength(15);
});

test('a row comes back as what was written, with what it lacks left out or by its default', () => {
  const row = taskRun('run', 'load', rare);
  const stored = Object.fromEntries(taskRunTable.columns.map((column, at) => [column, taskRunTable.values(row)[at]]));
  expect(taskRunTable.read(stored as never)).toEqual(row);
  expect(taskRunTable.read({ ...stored, failures: null } as never)).not.toHaveProperty('failures');
});
