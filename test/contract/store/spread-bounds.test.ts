/** What statements on spread tasks leave alone: other tasks, other runs, and what has been recorded; over both makers. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { stateOf } from '../../../src/model/state.ts';
import type { Claim, OfferedTask, Store, TaskClaim } from '../../../src/store/store.ts';
import { makers } from './makers.ts';
import type { Place } from './makers.ts';
import { endRun, leaseMs, ownerNamed, startedAt, startRun, taskRun, transitionOf } from './rows.ts';

const worker = ownerNamed('worker');
const other = ownerNamed('other');
const reclaiming = { limit: 100, maxRecoveries: 3, goneOwners: [worker] };

const offered = (claim: Claim, key: string, changes: Partial<OfferedTask> = {}): OfferedTask => ({
  taskRun: taskRun(claim.runId, key, { state: stateOf('SCHEDULED'), attempt: 0, startedAt: null }),
  queue: 'default',
  priority: 0,
  inputs: null,
  inputsRef: null,
  ...changes,
});

describe.each(makers)('statements on spread tasks on $name', (maker) => {
  let here: Place;
  let store: Store;
  let run: Claim;
  let beside: Claim;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
    [run, beside] = [await startRun(store), await startRun(store)];
  });
  afterEach(() => here.remove());

  async function offer(claim: Claim, key: string, changes: Partial<OfferedTask> = {}): Promise<string> {
    const task = offered(claim, key, changes);
    await store.spread.offer(claim, [task]);
    return task.taskRun.id;
  }
  const claim = async (ids: readonly string[], isAlone = false) => await store.spread.claimMany(ids, worker, leaseMs, isAlone);
  async function claimOne(id: string): Promise<TaskClaim> {
    const claimed = (await claim([id])).get(id);
    if (!claimed) throw new Error('It was not to be had.');
    return claimed.claim;
  }
  const stateIn = async ({ runId }: Claim, id: string) => (await store.taskRuns.ofRun(runId)).find((row) => row.id === id)?.state;

  test('a claim takes those it names, whose own run goes on', async () => {
    const [over, open, unnamed] = [await offer(run, 'over'), await offer(beside, 'open'), await offer(beside, 'unnamed')];
    await endRun(store, run);
    expect([...(await claim([over, open])).keys()]).toEqual([open]);
    expect([...(await claim([unnamed])).values()]).toMatchObject([{ run: { id: beside.runId }, taskRun: { key: 'unnamed' } }]);
  });

  test('a claim takes what was given back for an instant that has come', async () => {
    const id = await offer(run, 'later');
    await store.spread.release(await claimOne(id), systemClock.now() - 1_000);
    expect((await claim([id])).size).toBe(1);
  });

  const ends: readonly (readonly [string, (claim: Claim) => Promise<unknown>])[] = [
    ['has ended', (claim) => endRun(store, claim)],
    ['is asked to end', ({ runId }) => store.runs.requestCancel(runId, startedAt, 'Enough.', () => false)],
    ['is ending, whoever asked for that', (claim) => store.recorder.addRunPatch(claim, { state: stateOf('CANCELLING') }, null)],
    [
      'was asked to end, and whose owner has not seen it yet',
      async (claim) => {
        await store.runs.requestCancel(claim.runId, startedAt, 'Enough.', () => false);
        await store.recorder.addRunPatch(claim, { state: stateOf('RUNNING') }, null);
      },
    ],
  ];
  test.each(ends)('of a run that %s nothing is claimed, and what is held is to stop; of another nothing is', async (_, end) => {
    const [held, waits] = [await claimOne(await offer(run, 'held')), await offer(run, 'waits')];
    const [heldBeside, waitsBeside] = [await claimOne(await offer(beside, 'held')), await offer(beside, 'waits')];
    expect(await store.spread.toStop([held, heldBeside])).toEqual([]);
    await end(run);
    expect(await store.spread.toStop([held, heldBeside])).toEqual([held.taskRunId]);
    expect([...(await claim([waits, waitsBeside])).keys()]).toEqual([waitsBeside]);
  });

  test('a run that is cancelled while nobody has it takes no spread task of another with it', async () => {
    const [own, foreign] = [await offer(run, 'own'), await offer(beside, 'foreign')];
    await store.runs.requestCancel(run.runId, startedAt, 'Enough.', () => true);
    expect([...(await claim([own, foreign])).keys()]).toEqual([foreign]);
    expect(await stateIn(beside, foreign)).toMatchObject({ name: 'Scheduled' });
  });

  test('what is held is to stop once its end is recorded or its claim is old', async () => {
    const [ended, old, held] = [
      await claimOne(await offer(run, 'ended')),
      await claimOne(await offer(run, 'old')),
      await claimOne(await offer(run, 'held')),
    ];
    await store.spread.end(run, [ended.taskRunId], stateOf('CANCELLED', 'Cancelled', 'Enough.'), startedAt, 'all');
    expect((await store.spread.toStop([ended, { ...old, epoch: 7 }, held])).toSorted()).toEqual(
      [ended.taskRunId, old.taskRunId].toSorted(),
    );
  });

  test('what was lost twice in company is left to a process of its own', async () => {
    const ids = [await offer(run, 'a'), await offer(beside, 'b')];
    for (let lost = 0; lost < 2; lost++) {
      expect((await claim(ids)).size).toBe(2);
      await store.spread.reclaim(reclaiming);
    }
    expect((await claim(ids)).size).toBe(0);
    expect((await claim(ids, true)).size).toBe(2);
  });

  test('what is offered anew after a retry is as it is offered now: by another queue, with other inputs', async () => {
    const task = offered(run, 'a', { inputs: 'old' });
    const { id } = task.taskRun;
    await store.spread.offer(run, [task]);
    await claimOne(id);
    await store.spread.reclaim(reclaiming);
    await store.spread.release(await claimOne(id), systemClock.now() + 60_000);
    const kept = await offer(run, 'kept');
    await claimOne(kept);
    await store.runs.requestCancel(run.runId, startedAt, 'Enough.', () => true);
    await store.runs.reopen(run.runId, startedAt + 10);
    const outcome = await store.runs.claim(run.runId, other, leaseMs);
    if (!outcome.claimed) throw new Error('The run was not to be had.');
    const next = { runId: run.runId, epoch: outcome.run.epoch };
    const anew = { ...task, queue: 'gpu', priority: 7, inputs: 'new', inputsRef: null };
    expect(await store.spread.offer(next, [anew])).toMatchObject([{ id, queue: 'gpu', priority: 7, dueAt: null }]);
    expect((await claim([id])).get(id)).toMatchObject({ inputs: 'new' });
  });

  test('an end is recorded of what it names and of nothing else, with its state and instant, and not over what was recorded', async () => {
    const [named, unnamed, done] = [await offer(run, 'named'), await offer(run, 'unnamed'), await offer(run, 'done')];
    const foreign = await offer(beside, 'foreign');
    const doneClaim = await claimOne(done);
    const row = taskRun(run.runId, 'done', { id: done, state: stateOf('COMPLETED'), endedAt: startedAt });
    await store.spread.write([{ claim: doneClaim, taskRun: row, transitions: [transitionOf(row)], artifacts: [] }]);
    await store.spread.end(run, [named, foreign, done], stateOf('CANCELLED', 'Cancelled', 'Enough.'), startedAt + 5, 'all');
    expect((await store.taskRuns.ofRun(run.runId)).find(({ id }) => id === named)).toMatchObject({
      state: { type: 'CANCELLED', name: 'Cancelled', message: 'Enough.' },
      endedAt: startedAt + 5,
    });
    expect(await store.transitions.ofRun(run.runId, named)).toMatchObject([
      { name: 'Scheduled' },
      { name: 'Cancelled', message: 'Enough.' },
    ]);
    expect([await stateIn(run, unnamed), await stateIn(beside, foreign), await stateIn(run, done)]).toMatchObject([
      { name: 'Scheduled' },
      { name: 'Scheduled' },
      { name: 'Completed' },
    ]);
    expect([...(await claim([named, unnamed, foreign])).keys()].sort()).toEqual([unnamed, foreign].sort());
  });
});
