/** What runs have opened, as their owners record it, over both makers. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeId } from '../../../src/base/id.ts';
import type { ResourceUse } from '../../../src/model/resource-use.ts';
import { stateOf } from '../../../src/model/state.ts';
import type { Claim, Store } from '../../../src/store/store.ts';
import { makers } from './makers.ts';
import type { Place } from './makers.ts';
import { logLine, startedAt, startRun, taskRun, transitionOf } from './rows.ts';

describe.each(makers)('openings of resources on $name', (maker) => {
  let here: Place;
  let store: Store;
  let run: Claim;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
    run = await startRun(store);
  });
  afterEach(() => here.remove());

  function useOf(changes: Partial<ResourceUse> = {}): ResourceUse {
    return {
      ...{ id: makeId(), runId: run.runId, taskRunId: null, resource: "'pool'", scope: 'run', beganAt: startedAt },
      ...{ openedAt: null, closingAt: null, closedAt: null, error: null },
      ...changes,
    };
  }

  test('are read as last written, whether that was in one flush or in many', async () => {
    const one = useOf();
    void store.recorder.addResourceUse(run, one);
    const opened = { ...one, openedAt: startedAt + 5 };
    await store.recorder.addResourceUse(run, opened);
    expect(await store.resourceUses.ofRun(run.runId)).toEqual([opened]);
    const closed = { ...opened, closingAt: startedAt + 9, closedAt: startedAt + 11, error: 'no way back' };
    await store.recorder.addResourceUse(run, closed);
    expect(await store.resourceUses.ofRun(run.runId)).toEqual([closed]);
  });

  test('are written beside rows of all kinds and of several runs in one flush', async () => {
    const other = await startRun(store);
    const row = taskRun(run.runId, 'load');
    const uses = [useOf({ taskRunId: row.id, scope: 'task' }), useOf({ resource: "'tenant' (acme)" })];
    const elsewhere = useOf({ runId: other.runId });
    await Promise.all([
      store.recorder.addTaskRun(run, row, transitionOf(row)),
      store.recorder.addLog(logLine(run.runId, 'hello')),
      ...uses.map((use) => store.recorder.addResourceUse(run, use)),
      store.recorder.addResourceUse(other, elsewhere),
    ]);
    expect(await store.resourceUses.ofRun(run.runId)).toEqual([...uses].sort((a, b) => (a.id < b.id ? -1 : 1)));
    expect(await store.resourceUses.ofRun(other.runId)).toEqual([elsewhere]);
    expect(await store.taskRuns.ofRun(run.runId)).toHaveLength(1);
  });

  test('are refused from an owner that has lost its run', async () => {
    const old = { ...run, epoch: run.epoch - 1 };
    await store.recorder.addResourceUse(old, useOf());
    expect(await store.resourceUses.ofRun(run.runId)).toEqual([]);
  });

  test('come in pages, in the order in which opening began', async () => {
    const uses = Array.from({ length: 7 }, (_, index) => useOf({ resource: `'r${index}'`, beganAt: startedAt + (index >> 1) }));
    await Promise.all(uses.map((use) => store.recorder.addResourceUse(run, use)));
    const all: ResourceUse[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await store.resourceUses.pageOfRun(run.runId, { limit: 3, ...(cursor !== undefined && { cursor }) });
      all.push(...page.items);
      if (page.next === null) break;
      cursor = page.next;
    }
    expect(all).toEqual(await store.resourceUses.ofRun(run.runId));
    expect(all.map(({ beganAt }) => beganAt - startedAt)).toEqual([0, 0, 1, 1, 2, 2, 3]);
  });

  test('go with their run', async () => {
    await store.recorder.addResourceUse(run, useOf());
    await store.recorder.addRunPatch(run, { state: stateOf('COMPLETED'), endedAt: startedAt }, null);
    expect(await store.runs.delete(run.runId, { force: true })).toBe(true);
    expect(await store.resourceUses.ofRun(run.runId)).toEqual([]);
  });
});
