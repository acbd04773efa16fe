/** Spread task runs in the store, over both makers: offer, claim, fence, lose, end. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeId } from '../../../src/base/id.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { stateOf } from '../../../src/model/state.ts';
import type { ResourceUse } from '../../../src/model/resource-use.ts';
import type { TaskRun } from '../../../src/model/run.ts';
import type { Claim, OfferedTask, Store, TaskClaim } from '../../../src/store/store.ts';
import { makers } from './makers.ts';
import type { Place } from './makers.ts';
import { endRun, leaseMs, ownerNamed, startedAt, startRun, taskRun, transitionOf } from './rows.ts';

const worker = ownerNamed('worker');
const other = ownerNamed('other');
const reclaiming = { limit: 100, maxRecoveries: 3, goneOwners: [] };
const scheduled = stateOf('SCHEDULED');

const offered = (claim: Claim, key = 'crunch', changes: Partial<OfferedTask> = {}): OfferedTask => ({
  taskRun: taskRun(claim.runId, key, { state: scheduled, attempt: 0, startedAt: null }),
  queue: 'default',
  priority: 0,
  inputs: null,
  inputsRef: null,
  ...changes,
});
const write = (claim: TaskClaim, row: TaskRun) => ({ claim, taskRun: row, transitions: [transitionOf(row)], artifacts: [] });

describe.each(makers)('spread tasks on $name', (maker) => {
  let here: Place;
  let store: Store;
  let run: Claim;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
    run = await startRun(store);
  });
  afterEach(() => here.remove());

  async function offer(...tasks: OfferedTask[]): Promise<string[]> {
    await store.spread.offer(run, tasks);
    return tasks.map(({ taskRun: { id } }) => id);
  }

  async function claimOne(id: string, owner = worker, lease = leaseMs, isAlone = false): Promise<TaskClaim> {
    const claimed = (await store.spread.claimMany([id], owner, lease, isAlone)).get(id);
    if (!claimed) throw new Error('It was not to be had.');
    return claimed.claim;
  }

  const rowOf = async (id: string): Promise<TaskRun | undefined> => (await store.taskRuns.ofRun(run.runId)).find((row) => row.id === id);

  test('an offered task run is recorded as Scheduled and claimed with its run and its inputs', async () => {
    const task = offered(run, 'crunch[3]', { queue: 'gpu', priority: 7, inputs: '{"json":[3]}' });
    expect(await store.spread.offer(run, [task])).toEqual([{ id: task.taskRun.id, epoch: 0, queue: 'gpu', priority: 7, dueAt: null }]);
    expect(await rowOf(task.taskRun.id)).toEqual(task.taskRun);
    expect(await store.transitions.ofRun(run.runId, task.taskRun.id)).toMatchObject([{ type: 'SCHEDULED', name: 'Scheduled' }]);
    const claimed = (await store.spread.claimMany([task.taskRun.id, makeId()], worker, leaseMs)).get(task.taskRun.id);
    expect(claimed).toMatchObject({
      claim: { taskRunId: task.taskRun.id, epoch: 1 },
      run: { id: run.runId },
      taskRun: { key: 'crunch[3]' },
      inputs: '{"json":[3]}',
      inputsRef: null,
    });
  });

  test('an owner that has lost its run offers nothing', async () => {
    const task = offered(run);
    expect(await store.spread.offer({ ...run, epoch: 7 }, [task])).toBeNull();
    expect(await store.taskRuns.ofRun(run.runId)).toEqual([]);
  });

  test('the next owner that offers a task run again changes nothing while it waits, is held or is recorded', async () => {
    const task = offered(run);
    const [id = ''] = await offer(task);
    expect(await store.spread.offer(run, [task])).toEqual([]);
    const claim = await claimOne(id);
    expect(await store.spread.offer(run, [task])).toEqual([]);
    const done = { ...task.taskRun, state: stateOf('COMPLETED'), attempt: 1, result: '{"json":9}', endedAt: startedAt + 5 };
    expect(await store.spread.write([write(claim, done)])).toEqual([]);
    expect(await store.spread.offer(run, [task])).toEqual([]);
    expect(await rowOf(id)).toEqual(done);
  });

  test('ends that are recorded while the next owner offers their task runs again stay recorded', async () => {
    const tasks = Array.from({ length: 100 }, (_, index) => offered(run, `crunch[${index}]`));
    const claims = await store.spread.claimMany(await offer(...tasks), worker, leaseMs);
    await store.runs.release(run);
    expect(await store.runs.claim(run.runId, other, leaseMs)).toMatchObject({ claimed: true, run: { epoch: run.epoch + 1 } });
    const elsewhere = await here.open();
    const done = tasks.map(({ taskRun: row }) => {
      const claim = claims.get(row.id)?.claim ?? { taskRunId: row.id, epoch: 0 };
      return write(claim, { ...row, state: stateOf('COMPLETED'), attempt: 1, result: '{"json":9}', endedAt: startedAt + 5 });
    });
    const [refused, ...offers] = await Promise.all([
      store.spread.write(done),
      ...Array.from({ length: 10 }, () => elsewhere.spread.offer({ ...run, epoch: run.epoch + 1 }, tasks)),
    ]);
    expect([refused, ...offers].flat()).toEqual([]);
    expect(new Set((await store.taskRuns.ofRun(run.runId)).map(({ state }) => state.name))).toEqual(new Set(['Completed']));
  });

  test('of two workers that claim the same hundred each task run goes to one', async () => {
    const ids = await offer(...Array.from({ length: 100 }, (_, index) => offered(run, `crunch[${index}]`)));
    const elsewhere = await here.open();
    const [mine, theirs] = await Promise.all([
      store.spread.claimMany(ids, worker, leaseMs),
      elsewhere.spread.claimMany(ids.toReversed(), other, leaseMs),
    ]);
    expect([...mine.keys(), ...theirs.keys()].sort()).toEqual([...ids].sort());
  });

  test('what is held, ended, not due or of a run that is over or being cancelled is not claimed', async () => {
    const [held = '', late = '', cancelled = ''] = await offer(offered(run, 'a'), offered(run, 'b'), offered(run, 'c'));
    await claimOne(held);
    await store.spread.release(await claimOne(late), systemClock.now() + 60_000);
    expect((await store.spread.claimMany([held, late], other, leaseMs)).size).toBe(0);
    await store.runs.requestCancel(run.runId, startedAt, 'Enough.');
    expect((await store.spread.claimMany([cancelled], other, leaseMs)).size).toBe(0);
    const ended = await startRun(store);
    const task = offered(ended);
    await store.spread.offer(ended, [task]);
    await endRun(store, ended);
    expect((await store.spread.claimMany([task.taskRun.id], other, leaseMs)).size).toBe(0);
  });

  test('the end that a holder records lets go of the task run, and its owner finds it', async () => {
    const task = offered(run);
    const [id = ''] = await offer(task);
    const claim = await claimOne(id);
    const running = { ...task.taskRun, state: stateOf('RUNNING'), attempt: 1, startedAt };
    expect(await store.spread.write([write(claim, running)])).toEqual([]);
    expect(await store.spread.ended([id])).toEqual([]);
    const cachedFrom = { runId: makeId(), taskRunId: makeId(), madeAt: startedAt, entry: 'e1' };
    const ended = { state: stateOf('COMPLETED'), endedAt: startedAt + 5, resultRef: 'somewhere/large', metrics: { rows: 5 } };
    const usage = { cpuMs: 12, peakBytes: 3_000_000_000, usageScope: 'thread' as const };
    const done = { ...running, ...ended, cachedFrom, ...usage };
    const artifact = {
      id: makeId(),
      runId: run.runId,
      taskRunId: id,
      kind: 'json' as const,
      name: 'found',
      data: [1],
      createdAt: startedAt,
    };
    const use: ResourceUse = {
      ...{
        id: makeId(),
        runId: done.runId,
        taskRunId: done.id,
        resource: "'pool'",
        scope: 'task',
        beganAt: startedAt,
        openedAt: startedAt,
      },
      ...{ closingAt: null, closedAt: null, error: null },
    };
    const closed = { ...use, closingAt: startedAt + 1, closedAt: startedAt + 2 };
    expect(await store.spread.write([{ ...write(claim, done), artifacts: [artifact], resourceUses: [use, closed] }])).toEqual([]);
    expect(await store.resourceUses.ofRun(done.runId)).toEqual([closed]);
    expect(await store.spread.ended([id, makeId()])).toEqual([done]);
    expect(await store.artifacts.ofRun(run.runId)).toEqual([artifact]);
    expect(await store.resultRefs(run.runId)).toEqual(['somewhere/large']);
    expect(await store.spread.write([write(claim, running)])).toEqual([claim]);
    expect(await rowOf(id)).toEqual(done);
  });

  test('a holder that was frozen past its lease writes nothing once another has taken over', async () => {
    const task = offered(run);
    const [id = ''] = await offer(task);
    const frozen = await claimOne(id, worker, 0);
    const { waiting } = await store.spread.reclaim(reclaiming);
    expect(waiting).toMatchObject([{ id, epoch: 2 }]);
    const late = { ...task.taskRun, state: stateOf('COMPLETED'), attempt: 1, result: '{"json":"late"}' };
    expect(await store.spread.write([write(frozen, late)])).toEqual([frozen]);
    expect(await rowOf(id)).toMatchObject({ state: { type: 'SCHEDULED', name: 'Resuming' }, result: null });
    const claim = await claimOne(id, other);
    expect(await store.spread.renew([frozen, claim], leaseMs)).toEqual([frozen]);
    expect(await store.spread.toStop([frozen])).toEqual([id]);
    expect(await store.spread.toStop([claim])).toEqual([]);
  });

  test('a task run whose holder is known to be gone waits again at once; after too many it is Crashed', async () => {
    const [id = ''] = await offer(offered(run));
    for (let lost = 0; lost < 3; lost++) {
      await claimOne(id, worker, leaseMs, lost >= 2);
      expect(await store.spread.owners()).toEqual([worker]);
      expect(await store.spread.reclaim(reclaiming)).toEqual({ waiting: [], ended: [] });
      expect((await store.spread.reclaim({ ...reclaiming, goneOwners: [worker] })).waiting).toHaveLength(1);
    }
    await claimOne(id, worker, leaseMs, true);
    expect((await store.spread.reclaim({ ...reclaiming, goneOwners: [worker] })).ended).toMatchObject([{ id, runId: run.runId }]);
    expect(await store.spread.ended([id])).toMatchObject([{ id, state: { type: 'CRASHED', name: 'Crashed' } }]);
  });

  test('a lost task run of a run that is being cancelled is Cancelled', async () => {
    const [id = ''] = await offer(offered(run));
    await claimOne(id, worker, 0);
    await store.runs.requestCancel(run.runId, startedAt, 'Enough.');
    expect((await store.spread.reclaim(reclaiming)).ended).toMatchObject([{ id }]);
    expect(await rowOf(id)).toMatchObject({ state: { type: 'CANCELLED' } });
  });

  test('a cancel of the run is seen by whoever holds its task runs', async () => {
    const [id = ''] = await offer(offered(run));
    const claim = await claimOne(id);
    expect(await store.spread.toStop([claim])).toEqual([]);
    await store.runs.requestCancel(run.runId, startedAt, 'Enough.');
    expect(await store.spread.toStop([claim])).toEqual([id]);
  });

  test('the owner ends what waits, and what is held only when told to', async () => {
    const ids = await offer(offered(run, 'a'), offered(run, 'b'));
    const [waits = '', held = ''] = ids;
    const claim = await claimOne(held);
    const cancelled = stateOf('CANCELLED', 'Cancelled', 'Enough.');
    await store.spread.end({ ...run, epoch: 9 }, ids, cancelled, startedAt, 'all');
    expect(await store.spread.ended(ids)).toEqual([]);
    await store.spread.end(run, ids, cancelled, startedAt, 'none');
    expect((await store.spread.ended(ids)).map(({ id }) => id)).toEqual([waits]);
    await store.spread.end(run, ids, cancelled, startedAt, 'all');
    expect((await store.spread.ended(ids)).map(({ id }) => id).sort()).toEqual([...ids].sort());
    expect(await store.spread.renew([claim], leaseMs)).toEqual([claim]);
  });

  test('the owner ends what waits at its worker for a next attempt or a slot, and leaves what is executed', async () => {
    const tasks = ['AwaitingRetry', 'AwaitingSlot', 'Running', 'Scheduled'].map((name) => [name, offered(run, name)] as const);
    const ids = await offer(...tasks.map(([, task]) => task));
    const claims = new Map<string, TaskClaim>();
    for (const [name, task] of tasks) {
      const claim = await claimOne(task.taskRun.id);
      claims.set(name, claim);
      const state = name === 'Running' ? stateOf('RUNNING') : stateOf('SCHEDULED', name as 'AwaitingRetry');
      await store.spread.write([write(claim, { ...task.taskRun, state, attempt: 1 })]);
    }
    const cancelled = stateOf('CANCELLED', 'Cancelled', 'The flow ended without it.');
    await store.spread.end(run, ids, cancelled, startedAt + 5, 'waiting');
    const named = new Map(tasks.map(([name, { taskRun: row }]) => [row.id, name]));
    expect((await store.spread.ended(ids)).map(({ id }) => named.get(id)).sort()).toEqual(['AwaitingRetry', 'AwaitingSlot']);
    expect((await store.spread.renew([...claims.values()], leaseMs)).map(({ taskRunId }) => named.get(taskRunId)).sort()).toEqual([
      'AwaitingRetry',
      'AwaitingSlot',
    ]);
  });

  test('a task run that was opened by a retry is offered anew, and its last holder stays shut out', async () => {
    const task = offered(run);
    const [id = ''] = await offer(task);
    const claim = await claimOne(id);
    await store.runs.requestCancel(run.runId, startedAt, 'Enough.', () => true);
    await store.runs.reopen(run.runId, startedAt + 10);
    const outcome = await store.runs.claim(run.runId, other, leaseMs);
    if (!outcome.claimed) throw new Error('The run was not to be had.');
    const next = { runId: run.runId, epoch: outcome.run.epoch };
    expect(await store.spread.offer(next, [task])).toMatchObject([{ id }]);
    const late = { ...task.taskRun, state: stateOf('COMPLETED'), attempt: 1 };
    expect(await store.spread.write([write(claim, late)])).toEqual([claim]);
    expect((await store.spread.claimMany([id], other, leaseMs)).size).toBe(1);
  });

  test('a task run that waits gets another ticket once the last one is old, and once only', async () => {
    const [id = '', held = ''] = await offer(offered(run, 'a', { queue: 'slow', priority: 5 }), offered(run, 'b'));
    await claimOne(held);
    expect(await store.spread.dueUnticketed({ ticketedBeforeMs: 10_000, limit: 10 })).toEqual([]);
    expect(await store.spread.dueUnticketed({ ticketedBeforeMs: 0, limit: 10 })).toEqual([
      { id, epoch: 0, queue: 'slow', priority: 5, dueAt: null },
    ]);
    expect(await store.spread.dueUnticketed({ ticketedBeforeMs: 10_000, limit: 10 })).toEqual([]);
  });

  test('those that wait for a worker are counted by queue and task; held, ended and later ones are not', async () => {
    const ids = await offer(
      ...['crunch[0]', 'crunch[1]', 'crunch[2]'].map((key) => offered(run, key, { queue: 'gpu' })),
      ...['load', 'late', 'done'].map((key) => offered(run, key)),
    );
    await claimOne(ids[0] ?? '');
    await store.spread.release(await claimOne(ids[4] ?? ''), systemClock.now() + 60_000);
    const done = await claimOne(ids[5] ?? '');
    await store.spread.write([write(done, { ...taskRun(run.runId, 'done'), id: ids[5] ?? '', state: stateOf('COMPLETED') })]);
    expect(await store.spread.waiting(run.runId)).toEqual([
      { queue: 'default', task: 'load', count: 1 },
      { queue: 'gpu', task: 'crunch', count: 2 },
    ]);
    expect(await store.spread.waiting(makeId())).toEqual([]);
  });

  test('a thousand task runs are offered in one call, and go with their run', async () => {
    const ids = await offer(...Array.from({ length: 1_000 }, (_, index) => offered(run, `crunch[${index}]`, { inputs: '\u0000' })));
    expect((await store.spread.claimMany(ids, worker, leaseMs)).size).toBe(1_000);
    await store.runs.delete(run.runId, { force: true });
    expect(await store.spread.owners()).toEqual([]);
  });
});
