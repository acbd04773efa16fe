/** Leased work where a claim ends in an unusual place, over both makers: given back, ended, or taken back in parts. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { stateOf } from '../../../src/model/state.ts';
import type { Claim, Store, TaskClaim } from '../../../src/store/store.ts';
import { makers } from './makers.ts';
import type { Place } from './makers.ts';
import { leaseMs, newRun, owner, ownerNamed, startRun, startedAt, taskRun } from './rows.ts';

const worker = ownerNamed('worker');
const reclaiming = { limit: 100, maxRecoveries: 3, goneOwners: [] };

describe.each(makers)('leased work on $name', (maker) => {
  let here: Place;
  let store: Store;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
  });
  afterEach(() => here.remove());

  const insert = async (changes: Parameters<typeof newRun>[0] = {}): Promise<string> => {
    const run = newRun({ state: stateOf('SCHEDULED'), ...changes });
    await store.fleet.insertMany([{ run, idempotencyKey: null }]);
    return run.id;
  };

  /** A run whose lease is over. */
  const lost = async (): Promise<Claim> => {
    const run = newRun();
    await store.recorder.addRun(run, owner, 0);
    return { runId: run.id, epoch: 1 };
  };

  const holdTask = async (run: Claim, key = 'crunch', lease = leaseMs): Promise<TaskClaim> => {
    const row = taskRun(run.runId, key, { state: stateOf('SCHEDULED'), attempt: 0, startedAt: null });
    await store.spread.offer(run, [{ taskRun: row, queue: 'default', priority: 0, inputs: null, inputsRef: null }]);
    const held = (await store.spread.claimMany([row.id], worker, lease)).get(row.id);
    if (!held) throw new Error('It was not to be had.');
    return held.claim;
  };

  const reclaimed = async (limit: number): Promise<number> => {
    const { waiting, ended } = await store.fleet.reclaim({ ...reclaiming, limit });
    return waiting.length + ended.length;
  };

  test('a claim that was given back is not renewed: nobody holds it, until it is claimed anew', async () => {
    const run = await startRun(store);
    await store.runs.release(run);
    expect(await store.runs.renew([run], leaseMs)).toEqual([run]);
    expect(await store.runs.get(run.runId)).toMatchObject({ owner: null, leaseUntil: null });
  });

  test('renewing touches the leases of these claims alone: not those of others, nor that of whoever has taken one over', async () => {
    const [mine, taken, other] = [await startRun(store), await startRun(store), await startRun(store)];
    await store.runs.claim(taken.runId, worker, leaseMs, () => true);
    const leasesOf = async () => await Promise.all([taken, other].map(async ({ runId }) => (await store.runs.get(runId))?.leaseUntil));
    const before = await leasesOf();
    expect(await store.runs.renew([mine, taken], leaseMs * 10)).toEqual([taken]);
    expect(await leasesOf()).toEqual(before);
    expect((await store.runs.get(mine.runId))?.leaseUntil).toBeGreaterThan(systemClock.now() + leaseMs * 5);
  });

  test('a cancel is told to the present owner, and not to one that has lost the run', async () => {
    const old = await startRun(store);
    await store.runs.claim(old.runId, worker, leaseMs, () => true);
    const present = { ...old, epoch: 2 };
    await store.runs.requestCancel(old.runId, startedAt, 'Enough.');
    expect(await store.runs.cancelRequested([old])).toEqual([]);
    expect(await store.runs.cancelRequested([old, present])).toEqual([old.runId]);
  });

  test('a spread task run that is given back twice waits once, under one epoch', async () => {
    const claim = await holdTask(await startRun(store));
    expect(await store.spread.release(claim, null)).toMatchObject({ id: claim.taskRunId, epoch: 2 });
    expect(await store.spread.release(claim, null)).toBeNull();
    expect(await store.spread.release({ ...claim, epoch: 2 }, null)).toBeNull();
    expect(await store.spread.renew([{ ...claim, epoch: 2 }], leaseMs)).toEqual([{ ...claim, epoch: 2 }]);
  });

  test('a claim in a group has its lease from then on', async () => {
    const id = await insert();
    const run = (await store.fleet.claimMany([id], worker, leaseMs)).get(id);
    expect(Math.abs((run?.leaseUntil ?? 0) - systemClock.now() - leaseMs)).toBeLessThan(leaseMs / 2);
    const task = await holdTask({ runId: id, epoch: 1 });
    expect(await reclaimed(10)).toBe(0);
    expect(await store.spread.reclaim(reclaiming)).toEqual({ waiting: [], ended: [] });
    expect(await store.spread.renew([task], leaseMs)).toEqual([]);
  });

  test('a run that has ended is not taken back, though its owner is lost before it let go of it', async () => {
    const run = await lost();
    await store.recorder.addRunPatch(run, { state: stateOf('COMPLETED'), endedAt: startedAt + 1 }, null);
    expect(await store.fleet.reclaim({ ...reclaiming, goneOwners: [owner] })).toEqual({ waiting: [], ended: [], crashed: [] });
    expect(await store.fleet.owners()).toEqual([]);
    expect(await store.runs.get(run.runId)).toMatchObject({ state: { type: 'COMPLETED' }, epoch: 1, recoveries: 0 });
  });

  test('runs that wait are not lost: those that nobody holds stay as they are', async () => {
    const id = await insert();
    const back = await startRun(store);
    await store.runs.release(back);
    await lost();
    expect(await reclaimed(10)).toBe(1);
    expect(await store.runs.get(id)).toMatchObject({ epoch: 0, state: { name: 'Scheduled' } });
    expect(await store.runs.get(back.runId)).toMatchObject({ epoch: 1, state: { type: 'RUNNING' } });
  });

  test('a run that crashes names the owners that it has lost, and none of other runs', async () => {
    await store.recorder.addRun(newRun(), ownerNamed('elsewhere'), leaseMs);
    const { runId } = await lost();
    await store.fleet.reclaim({ ...reclaiming, maxRecoveries: 1 });
    await store.fleet.claimMany([runId], worker, 0);
    await store.fleet.reclaim({ ...reclaiming, maxRecoveries: 1 });
    const { type, message } = (await store.runs.get(runId))?.state ?? {};
    expect([type, message]).toEqual(['CRASHED', expect.stringContaining(`2 in all: ${owner.id}, ${worker.id}`)]);
  });

  test('of many that are lost as many are taken back at once as were asked for', async () => {
    const ids = (await Promise.all([lost(), lost(), lost()])).map(({ runId }) => runId);
    expect([await reclaimed(2), await reclaimed(2), await reclaimed(2)]).toEqual([2, 1, 0]);
    for (const id of ids) expect(await store.runs.get(id)).toMatchObject({ epoch: 2, owner: null, leaseUntil: null });
  });

  test('a run that was given back in the middle of its cancel is ended, behind those that are lost', async () => {
    const cancelled = await Promise.all([startRun(store), startRun(store)]);
    for (const claim of cancelled) {
      await store.runs.requestCancel(claim.runId, startedAt, 'Enough.');
      await store.runs.release(claim);
    }
    await lost();
    expect([await reclaimed(2), await reclaimed(2), await reclaimed(2)]).toEqual([2, 1, 0]);
    for (const { runId } of cancelled) expect(await store.runs.get(runId)).toMatchObject({ state: { type: 'CANCELLED' }, owner: null });
  });

  test('what was taken back has its ticket: the look for lost ones leaves it alone for a while', async () => {
    const { runId } = await lost();
    const held = await startRun(store);
    const task = await holdTask(held, 'crunch', 0);
    expect((await store.fleet.reclaim(reclaiming)).waiting).toMatchObject([{ id: runId }]);
    expect((await store.spread.reclaim(reclaiming)).waiting).toMatchObject([{ id: task.taskRunId }]);
    expect(await store.fleet.dueUnticketed({ ticketedBeforeMs: 60_000, limit: 10 })).toEqual([]);
    expect(await store.spread.dueUnticketed({ ticketedBeforeMs: 60_000, limit: 10 })).toEqual([]);
  });

  test('of runs without a ticket the one that has waited longest is first, and as many are taken as were asked for', async () => {
    await insert();
    const never = await startRun(store);
    await store.runs.release(never);
    const look = async (ticketedBeforeMs: number) => (await store.fleet.dueUnticketed({ ticketedBeforeMs, limit: 1 })).map(({ id }) => id);
    expect(await look(0)).toEqual([never.runId]);
    expect(await look(60_000)).toEqual([]);
  });

  test('a run that is due in some seconds has no ticket yet, however long ago its last one was put', async () => {
    await insert({ dueAt: systemClock.now() + 9_000 });
    expect(await store.fleet.dueUnticketed({ ticketedBeforeMs: 0, limit: 10 })).toEqual([]);
  });

  test('a run that waits for a signal is neither ticketed nor claimed; one that sleeps is, once it is due', async () => {
    const signal = await insert({ state: stateOf('PAUSED') });
    const asleep = await insert({ state: stateOf('PAUSED'), dueAt: systemClock.now() + 60_000 });
    const awake = await insert({ state: stateOf('PAUSED'), dueAt: systemClock.now() - 60_000 });
    expect((await store.fleet.dueUnticketed({ ticketedBeforeMs: 0, limit: 10 })).map(({ id }) => id)).toEqual([awake]);
    expect([...(await store.fleet.claimMany([signal, asleep, awake], worker, leaseMs)).keys()]).toEqual([awake]);
  });

  test('a run that slept in a process which was lost is looked at at once, for its sleep is recorded beside it', async () => {
    const run = await startRun(store);
    await store.recorder.addRunPatch(run, { state: stateOf('PAUSED'), dueAt: systemClock.now() + 60_000 }, null);
    expect((await store.fleet.reclaim({ ...reclaiming, goneOwners: [owner] })).waiting).toMatchObject([{ id: run.runId, dueAt: null }]);
  });
});
