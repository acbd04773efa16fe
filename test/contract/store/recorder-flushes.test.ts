/** When the recorder flushes, and what a flush waits for, over both makers. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { stateOf } from '../../../src/model/state.ts';
import type { Store } from '../../../src/store/store.ts';
import { makers } from './makers.ts';
import type { Place } from './makers.ts';
import { logLine, startRun, taskRun } from './rows.ts';

describe.each(makers)('flushes of the recorder on $name', (maker) => {
  let here: Place;
  let store: Store;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
  });
  afterEach(() => here.remove());

  test('flush waits for everything added before it', async () => {
    const claim = await startRun(store);
    for (let index = 0; index < 5000; index += 1) void store.recorder.addLog(logLine(claim.runId, `line ${index}`));
    await store.recorder.flush();
    expect(await store.logs.ofRun(claim.runId, { limit: 10_000 })).toHaveLength(5000);
    await store.recorder.flush();
  });

  test('a row that may wait is held for what follows, and recorded by itself when nothing does', async () => {
    const claim = await startRun(store);
    const row = taskRun(claim.runId, 'short', { state: stateOf('RUNNING') });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const held = store.recorder.addTaskRun(claim, row, null, true, true);
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
      expect(store.recorder.isOpen(held)).toBe(true);
      expect(store.recorder.addTaskRun(claim, { ...row, state: stateOf('COMPLETED') }, null)).toBe(held);
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
      expect(store.recorder.isOpen(held)).toBe(false);
    } finally {
      vi.useRealTimers();
    }
    const alone = { ...row, ...{ id: `${row.id}-2`, key: 'alone' } };
    await store.recorder.addTaskRun(claim, alone, null, true, true);
    await Promise.all([
      store.recorder.addTaskRun(claim, { ...alone, progress: { done: 1, total: 2 } }, null, false, true),
      store.recorder.flush(),
    ]);
    const states = (await store.taskRuns.ofRun(claim.runId)).map(({ key, state, progress }) => [key, state.type, progress]);
    expect(states).toEqual([
      ['short', 'COMPLETED', null],
      ['alone', 'RUNNING', { done: 1, total: 2 }],
    ]);
  });

  test('what follows upon the next turn shares the flush of what was added before it', async () => {
    const claim = await startRun(store);
    const before = store.recorder.addRunPatch(claim, { state: stateOf('RUNNING') }, null);
    await store.recorder.nextTurn();
    expect(store.recorder.isOpen(before)).toBe(true);
    expect(store.recorder.addRunPatch(claim, { state: stateOf('COMPLETED') }, null)).toBe(before);
  });

  test('a flush waits for one turn at most, however many are asked for', async () => {
    const claim = await startRun(store);
    let isDurable = false;
    void store.recorder.addLog(logLine(claim.runId, 'soon')).then(() => (isDurable = true));
    while (!isDurable) await store.recorder.nextTurn();
    expect(await store.logs.ofRun(claim.runId)).toHaveLength(1);
  });

  test('closing records what is under way and refuses what comes after', async () => {
    const claim = await startRun(store);
    void store.recorder.addLog(logLine(claim.runId, 'last words'));
    await store.close();
    await store.close();
    await expect(store.recorder.addLog(logLine(claim.runId, 'too late'))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect((await (await here.open()).logs.ofRun(claim.runId)).map(({ message }) => message)).toEqual(['last words']);
  });
});
