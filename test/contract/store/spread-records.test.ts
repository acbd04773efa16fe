/** What holders record of spread tasks, and how lost ones continue: each its own and nothing else; over both makers. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeId } from '../../../src/base/id.ts';
import type { Artifact, TaskRun } from '../../../src/model/run.ts';
import type { ResourceUse } from '../../../src/model/resource-use.ts';
import { stateOf } from '../../../src/model/state.ts';
import type { Claim, ClaimedWrite, Store, TaskClaim } from '../../../src/store/store.ts';
import { makers, type Place } from './makers.ts';
import { endRun, leaseMs, ownerNamed, startedAt, startRun, taskRun, transitionOf } from './rows.ts';

const worker = ownerNamed('worker');
const living = ownerNamed('living');
const reclaiming = { limit: 100, maxRecoveries: 3, goneOwners: [worker] };

/** A task run that somebody holds, with its row as it was offered. */
interface Held {
  readonly claim: TaskClaim;
  readonly row: TaskRun;
}

const write = ({ claim }: Held, row: TaskRun | null, changes: Partial<ClaimedWrite> = {}): ClaimedWrite => ({
  ...{ claim, taskRun: row, transitions: row === null ? [] : [transitionOf(row)], artifacts: [] },
  ...changes,
});
const completed = ({ row }: Held): TaskRun => ({ ...row, state: stateOf('COMPLETED'), attempt: 1, endedAt: startedAt + 5 });

const artifactOf = ({ row: { runId, id: taskRunId } }: Held, changes: Partial<Artifact> = {}): Artifact => ({
  ...{ id: makeId(), runId, taskRunId, kind: 'json', name: 'found', data: [1], createdAt: startedAt },
  ...changes,
});
const useOf = ({ row }: Held): ResourceUse => ({
  ...{ id: makeId(), runId: row.runId, taskRunId: row.id, resource: 'pool', scope: 'task', beganAt: startedAt, openedAt: startedAt },
  ...{ closingAt: null, closedAt: null, error: null },
});

