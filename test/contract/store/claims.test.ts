/** Ownership: claim, renew, release, cancel, over both makers. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { stateOf } from '../../../src/model/state.ts';
import type { Store } from '../../../src/store/store.ts';
import { makers } from './makers.ts';
import type { Place } from './makers.ts';
import { endRun, leaseMs, newRun, owner, ownerNamed, startRun, startedAt, taskRun, transitionOf } from './rows.ts';

describe.each(makers)('claims on $name', (maker) => {
  let here: Place;
  let store: Store;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
  });
  afterEach(() => here.remove());

  test('a waiting run is claimed once, and the next is told who holds it', async () => {
    const run = newRun({ state: stateOf('SCHEDULED') });
    await store.runs.insert(run);
    expect(await store.runs.get(run.id)).toMatchObject({ epoch: 0, owner: null, leaseUntil: null });
    const outcome = await store.runs.claim(run.id, owner, leaseMs);
    expect(outcome).toMatchObject({ claimed: true, run: { epoch: 1, recoveries: 0, owner } });
    expect(await store.runs.claim(run.id, ownerNamed('other'), leaseMs)).toMatchObject({ claimed: false, reason: 'held', owner });
  });

  test('of twenty who claim at once exactly one gets it', async () => {
    const run = newRun();
    await store.runs.insert(run);
    const other = await here.open();
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? store : other).runs.claim(run.id, ownerNamed(`o${index}`), leaseMs)),
    );
    expect(outcomes.filter(({ claimed }) => claimed)).toHaveLength(1);
    expect((await store.runs.get(run.id))?.epoch).toBe(1);
  });

  test('of twenty who take a run from the same dead owner exactly one gets it', async () => {
    const { runId } = await startRun(store);
    const other = await here.open();
    const isDead = (held: { id: string }): boolean => held.id === owner.id;
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        (index % 2 === 0 ? store : other).runs.claim(runId, ownerNamed(`o${index}`), leaseMs, isDead),
      ),
    );
    expect(outcomes.filter(({ claimed }) => claimed)).toHaveLength(1);
    expect(await store.runs.get(runId)).toMatchObject({ epoch: 2, recoveries: 1 });
  });

  test('a lease that is over frees the run and counts a recovery', async () => {
    const run = newRun();
    await store.recorder.addRun(run, owner, 0);
    expect(await store.runs.claim(run.id, ownerNamed('next'), leaseMs)).toMatchObject({ claimed: true, run: { epoch: 2, recoveries: 1 } });
  });

  test('a run that was given back is claimed without a recovery', async () => {
    const claim = await startRun(store);
    await store.runs.release(claim);
    expect(await store.runs.claim(claim.runId, owner, leaseMs)).toMatchObject({ claimed: true, run: { epoch: 2, recoveries: 0 } });
    await store.runs.release(claim);
    expect((await store.runs.get(claim.runId))?.owner).toEqual(owner);
  });

  test('a living owner keeps its run, a missing run and an ended one are not claimed', async () => {
    const claim = await startRun(store);
    expect(await store.runs.claim(claim.runId, owner, leaseMs, () => false)).toMatchObject({ claimed: false, reason: 'held' });
    await endRun(store, claim);
    expect(await store.runs.claim(claim.runId, owner, leaseMs, () => true)).toMatchObject({ claimed: false, reason: 'ended' });
    expect(await store.runs.claim(newRun().id, owner, leaseMs)).toEqual({
      claimed: false,
      reason: 'missing',
      owner: null,
      leaseUntil: null,
    });
  });

  test('renewing keeps the leases that hold and names the claims that are lost', async () => {
    const [kept, taken] = [await startRun(store), await startRun(store)];
    await store.runs.claim(taken.runId, ownerNamed('thief'), leaseMs, () => true);
    const gone = { runId: newRun().id, epoch: 1 };
    const before = (await store.runs.get(kept.runId))?.leaseUntil ?? 0;
    expect(await store.runs.renew([kept, taken, gone], leaseMs * 10)).toEqual([taken, gone]);
    expect((await store.runs.get(kept.runId))?.leaseUntil).toBeGreaterThan(before);
    expect(await store.runs.renew([], leaseMs)).toEqual([]);
  });

  test('of two owners with the same epoch, which a database that forgot a claim may have given, only the present one is heard', async () => {
    const [forgotten, present] = [ownerNamed('forgotten'), ownerNamed('present')];
    const run = newRun({ state: stateOf('SCHEDULED') });
    await store.runs.insert(run);
    await store.runs.claim(run.id, present, leaseMs);
    const claim = { runId: run.id, epoch: 1, owner: present };
    const lost = { runId: run.id, epoch: 1, owner: forgotten };
    const refused: unknown[] = [];
    store.recorder.onFenced(({ runId, epoch }) => refused.push([runId, epoch]));
    await store.recorder.addTaskRun(lost, taskRun(run.id, 'theirs'), null);
    await store.recorder.addRunPatch(lost, { state: stateOf('FAILED') }, null);
    expect(refused).toEqual([
      [run.id, 1],
      [run.id, 1],
    ]);
    expect(await store.runs.renew([lost], leaseMs)).toEqual([lost]);
    expect(await store.runs.renew([claim], leaseMs)).toEqual([]);
    await store.runs.release(lost);
    const offered = { taskRun: taskRun(run.id, 'spread'), queue: 'default', priority: 0, inputs: null, inputsRef: null };
    expect(await store.spread.offer(lost, [offered])).toBeNull();
    expect(await store.limits.bind(lost, 'flow:flight-delays')).toEqual({ kind: 'lost' });
    expect(await store.runs.get(run.id)).toMatchObject({ owner: present, state: { type: 'SCHEDULED' } });
    await store.recorder.addTaskRun(claim, taskRun(run.id, 'ours'), null);
    expect((await store.taskRuns.ofRun(run.id)).map(({ key }) => key)).toEqual(['ours']);
    await store.runs.release(claim);
    expect(await store.runs.get(run.id)).toMatchObject({ owner: null });
  });

  test('cancelling a run that nobody holds ends it and its unfinished tasks at once, with history', async () => {
    const claim = await startRun(store);
    const done = taskRun(claim.runId, 'done', { state: stateOf('COMPLETED') });
    const open = taskRun(claim.runId, 'open');
    await Promise.all([done, open].map((row) => store.recorder.addTaskRun(claim, row, transitionOf(row))));
    await store.runs.release(claim);
    expect(await store.runs.requestCancel(claim.runId, 99, 'by hand')).toBe('CANCELLED');
    expect(await store.runs.get(claim.runId)).toMatchObject({
      state: { type: 'CANCELLED', message: 'by hand' },
      endedAt: 99,
      cancelRequestedAt: 99,
    });
    expect((await store.taskRuns.ofRun(claim.runId)).map(({ state }) => state.type)).toEqual(['COMPLETED', 'CANCELLED']);
    expect((await store.transitions.ofRun(claim.runId)).map(({ name, at }) => [name, at])).toEqual([
      ['Running', startedAt],
      ['Completed', startedAt],
      ['Running', startedAt],
      ['Cancelled', 99],
      ['Cancelled', 99],
    ]);
    const refused: unknown[] = [];
    store.recorder.onFenced((lost) => refused.push(lost));
    await store.recorder.addTaskRun(claim, open, null);
    expect(refused).toEqual([claim]);
  });

  test('cancelling a held run asks its owner, once', async () => {
    const claim = await startRun(store);
    expect(await store.runs.cancelRequested([claim])).toEqual([]);
    expect(await store.runs.requestCancel(claim.runId, 99, 'please')).toBe('CANCELLING');
    expect(await store.runs.requestCancel(claim.runId, 100, 'again')).toBe('CANCELLING');
    expect(await store.runs.cancelRequested([claim, { runId: newRun().id, epoch: 1 }])).toEqual([claim.runId]);
    expect(await store.runs.get(claim.runId)).toMatchObject({ state: { type: 'CANCELLING' }, cancelRequestedAt: 99, owner, epoch: 1 });
    expect(await store.transitions.ofRun(claim.runId, null)).toHaveLength(2);
  });

  test('a cancel whose state was written over by what its owner had under way is asked again without another transition', async () => {
    const claim = await startRun(store);
    await store.runs.requestCancel(claim.runId, 99, 'please');
    await store.recorder.addRunPatch(claim, { state: stateOf('RUNNING') }, null);
    expect(await store.runs.requestCancel(claim.runId, 100, 'again')).toBe('CANCELLING');
    expect(await store.runs.get(claim.runId)).toMatchObject({ state: { type: 'CANCELLING', message: 'again' }, cancelRequestedAt: 99 });
    expect((await store.transitions.ofRun(claim.runId, null)).map(({ name }) => name)).toEqual(['Running', 'Cancelling']);
  });

  test('cancelling a run of a dead owner ends it; one that has ended or never was stays as it is', async () => {
    const claim = await startRun(store);
    expect(await store.runs.requestCancel(claim.runId, 99, 'gone', () => true)).toBe('CANCELLED');
    const completed = await startRun(store);
    await endRun(store, completed);
    expect(await store.runs.requestCancel(completed.runId, 99, 'late')).toBe('COMPLETED');
    expect(await store.runs.requestCancel(newRun().id, 99, 'none')).toBeNull();
  });

  test('reopening opens the next attempt and what did not complete, and shuts the last owner out', async () => {
    const claim = await startRun(store);
    const rows = [
      taskRun(claim.runId, 'load', { state: stateOf('COMPLETED'), result: '1' }),
      taskRun(claim.runId, 'join', { state: stateOf('FAILED'), attempt: 3, endedAt: 5 }),
      taskRun(claim.runId, 'write', { state: stateOf('FAILED', 'UpstreamFailed') }),
    ];
    await Promise.all(rows.map((row) => store.recorder.addTaskRun(claim, row, transitionOf(row))));
    await endRun(store, claim, 'FAILED');
    const run = await store.runs.reopen(claim.runId, 99);
    expect(run).toMatchObject({
      state: { type: 'SCHEDULED' },
      attempt: 2,
      epoch: 2,
      owner: null,
      endedAt: null,
      error: null,
      cancelRequestedAt: null,
    });
    const tasks = await store.taskRuns.ofRun(claim.runId);
    expect(tasks.map(({ state, attempt, result }) => [state.type, attempt, result])).toEqual([
      ['COMPLETED', 1, '1'],
      ['SCHEDULED', 0, null],
      ['SCHEDULED', 0, null],
    ]);
    expect((await store.transitions.ofRun(claim.runId)).filter(({ at }) => at === 99).map(({ taskRunId }) => taskRunId)).toEqual([
      null,
      rows[1]?.id,
      rows[2]?.id,
    ]);
  });

  test('reopening from a task opens that one as well, by its name only', async () => {
    const claim = await startRun(store);
    const rows = ['a[0]', 'a[1]', 'b'].map((key) => taskRun(claim.runId, key, { state: stateOf('COMPLETED'), result: '1' }));
    await Promise.all(rows.map((row) => store.recorder.addTaskRun(claim, row, null)));
    await endRun(store, claim, 'FAILED');
    await store.runs.reopen(claim.runId, 99, ['a', 'no such task']);
    expect((await store.taskRuns.ofRun(claim.runId)).map(({ state }) => state.type)).toEqual(['SCHEDULED', 'SCHEDULED', 'COMPLETED']);
  });

  test('a run that completed or still runs is not reopened', async () => {
    const claim = await startRun(store);
    expect(await store.runs.reopen(claim.runId, 99)).toBeNull();
    await endRun(store, claim);
    expect(await store.runs.reopen(claim.runId, 99)).toBeNull();
    expect(await store.runs.reopen(newRun().id, 99)).toBeNull();
  });
});
