/** Why a run does not run: one sentence for each reason, as it is at that moment. */
import { afterEach, describe, expect, test } from 'vitest';
import { makeId } from '../../src/base/id.ts';
import { systemClock } from '../../src/base/clock.ts';
import { programName } from '../../src/base/program-name.ts';
import { failureOf } from '../../src/model/failure.ts';
import type { Owner } from '../../src/model/run.ts';
import { stateOf } from '../../src/model/state.ts';
import { openStore } from '../../src/store/open.ts';
import type { NewRun, WorkerRow } from '../../src/store/store.ts';
import { openEngine, type OpenEngine } from '../support/open-engine.ts';
import { newRun, ownerNamed, taskRun } from '../contract/store/rows.ts';

let at: OpenEngine;
const leaseMs = 60_000;

afterEach(() => at.client.close({ graceMs: 0 }));

async function begin(isOwnerGone: (owner: Owner) => boolean = () => false): Promise<void> {
  at = await openEngine({ isOwnerGone });
}

async function insert(changes: Partial<NewRun> = {}): Promise<string> {
  const run = newRun({ flow: 'sync', state: stateOf('SCHEDULED'), createdAt: systemClock.now(), ...changes });
  await at.store.fleet.insertMany([{ run, idempotencyKey: null }]);
  return run.id;
}

/** A run that a process executes. */
async function running(changes: Partial<NewRun> = {}, by = ownerNamed('worker-1')): Promise<string> {
  const run = newRun({ flow: 'sync', state: stateOf('RUNNING'), createdAt: systemClock.now(), ...changes });
  await at.store.recorder.addRun(run, by, leaseMs);
  return run.id;
}

const beat = (changes: Partial<WorkerRow> = {}): Promise<void> =>
  at.store.workers.beat({
    ...{ id: makeId(), name: 'w', version: '1', host: 'here', pid: 1, queues: ['default'], concurrency: 4, flows: { sync: 'v1' } },
    ...{ startedAt: 0, running: 0, lagMs: 0 },
    ...changes,
  });

const why = (id: string) => at.client.runs.why(id);
const declareLimit = (limit: number): Promise<void> =>
  at.store.flows.put({
    ...{
      name: 'sync',
      version: 'v1',
      description: null,
      tags: [],
      kind: 'graph',
      graph: {},
      paramsSchema: null,
      source: null,
      updatedAt: 0,
    },
    concurrency: { limit, key: null, onConflict: 'queue' },
  });