describe.each(makers)('records of spread tasks on $name', (maker) => {
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

  async function hold(of: Claim, key: string, owner = worker): Promise<Held> {
    const row = taskRun(of.runId, key, { state: stateOf('SCHEDULED'), attempt: 0, startedAt: null });
    await store.spread.offer(of, [{ taskRun: row, queue: 'default', priority: 0, inputs: '[1]', inputsRef: null }]);
    const claimed = (await store.spread.claimMany([row.id], owner, leaseMs)).get(row.id);
    if (!claimed) throw new Error('It was not to be had.');
    return { claim: claimed.claim, row };
  }
  const rowOf = async ({ row: { runId, id } }: Held) => (await store.taskRuns.ofRun(runId)).find((row) => row.id === id);
  const historyOf = async ({ row: { runId, id } }: Held) => (await store.transitions.ofRun(runId, id)).map(({ name }) => name);
  const endByOwner = async (of: Claim, held: Held): Promise<TaskRun> => {
    const row = { ...held.row, state: stateOf('CANCELLED', 'Cancelled', 'Enough.'), endedAt: startedAt + 3 };
    await store.recorder.addTaskRun(of, row, transitionOf(row));
    return row;
  };

  test('an end lets go of the task run it is of, and of none beside it or of that name in another run', async () => {
    const [own, next, foreign] = [await hold(run, 'a'), await hold(run, 'b'), await hold(beside, 'a')];
    expect(await store.spread.write([write(own, completed(own))])).toEqual([]);
    expect(await rowOf(own)).toEqual(completed(own));
    expect(await store.resultRefs(run.runId)).toEqual([]);
    expect([await rowOf(next), await rowOf(foreign)]).toEqual([next.row, foreign.row]);
    expect(await store.spread.ended([own, next, foreign].map(({ row }) => row.id))).toEqual([completed(own)]);
    expect(await store.spread.renew([own.claim, next.claim, foreign.claim], leaseMs)).toEqual([own.claim]);
    expect(await store.spread.release(own.claim, null)).toBeNull();
    expect(await store.spread.write([next, foreign].map((held) => write(held, completed(held))))).toEqual([]);
    expect(await store.spread.owners()).toEqual([]);
  });

  test('a beginning lets go of nothing', async () => {
    const held = await hold(run, 'a');
    const running = { ...held.row, state: stateOf('RUNNING'), attempt: 1, startedAt };
    expect(await store.spread.write([write(held, running)])).toEqual([]);
    expect([await rowOf(held), await store.spread.owners()]).toEqual([running, [worker]]);
    expect(await store.spread.write([write(held, completed(held))])).toEqual([]);
  });

  test('what is kept without a change of state is kept while it is held, and refused after its end', async () => {
    const [held, ended] = [await hold(run, 'a'), await hold(run, 'b')];
    await store.spread.write([write(ended, completed(ended))]);
    const [kept, late] = [artifactOf(held), artifactOf(ended)];
    const writes = [write(held, null, { artifacts: [kept] }), write(ended, null, { artifacts: [late], resourceUses: [useOf(ended)] })];
    expect(await store.spread.write(writes)).toEqual([ended.claim]);
    expect(await store.artifacts.ofRun(run.runId)).toEqual([kept]);
    expect(await store.resourceUses.ofRun(run.runId)).toEqual([]);
    expect([await rowOf(held), await rowOf(ended)]).toEqual([held.row, completed(ended)]);
  });

  test('of several writes the refused one leaves nothing behind, and takes none with it', async () => {
    const [bad, good] = [await hold(run, 'bad'), await hold(run, 'good')];
    const [file, plain] = [artifactOf(good, { ref: 'somewhere/file' }), artifactOf(good)];
    const row = { ...completed(good), resultRef: 'somewhere/good' };
    const old = { ...bad, claim: { ...bad.claim, epoch: 7 } };
    const refused = write(
      old,
      { ...completed(bad), resultRef: 'somewhere/bad' },
      { artifacts: [artifactOf(bad)], resourceUses: [useOf(bad)] },
    );
    const use = useOf(good);
    expect(await store.spread.write([refused, write(good, row, { artifacts: [file, plain], resourceUses: [use] })])).toEqual([old.claim]);
    expect([await rowOf(bad), await historyOf(bad)]).toEqual([bad.row, ['Scheduled']]);
    expect([await rowOf(good), await historyOf(good)]).toEqual([row, ['Scheduled', 'Completed']]);
    expect((await store.artifacts.ofRun(run.runId)).map(({ id }) => id).toSorted()).toEqual([file.id, plain.id].toSorted());
    expect(await store.resourceUses.ofRun(run.runId)).toEqual([use]);
    expect((await store.resultRefs(run.runId)).toSorted()).toEqual(['somewhere/file', 'somewhere/good']);
  });

  test('once the owner of the run has ended a task run, its holder records nothing over that', async () => {
    const held = await hold(run, 'a');
    const ended = await endByOwner(run, held);
    expect(await store.spread.write([write(held, completed(held), { artifacts: [artifactOf(held)] })])).toEqual([held.claim]);
    expect([await rowOf(held), await historyOf(held)]).toEqual([ended, ['Scheduled', 'Cancelled']]);
    expect(await store.artifacts.ofRun(run.runId)).toEqual([]);
  });

  test('a lost task run waits again, due at once and with a sentence; those of living workers and of other runs stay as they are', async () => {
    const [lost, next, foreign] = [await hold(run, 'a'), await hold(run, 'b', living), await hold(beside, 'a', living)];
    const waiting = { ...lost.row, state: stateOf('SCHEDULED', 'AwaitingSlot', 'Waits.'), attempt: 2, dueAt: startedAt + 9_000 };
    await store.spread.write([write(lost, waiting)]);
    const report = await store.spread.reclaim(reclaiming);
    expect(report).toMatchObject({ waiting: [{ id: lost.row.id, epoch: 2, dueAt: null }], ended: [] });
    const row = await rowOf(lost);
    expect(row).toMatchObject({ state: { type: 'SCHEDULED', name: 'Resuming' }, endedAt: null, dueAt: null, attempt: 2 });
    expect((await store.transitions.ofRun(run.runId, lost.row.id)).at(-1)).toMatchObject({ ...row?.state, attempt: 2, owner: null });
    expect([await rowOf(next), await rowOf(foreign)]).toEqual([next.row, foreign.row]);
    expect(await store.spread.owners()).toEqual([living]);
    expect([...(await store.spread.claimMany([lost.row.id], living, leaseMs)).keys()]).toEqual([lost.row.id]);
  });

  const cancels: readonly (readonly [string, (of: Claim) => Promise<unknown>])[] = [
    ['is being cancelled', (of) => store.recorder.addRunPatch(of, { state: stateOf('CANCELLING') }, null)],
    [
      'was asked to end, which its owner has not seen yet',
      async (of) => {
        await store.runs.requestCancel(of.runId, startedAt, 'Enough.', () => false);
        await store.recorder.addRunPatch(of, { state: stateOf('RUNNING') }, null);
      },
    ],
  ];
  test.each(cancels)('a lost task run of a run that %s is Cancelled, and that of another waits again', async (_, cancel) => {
    const [own, foreign] = [await hold(run, 'a'), await hold(beside, 'a')];
    await cancel(run);
    const { waiting, ended } = await store.spread.reclaim(reclaiming);
    expect([waiting.map(({ id }) => id), ended]).toMatchObject([[foreign.row.id], [{ id: own.row.id, runId: run.runId }]]);
    const row = await rowOf(own);
    expect(row).toMatchObject({ state: { type: 'CANCELLED', message: ended[0]?.message }, dueAt: null });
    expect(row?.endedAt).toBeGreaterThan(startedAt);
    expect(await store.spread.ended([own, foreign].map(({ row: { id } }) => id))).toEqual([row]);
    expect((await rowOf(foreign))?.state.name).toBe('Resuming');
    await store.recorder.addRunPatch(run, { state: stateOf('RUNNING') }, null);
    expect([...(await store.spread.claimMany([own.row.id, foreign.row.id], living, leaseMs)).keys()]).toEqual([foreign.row.id]);
  });

  test('a lost task run whose end is recorded, or whose run has ended, is let go of without a change', async () => {
    const [own, unended] = [await hold(run, 'a'), await hold(beside, 'b')];
    const row = await endByOwner(run, own);
    await endRun(store, beside);
    expect(await store.spread.reclaim(reclaiming)).toEqual({ waiting: [], ended: [] });
    expect([await rowOf(own), await historyOf(own)]).toEqual([row, ['Scheduled', 'Cancelled']]);
    expect([await rowOf(unended), await historyOf(unended)]).toEqual([unended.row, ['Scheduled']]);
    expect(await store.spread.owners()).toEqual([]);
  });

  test('of those that were lost together the ended one leaves the waiting one alone', async () => {
    const [over, open] = [await hold(run, 'over'), await hold(run, 'open')];
    await endByOwner(run, over);
    expect((await store.spread.reclaim(reclaiming)).waiting.map(({ id }) => id)).toEqual([open.row.id]);
    expect((await rowOf(over))?.state.name).toBe('Cancelled');
    expect([...(await store.spread.claimMany([over.row.id, open.row.id], living, leaseMs)).keys()]).toEqual([open.row.id]);
  });
});
