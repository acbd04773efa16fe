/** Rollbacks of runs, with an owner and without, over both makers. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { stateOf } from '../../../src/model/state.ts';
import type { Claim, Store } from '../../../src/store/store.ts';
import { makers } from './makers.ts';
import type { Place } from './makers.ts';
import { leaseMs, newRun, owner, ownerNamed, startedAt, taskRun } from './rows.ts';

const failed = { state: stateOf('FAILED', 'Failed', 'it broke'), error: null };

describe.each(makers)('rollbacks on $name', (maker) => {
  let here: Place;
  let store: Store;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
  });
  afterEach(() => here.remove());

  async function begin(): Promise<Claim> {
    const run = newRun();
    await store.recorder.addRun(run, owner, leaseMs);
    const claim = { runId: run.id, epoch: 1, owner };
    const row = taskRun(run.id, 'pay', { state: stateOf('COMPLETED') });
    await store.recorder.addTaskRun(claim, row, null);
    return claim;
  }

  test('a run that has done nothing has no rollback; one that has keeps its intended end, then what came of it', async () => {
    const claim = await begin();
    expect(await store.rollbacks.begin(claim, failed, 2)).toBe(false);
    await store.rollbacks.arm(claim, 1);
    expect(await store.rollbacks.get(claim.runId)).toMatchObject({ stage: 'armed', end: null });
    expect(await store.rollbacks.ofRuns([claim.runId])).toEqual([]);
    expect(await store.rollbacks.begin(claim, failed, 2)).toBe(true);
    expect(await store.rollbacks.get(claim.runId)).toMatchObject({ stage: 'begun', at: 2, end: failed });
    const remaining = [{ task: 'pay', index: null, taskRunId: 't', undo: 'refund', message: 'no' }];
    await store.rollbacks.finish(claim, { undone: 2, remaining }, 3);
    expect(await store.rollbacks.ofRuns([claim.runId])).toEqual([{ runId: claim.runId, stage: 'incomplete', undone: 2, remaining }]);
  });

  test('whoever has lost the run writes nothing more of it', async () => {
    const claim = await begin();
    await store.rollbacks.arm(claim, 1);
    const old = { ...claim, epoch: 0 };
    expect(await store.rollbacks.begin(old, failed, 2)).toBe(false);
    await store.rollbacks.finish({ ...claim, owner: ownerNamed('other') }, { undone: 1, remaining: [] }, 3);
    expect(await store.rollbacks.get(claim.runId)).toMatchObject({ stage: 'armed' });
  });

  test('a run without owner that is cancelled waits for one who undoes it; a second cancel changes nothing', async () => {
    const claim = await begin();
    await store.rollbacks.arm(claim, 1);
    await store.runs.release(claim);
    expect(await store.runs.requestCancel(claim.runId, 5, 'enough')).toBe('SCHEDULED');
    expect(await store.runs.get(claim.runId)).toMatchObject({ state: { name: 'Resuming' }, owner: null, cancelRequestedAt: 5 });
    expect(await store.rollbacks.get(claim.runId)).toMatchObject({
      stage: 'begun',
      end: { state: { type: 'CANCELLED', message: 'enough' } },
    });
    expect(await store.runs.requestCancel(claim.runId, 6, 'again')).toBe('SCHEDULED');
    expect(await store.fleet.dueUnticketed({ ticketedBeforeMs: 10_000, limit: 10 })).toMatchObject([{ id: claim.runId }]);
    expect((await store.fleet.claimMany([claim.runId], ownerNamed('next'), leaseMs)).size).toBe(1);
  });

  test('a run without anything to undo is cancelled at once', async () => {
    const claim = await begin();
    await store.runs.release(claim);
    expect(await store.runs.requestCancel(claim.runId, 5, 'enough')).toBe('CANCELLED');
  });

  test('a run that would become Crashed, or Cancelled with its process lost, is left to another who undoes it first', async () => {
    const crashing = await begin();
    await store.rollbacks.arm(crashing, 1);
    const report = await store.fleet.reclaim({ limit: 10, maxRecoveries: 0, goneOwners: [owner] });
    expect(report).toMatchObject({ ended: [], crashed: [], waiting: [{ id: crashing.runId, epoch: 2 }] });
    expect(await store.rollbacks.get(crashing.runId)).toMatchObject({ stage: 'begun', end: { state: { type: 'CRASHED' } } });
    const cancelling = await begin();
    await store.rollbacks.arm(cancelling, 1);
    expect(await store.runs.requestCancel(cancelling.runId, 5, 'enough')).toBe('CANCELLING');
    await store.fleet.reclaim({ limit: 10, maxRecoveries: 3, goneOwners: [owner] });
    expect(await store.rollbacks.get(cancelling.runId)).toMatchObject({ stage: 'begun', end: { state: { type: 'CANCELLED' } } });
  });

  test('a rollback that costs one process after another is given up', async () => {
    const { runId } = await begin();
    await store.rollbacks.arm({ runId, epoch: 1, owner }, 1);
    let losses = 0;
    for (let name = owner; ; name = ownerNamed(`next-${losses}`)) {
      const { ended } = await store.fleet.reclaim({ limit: 10, maxRecoveries: 0, goneOwners: [name] });
      if (ended.length > 0) break;
      losses += 1;
      await store.fleet.claimMany([runId], ownerNamed(`next-${losses}`), leaseMs, { isAlone: true });
    }
    expect(losses).toBeGreaterThan(3);
    expect(await store.runs.get(runId)).toMatchObject({ state: { type: 'CRASHED' } });
    expect(await store.rollbacks.ofRuns([runId])).toMatchObject([{ stage: 'incomplete' }]);
  });

  test('a retry opens what was undone and leaves the undoing in the history', async () => {
    const claim = await begin();
    const undo = taskRun(claim.runId, 'rollback:1:pay', { name: 'refund', state: stateOf('FAILED') });
    await store.recorder.addTaskRun(claim, undo, null);
    const paid = taskRun(claim.runId, 'book', { state: stateOf('COMPLETED', 'RolledBack') });
    await store.recorder.addTaskRun(claim, paid, null);
    await store.recorder.addRunPatch(claim, { state: failed.state, endedAt: startedAt }, null);
    await store.runs.reopen(claim.runId, startedAt);
    const names = new Map((await store.taskRuns.ofRun(claim.runId)).map(({ key, state }) => [key, state.name]));
    expect(Object.fromEntries(names)).toEqual({ pay: 'Completed', 'rollback:1:pay': 'Failed', book: 'Scheduled' });
  });

  test('it goes with its run', async () => {
    const claim = await begin();
    await store.rollbacks.arm(claim, 1);
    await store.runs.delete(claim.runId, { force: true });
    expect(await store.rollbacks.get(claim.runId)).toBeNull();
  });
});