describe('why a run does not run', () => {
  test('one that has ended or really runs needs no reason; one that is not there is refused', async () => {
    await begin();
    const id = await running();
    expect(await why(id)).toBe(null);
    await at.store.recorder.addRunPatch({ runId: id, epoch: 1 }, { state: stateOf('COMPLETED'), endedAt: 1 }, null);
    expect(await why(id)).toBe(null);
    await expect(why(makeId())).rejects.toMatchObject({ code: 'RUN_NOT_FOUND' });
  });

  test('a run that is pinned to a version which no living worker of its queue has, and one whose sub-flow is', async () => {
    await begin();
    const pin = async (id: string, flow: string): Promise<void> => {
      const claim = { runId: id, epoch: 1 };
      await at.store.pins.pin(claim, { flow, version: 'v1' }, { flow, version: 'v1' }, 1);
      await at.store.recorder.addRunPatch(claim, { state: stateOf('SCHEDULED', 'Resuming'), startedAt: 1, flowVersion: 'v1' }, null);
      await at.store.runs.release(claim);
    };
    const id = await running();
    await pin(id, 'sync');
    const parent = await running();
    await at.store.recorder.addRunPatch({ runId: parent, epoch: 1 }, { state: stateOf('SCHEDULED', 'Resuming'), startedAt: 1 }, null);
    await at.store.runs.release({ runId: parent, epoch: 1 });
    const child = await running({ flow: 'child', parentRunId: parent, parentTaskRunId: makeId() });
    await pin(child, 'child');
    await beat({ id: 'new', flows: { sync: 'v2', child: 'v2' } });
    await beat({ id: 'apart', flows: { sync: 'v1', child: 'v1' }, queues: ['other'] });
    expect(await why(id)).toMatchObject({
      kind: 'pinned',
      message: `It is pinned to version v1 of the flow sync, which no living worker of its queue default has (they have v2). Start one that has it, or let it continue with any version: ${programName()} runs unpin ${id}`,
    });
    expect(await why(parent)).toMatchObject({ kind: 'pinned', message: expect.stringContaining(`runs unpin ${child}`) });
    await beat({ id: 'old', flows: { sync: 'v1', child: 'v1' } });
    expect((await why(id))?.kind).toBe('starting');
    expect((await why(parent))?.kind).toBe('behind');
  });

  test('spread tasks in a queue that nobody serves, while none of its tasks is at work', async () => {
    await begin();
    const id = await running();
    const waiting = (key: string, queue: string) => ({
      taskRun: taskRun(id, key, { state: stateOf('SCHEDULED'), attempt: 0, startedAt: null }),
      ...{ queue, priority: 0, inputs: null, inputsRef: null },
    });
    await beat();
    await at.store.spread.offer({ runId: id, epoch: 1 }, [waiting('load', 'default')]);
    expect(await why(id)).toBe(null);
    await at.store.spread.offer({ runId: id, epoch: 1 }, [waiting('train[0]', 'gpu'), waiting('train[1]', 'gpu')]);
    expect(await why(id)).toMatchObject({
      kind: 'no-worker',
      message: 'Its tasks wait, and no living worker serves their queue: train (2 of it) in gpu. Start one: npx batuta worker --queue gpu',
    });
    await beat({ queues: ['gpu'] });
    expect(await why(id)).toBe(null);
  });

  test('spread tasks of a pinned run, in a queue where no worker has its version', async () => {
    await begin();
    const id = await running();
    const claim = { runId: id, epoch: 1 };
    await at.store.pins.pin(claim, { flow: 'sync', version: 'v1' }, { flow: 'sync', version: 'v1' }, 1);
    await at.store.recorder.addRunPatch(claim, { startedAt: 1, flowVersion: 'v1' }, null);
    const train = taskRun(id, 'train', { state: stateOf('SCHEDULED'), attempt: 0, startedAt: null });
    await at.store.spread.offer(claim, [{ taskRun: train, queue: 'gpu', priority: 0, inputs: null, inputsRef: null }]);
    await beat({ id: 'owner', flows: { sync: 'v1' } });
    await beat({ id: 'new', queues: ['gpu'], flows: { sync: 'v2' } });
    expect(await why(id)).toMatchObject({
      kind: 'pinned',
      message: `Its task waits: train. The run is pinned to version v1 of the flow sync, which no living worker of the queue gpu has. Start one that has it, or let the run go on with any version: ${programName()} runs unpin ${id}`,
    });
    await beat({ id: 'old', queues: ['gpu'], flows: { sync: 'v1' } });
    expect(await why(id)).toBe(null);
  });

  test('a limit on runs, with its holders and how many wait longer', async () => {
    await begin();
    await declareLimit(1);
    const limited = { concurrencyKey: 'flow:sync' };
    const [holder, first, second] = [
      await insert({ ...limited, name: 'quick-otter' }),
      await insert({ ...limited, createdAt: systemClock.now() + 1 }),
      await insert({ ...limited, createdAt: systemClock.now() + 2 }),
    ];
    await at.store.fleet.claimMany([holder], ownerNamed('worker-1'), leaseMs);
    await at.store.fleet.claimMany([first, second], ownerNamed('worker-1'), leaseMs);
    expect(await why(first)).toEqual({
      kind: 'limit',
      message: 'Waits for the limit flow:sync (1 of 1 taken, by quick-otter).',
      untilAt: null,
      holders: [holder],
    });
    expect((await why(second))?.message).toBe('Waits for the limit flow:sync (1 of 1 taken, by quick-otter). 1 run waits for it longer.');
    await declareLimit(2);
    await beat();
    expect(await why(first)).toMatchObject({ kind: 'starting' });
  });

  test('nobody lives, nobody serves its queue, nobody knows its flow', async () => {
    await begin();
    const id = await insert({ queue: 'gpu' });
    expect(await why(id)).toMatchObject({ kind: 'no-worker', message: 'No worker lives. Start one: npx batuta worker --queue gpu' });
    await beat({ queues: ['mail', 'default'] });
    expect((await why(id))?.message).toBe(
      'No living worker serves its queue gpu; served are default, mail. Start one: npx batuta worker --queue gpu',
    );
    await beat({ queues: ['gpu'], flows: { other: 'v1' } });
    expect((await why(id))?.message).toBe('The worker of its queue gpu does not know the flow sync.');
  });

  test('a worker whose process has ended does not count from then on, and where it was the only one none lives', async () => {
    await begin(({ host, pid, processStartedAt }) => host === 'here' && pid === 7 && processStartedAt === 1_230);
    const id = await insert();
    await beat({ id: 'here:7:1240', pid: 7 });
    expect(await why(id)).toMatchObject({ kind: 'starting' });
    await at.store.workers.remove('here:7:1240');
    await beat({ id: 'here:7:1230', pid: 7 });
    expect(await why(id)).toMatchObject({ kind: 'no-worker', message: 'No worker lives. Start one: npx batuta worker' });
    await beat({ id: 'there:7:1230', host: 'there', pid: 7, queues: ['gpu'] });
    expect((await why(id))?.message).toBe('No living worker serves its queue default; served are gpu. Start one: npx batuta worker');
  });

  test('workers that have been silent for more than two heartbeats: how long ago the last of them was heard', async () => {
    let passedMs = 0;
    const store = await openStore({ url: 'sqlite::memory:', clock: { ...systemClock, now: () => systemClock.now() + passedMs } });
    at = await openEngine({ store, isOwnerGone: () => false });
    const id = await insert();
    await beat({ name: 'quiet', host: 'there' });
    passedMs = 9_000;
    expect(await why(id)).toMatchObject({ kind: 'starting' });
    passedMs = 12_000;
    expect(await why(id)).toMatchObject({
      kind: 'no-worker',
      message: expect.stringMatching(
        /^The last sign of life of a worker of its queue default came 12\.\d s ago, from quiet on there; after 15\.0 s it counts as lost\.$/,
      ),
    });
    await beat({ concurrency: 2, running: 2 });
    expect((await why(id))?.message).toBe('All workers of its queue default are busy (2 of 2 places taken); it is the next in its queue.');
    passedMs = 40_000;
    expect(await why(id)).toMatchObject({ message: 'No worker lives. Start one: npx batuta worker' });
  });

  test('workers that are busy, and runs that are ahead', async () => {
    await begin();
    await beat({ running: 4 });
    const first = await insert({ createdAt: 1 });
    const second = await insert({ createdAt: 2 });
    await insert({ createdAt: 3, priority: 5 });
    expect((await why(second))?.message).toBe('All workers of its queue default are busy (4 of 4 places taken); 2 runs are ahead of it.');
    await beat({ running: 0 });
    expect(await why(second)).toMatchObject({ kind: 'behind', message: 'In its queue default 2 runs are ahead of it.' });
    expect(await why(first)).toMatchObject({ kind: 'behind', message: 'In its queue default 1 run is ahead of it.' });
  });

  test('an instant to come: its start, the next attempt, the end of a sleep, a signal', async () => {
    await begin();
    const dueAt = systemClock.now() + 3_600_000;
    const until = new Date(dueAt).toISOString();
    expect(await why(await insert({ dueAt }))).toMatchObject({
      kind: 'scheduled',
      untilAt: dueAt,
      message: expect.stringContaining(until),
    });
    const retry = await insert({ dueAt, attempt: 2, state: stateOf('SCHEDULED', 'AwaitingRetry', 'it broke') });
    expect(await why(retry)).toMatchObject({
      kind: 'backoff',
      untilAt: dueAt,
      message: expect.stringMatching(/^Attempt 2 follows in 1 h 00 m, at .*Z\. The last failed: it broke$/),
    });
    const error = failureOf(new Error('it broke'));
    const flowRetry = await running();
    const again = { attempt: 2, dueAt, state: stateOf('SCHEDULED', 'AwaitingRetry', 'The flow is tried again.'), error };
    await at.store.recorder.addRunPatch({ runId: flowRetry, epoch: 1 }, again, null);
    expect((await why(flowRetry))?.message).toMatch(/^Attempt 2 follows in .* The last failed: it broke$/);
    const asleep = await insert({ dueAt, state: stateOf('PAUSED', 'Suspended', 'Sleeping for 1h.') });
    expect(await why(asleep)).toMatchObject({
      kind: 'sleeping',
      untilAt: dueAt,
      message: `Sleeping for 1h. It goes on in 1 h 00 m, at ${until}.`,
    });
    const waits = await insert({ state: stateOf('PAUSED', 'Suspended', `Waiting for the signal 'approved'.`) });
    expect(await why(waits)).toEqual({ kind: 'signal', message: `Waiting for the signal 'approved'.`, untilAt: null, holders: [] });
  });

  test('a process that is lost, and within what time another goes on', async () => {
    await begin(({ id }) => id === 'gone');
    const id = await running({}, ownerNamed('gone'));
    expect(await why(id)).toMatchObject({
      kind: 'owner-lost',
      message: expect.stringMatching(/^Its process gone was lost, and no worker lives/),
    });
    await beat();
    expect((await why(id))?.message).toBe('Its process gone was lost; another goes on with it within 5 s.');
  });

  test('tasks that all wait: for a limit, for time, for a signal; not while one of them works', async () => {
    await begin();
    await at.client.limits.set('tag:db', 1);
    const [holder, id] = [await running(), await running()];
    const claim = { runId: id, epoch: 1 };
    const wish = (runId: string, holderId: string) => ({
      ...{ holder: holderId, runId, epoch: 1, spread: false, names: ['tag:db'], task: 'load', priority: 0 },
    });
    await at.store.limits.askSlots('worker-1', [wish(holder, makeId())]);
    const rows = ['load[0]', 'load[1]'].map((key) => taskRun(id, key, { state: stateOf('SCHEDULED', 'AwaitingSlot') }));
    for (const row of rows) await at.store.recorder.addTaskRun(claim, row, null);
    await at.store.limits.askSlots(
      'worker-1',
      rows.map((row) => wish(id, row.id)),
    );
    expect(await why(id)).toEqual({
      kind: 'task-limit',
      message: 'Its tasks wait: load (2 of it) for the limit tag:db (1 of 1 taken).',
      untilAt: null,
      holders: [holder],
    });
    const works = taskRun(id, 'other');
    await at.store.recorder.addTaskRun(claim, works, null);
    expect(await why(id)).toBe(null);

    const dueAt = systemClock.now() + 60_000;
    const retried = await running();
    const failed = { state: stateOf('SCHEDULED', 'AwaitingRetry', 'it broke'), dueAt, error: failureOf(new Error('it broke')) };
    await at.store.recorder.addTaskRun({ runId: retried, epoch: 1 }, taskRun(retried, 'load', failed), null);
    expect(await why(retried)).toMatchObject({
      kind: 'backoff',
      untilAt: dueAt,
      message: expect.stringMatching(/^Attempt 2 of task load follows in .*, at .*Z\. The last failed: it broke$/),
    });
    const parked = { state: stateOf('SCHEDULED', 'AwaitingRetry', 'Task load is tried again.'), dueAt };
    await at.store.recorder.addRunPatch({ runId: retried, epoch: 1 }, parked, null);
    expect((await why(retried))?.message).toMatch(/^Attempt 2 of task load follows in /);
    const waiting = await running();
    const wait = { name: 'signal:approved', state: stateOf('PAUSED', 'Suspended', `Waiting for the signal 'approved'.`) };
    await at.store.recorder.addTaskRun({ runId: waiting, epoch: 1 }, taskRun(waiting, 'signal:approved#x#1', wait), null);
    expect(await why(waiting)).toMatchObject({ kind: 'signal', message: `Waiting for the signal 'approved'.` });
  });
});
