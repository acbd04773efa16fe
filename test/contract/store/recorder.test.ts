/** What the recorder promises, over both makers. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { failureOf } from '../../../src/model/failure.ts';
import type { RunPatch, TaskRun } from '../../../src/model/run.ts';
import { stateOf } from '../../../src/model/state.ts';
import type { Claim, Store } from '../../../src/store/store.ts';
import { makers } from './makers.ts';
import type { Place } from './makers.ts';
import { leaseMs, logLine, newRun, owner, ownerNamed, startRun, startedAt, taskRun, transitionOf } from './rows.ts';

describe.each(makers)('recorder on $name', (maker) => {
  let here: Place;
  let store: Store;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
  });
  afterEach(() => here.remove());

  test('a new run is durable with its transition once the promise resolves', async () => {
    const run = newRun({ tags: ['a', 'ü'], deployment: 'nightly', source: 'flows/x.ts#X', scheduledFor: 5, dueAt: 6 });
    await store.recorder.addRun(run, owner, leaseMs);
    const other = await here.open();
    const stored = await other.runs.get(run.id);
    expect(stored).toMatchObject({ ...run, epoch: 1, owner, recoveries: 0, result: null, error: null, startedAt: null, endedAt: null });
    expect(stored?.leaseUntil).toBeGreaterThan(Date.now());
    expect(await other.transitions.ofRun(run.id)).toEqual([
      { runId: run.id, taskRunId: null, at: startedAt, ...run.state, attempt: 1, owner: owner.id },
    ]);
  });

  test('a task run comes back as it was added, every field of it', async () => {
    const claim = await startRun(store);
    const row = taskRun(claim.runId, 'join[3]', {
      displayName: 'Join “März”',
      index: 3,
      state: stateOf('FAILED', 'TimedOut', 'took too long'),
      attempt: 2,
      endedAt: startedAt + 5,
      dueAt: startedAt + 9,
      dependsOn: ['a', 'b[1]'],
      progress: { done: 3, total: null },
      metrics: { rows: 1.5 },
      result: '{"json":[1,"\\u0000"]}',
      resultRef: 'results/abc',
      error: failureOf(new TypeError('no', { cause: new Error('deeper') })),
      childRunId: newRun().id,
    });
    await store.recorder.addTaskRun(claim, row, transitionOf(row));
    expect(await store.taskRuns.ofRun(claim.runId)).toEqual([row]);
    expect(await store.resultRefs(claim.runId)).toEqual(['results/abc']);
  });

  test('what the owner changes of a run comes back, every field of it', async () => {
    const claim = await startRun(store);
    const patch = {
      ...{ state: stateOf('PAUSED', 'Suspended', 'asleep'), name: 'loud-otter', flowVersion: 'v2', attempt: 2, dueAt: startedAt + 9 },
      ...{ startedAt: startedAt + 1, endedAt: startedAt + 2, resultRef: 'results/abc', result: '{"json":1}' },
      ...{ error: failureOf(new TypeError('no')), executedMs: 7, resumedAt: startedAt + 3, mapped: { load: 3 } },
    } satisfies Required<RunPatch>;
    await store.recorder.addRunPatch(claim, patch, null);
    expect(await store.runs.get(claim.runId)).toMatchObject(patch);
  });

  test('rows of one task run that wait for the same flush are merged, and all transitions are kept in order', async () => {
    const claim = await startRun(store);
    const running = taskRun(claim.runId, 'load');
    const completed = { ...running, state: stateOf('COMPLETED'), result: '{"json":1}' };
    const first = store.recorder.addTaskRun(claim, running, transitionOf(running));
    const second = store.recorder.addTaskRun(claim, completed, transitionOf(completed, startedAt + 1));
    expect(second).toBe(first);
    await second;
    expect(await store.taskRuns.ofRun(claim.runId)).toEqual([completed]);
    expect((await store.transitions.ofRun(claim.runId, running.id)).map(({ name }) => name)).toEqual(['Running', 'Completed']);
  });

  /** Begins and ends task runs in one flush, as an engine does with short tasks. */
  async function recordQuick(claim: Claim, rows: readonly TaskRun[], isNew: boolean): Promise<TaskRun[]> {
    for (const row of rows) void store.recorder.addTaskRun(claim, row, transitionOf(row, startedAt + 1), isNew);
    const ended = rows.map((row) => ({ ...row, state: stateOf('COMPLETED'), endedAt: startedAt + 2, result: '{"json":"\\u0000é"}' }));
    await Promise.all(ended.map((row) => store.recorder.addTaskRun(claim, row, transitionOf(row, startedAt + 3))));
    return ended;
  }

  test('new task runs that begin and end in one flush come back with the times of both', async () => {
    const claim = await startRun(store);
    const rows = Array.from({ length: 3 }, (_, index) => taskRun(claim.runId, `load[${index}]`, { index }));
    const ended = await recordQuick(claim, rows, true);
    expect(await store.taskRuns.ofRun(claim.runId)).toEqual(ended);
    for (const row of ended) {
      const moves = [transitionOf({ ...row, state: stateOf('RUNNING') }, startedAt + 1), transitionOf(row, startedAt + 3)];
      expect(await store.transitions.ofRun(claim.runId, row.id)).toEqual(moves);
    }
  });

  test('a task run that was not new, though it was said to be, is replaced, and the rest of its flush written once', async () => {
    const claim = await startRun(store);
    const rows = Array.from({ length: 3 }, (_, index) => taskRun(claim.runId, `load[${index}]`, { index }));
    const [, known] = rows as [TaskRun, TaskRun];
    await store.recorder.addTaskRun(claim, { ...known, state: stateOf('SCHEDULED'), attempt: 0 }, null);
    const ended = await recordQuick(claim, rows, true);
    expect((await store.taskRuns.ofRun(claim.runId)).toSorted((a, b) => (a.index ?? 0) - (b.index ?? 0))).toEqual(ended);
    expect(await store.transitions.ofRun(claim.runId)).toHaveLength(7);
  });

  test.each([
    { what: 'a second attempt', changes: { attempt: 2, state: stateOf('RUNNING', 'Retrying') } },
    { what: 'a name', changes: { displayName: 'März' } },
    { what: 'progress', changes: { progress: { done: 1, total: 2 } } },
    { what: 'needs', changes: { dependsOn: ['list'] } },
  ])('a new task run with $what keeps it, though it begins and ends in one flush', async ({ changes }) => {
    const claim = await startRun(store);
    const ended = await recordQuick(claim, [taskRun(claim.runId, 'load', changes)], true);
    expect(await store.taskRuns.ofRun(claim.runId)).toEqual(ended);
    const names = (await store.transitions.ofRun(claim.runId)).map(({ name, attempt }) => [name, attempt]);
    const attempt = changes.attempt ?? 1;
    expect(names).toEqual([
      ['Running', 1],
      [attempt === 1 ? 'Running' : 'Retrying', attempt],
      ['Completed', attempt],
    ]);
  });

  test('new task runs of a run that was lost are refused, begun and ended in one flush or not', async () => {
    const claim = await startRun(store);
    const lost: Claim[] = [];
    store.recorder.onFenced((one) => lost.push(one));
    const old = { ...claim, epoch: claim.epoch - 1 };
    await recordQuick(old, [taskRun(claim.runId, 'load')], true);
    expect(lost).toMatchObject([{ runId: claim.runId, epoch: old.epoch }]);
    expect(await store.taskRuns.ofRun(claim.runId)).toEqual([]);
    expect(await store.transitions.ofRun(claim.runId)).toHaveLength(1);
  });

  test('a flush that has its 1,000 rows still takes the end of what began in it, and no row more', async () => {
    const claim = await startRun(store);
    const rows = Array.from({ length: 1_001 }, (_, at) => taskRun(claim.runId, `load[${at}]`));
    const begun = rows.map((row) => store.recorder.addTaskRun(claim, row, transitionOf(row)));
    expect(begun[999]).toBe(begun[0]);
    expect(begun[1_000]).not.toBe(begun[0]);
    await Promise.all(begun);
    const again = rows.slice(0, 1_000).map((row) => store.recorder.addTaskRun(claim, row, null));
    const completed = { ...rows[0], state: stateOf('COMPLETED') } as TaskRun;
    expect(store.recorder.addTaskRun(claim, completed, transitionOf(completed))).toBe(again[0]);
    await again[0];
    expect((await store.taskRuns.ofRun(claim.runId))[0]).toEqual(completed);
  });

  test('a run, its tasks and its end may share one flush', async () => {
    const run = newRun();
    const claim = { runId: run.id, epoch: 1 };
    const row = taskRun(run.id, 'hello', { state: stateOf('COMPLETED') });
    const added = [
      store.recorder.addRun(run, owner, leaseMs),
      store.recorder.addTaskRun(claim, row, transitionOf(row)),
      store.recorder.addRunPatch(claim, { state: stateOf('COMPLETED'), endedAt: 7, result: '1', resultRef: 'k' }, null),
    ];
    expect(new Set(added).size).toBe(1);
    await Promise.all(added);
    expect(await store.runs.get(run.id)).toMatchObject({ state: { type: 'COMPLETED' }, endedAt: 7, result: '1' });
    expect(await store.taskRuns.ofRun(run.id)).toHaveLength(1);
    expect(await store.resultRefs(run.id)).toEqual(['k']);
  });

  test('a patch changes what it names and nothing else, and may set null', async () => {
    const claim = await startRun(store, { dueAt: 5 });
    await store.recorder.addRunPatch(claim, { startedAt: 3, error: failureOf('x') }, null);
    void store.recorder.addRunPatch(claim, { error: null, name: 'calm-owl' }, null);
    await store.recorder.addRunPatch(claim, { dueAt: null, attempt: 2 }, null);
    expect(await store.runs.get(claim.runId)).toMatchObject({
      startedAt: 3,
      error: null,
      name: 'calm-owl',
      dueAt: null,
      attempt: 2,
      flow: 'flight-delays',
    });
  });

  test('writes of an old epoch are refused, told before the promise settles, and do not touch those of others', async () => {
    const claim = await startRun(store);
    const healthy = await startRun(store);
    const other = await here.open();
    expect((await other.runs.claim(claim.runId, ownerNamed('other'), leaseMs, () => true)).claimed).toBe(true);
    const refused: Claim[] = [];
    store.recorder.onFenced((lost) => refused.push(lost));
    const stale = taskRun(claim.runId, 'late', { resultRef: 'late' });
    const fine = taskRun(healthy.runId, 'fine');
    void store.recorder.addRunPatch(claim, { state: stateOf('COMPLETED') }, null);
    void store.recorder.addArtifact(claim, {
      id: stale.id,
      runId: claim.runId,
      taskRunId: null,
      kind: 'json',
      name: 'a',
      data: 1,
      createdAt: 1,
    });
    void store.recorder.addLog(logLine(claim.runId, 'printed all the same'));
    void store.recorder.addTaskRun(healthy, fine, transitionOf(fine));
    await store.recorder.addTaskRun(claim, stale, transitionOf(stale));
    expect(refused).toEqual([claim]);
    expect(await store.taskRuns.ofRun(claim.runId)).toEqual([]);
    expect(await store.transitions.ofRun(claim.runId, stale.id)).toEqual([]);
    expect(await store.artifacts.ofRun(claim.runId)).toEqual([]);
    expect(await store.resultRefs(claim.runId)).toEqual([]);
    expect((await store.runs.get(claim.runId))?.state.type).toBe('RUNNING');
    expect(await store.logs.ofRun(claim.runId)).toHaveLength(1);
    expect(await store.taskRuns.ofRun(healthy.runId)).toEqual([fine]);
  });

  test('a run that was deleted refuses what its owner still writes', async () => {
    const claim = await startRun(store);
    await store.runs.delete(claim.runId, { force: true });
    const refused: Claim[] = [];
    store.recorder.onFenced((lost) => refused.push(lost));
    await store.recorder.addTaskRun(claim, taskRun(claim.runId, 'late'), null);
    expect(refused).toEqual([claim]);
    expect(await store.taskRuns.ofRun(claim.runId)).toEqual([]);
  });

  test('ten thousand task runs added at once are all there, in the order they were added', async () => {
    const claim = await startRun(store);
    const rows = Array.from({ length: 10_000 }, (_, index) => taskRun(claim.runId, `item[${index}]`, { index }));
    await Promise.all(rows.map((row) => store.recorder.addTaskRun(claim, row, transitionOf(row))));
    expect((await store.taskRuns.ofRun(claim.runId)).map(({ index }) => index)).toEqual(rows.map(({ index }) => index));
    expect(await store.transitions.ofRun(claim.runId)).toHaveLength(10_001);
    expect(await store.taskRuns.countsOfRun(claim.runId)).toEqual([{ name: 'item', state: 'Running', count: 10_000 }]);
  });

  test('a task run recorded again keeps its place', async () => {
    const claim = await startRun(store);
    const [first, second] = [taskRun(claim.runId, 'first'), taskRun(claim.runId, 'second')];
    await Promise.all([first, second].map((row) => store.recorder.addTaskRun(claim, row, null)));
    await store.recorder.addTaskRun(claim, { ...first, progress: { done: 1, total: 2 } }, null);
    expect((await store.taskRuns.ofRun(claim.runId)).map(({ key }) => key)).toEqual(['first', 'second']);
  });

  test('what people print cannot stop a flush: NUL, half a surrogate, emoji, quotes, a megabyte', async () => {
    const claim = await startRun(store);
    const messages = ['a\0b', 'x\ud800y', '\\u0000 written out', '🎼 "quoted" \\ $1 ?1', 'm'.repeat(1_000_000)];
    await Promise.all(messages.map((message) => store.recorder.addLog(logLine(claim.runId, message, { fields: { message } }))));
    const stored = (await store.logs.ofRun(claim.runId)).map(({ message }) => message);
    // Whatever is stored, no more of a line is shown than any setting allows to be made.
    const shown = `${'m'.repeat(256 * 1024)} [${1_000_000 - 256 * 1024} more characters were cut]`;
    expect(stored).toEqual(['a\ufffdb', 'x\ufffdy', ...messages.slice(2, 4), shown]);
  });

  test('artifacts keep their data and their order', async () => {
    const claim = await startRun(store);
    const artifacts = [2, 1].map((createdAt) => ({
      id: newRun().id,
      runId: claim.runId,
      taskRunId: null,
      kind: 'table' as const,
      name: `t${createdAt}`,
      data: [{ a: null, b: 'ß' }],
      createdAt,
    }));
    await Promise.all(artifacts.map((artifact) => store.recorder.addArtifact(claim, artifact)));
    expect(await store.artifacts.ofRun(claim.runId)).toEqual(artifacts.toReversed());
  });
});
