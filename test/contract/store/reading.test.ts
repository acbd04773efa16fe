/** Lists, lookups, logs, flows, deleting and pruning, over both makers. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { stateOf } from '../../../src/model/state.ts';
import type { RunFilter, Store, StoredFlow } from '../../../src/store/store.ts';
import { makers } from './makers.ts';
import type { Place } from './makers.ts';
import { endRun, leaseMs, logLine, newRun, owner, startRun, startedAt, taskRun } from './rows.ts';

const flow: StoredFlow = {
  name: 'flight-delays',
  version: 'v1',
  description: null,
  tags: ['demo'],
  kind: 'graph',
  graph: { tasks: [] },
  concurrency: null,
  paramsSchema: null,
  source: 'flows/x.ts#X',
  updatedAt: 1,
};

describe.each(makers)('reading on $name', (maker) => {
  let here: Place;
  let store: Store;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
  });
  afterEach(() => here.remove());

  async function names(filter: RunFilter): Promise<string[]> {
    return (await store.runs.list(filter)).items.map(({ name }) => name);
  }

  test('a run is found by the beginning of its id when only one begins so', async () => {
    const ids = ['0193aaaa-0000-7000-8000-000000000001', '0193aaaa-0000-7000-8000-000000000002', '0193bbbb-0000-7000-8000-000000000003'];
    for (const id of ids) await store.runs.insert(newRun({ id }));
    expect((await store.runs.get('0193b'))?.id).toBe(ids[2]);
    expect((await store.runs.get('0193aaaa-0000-7000-8000-000000000002'))?.id).toBe(ids[1]);
    expect(await store.runs.get('0193c')).toBeNull();
    expect(await store.runs.get('019')).toBeNull();
    await expect(store.runs.get('0193')).rejects.toMatchObject({ code: 'RUN_NOT_FOUND', message: expect.stringContaining('3 runs') });
    await expect(store.runs.get('0193aaaa')).rejects.toThrow(`${ids[0]} (`);
    expect(await store.runs.get('%%%%')).toBeNull();
  });

  test('a run is found by the end of its id, in any case, and several that end so are named', async () => {
    const ids = ['0193aaaa-0000-7000-8000-0000beef1234', '0193aaaa-0000-7000-8000-0001beef1234', '0193aaaa-0000-7000-8000-00010000ab1c'];
    const states = [stateOf('COMPLETED'), stateOf('PAUSED'), stateOf('FAILED')];
    for (const [index, id] of ids.entries()) await store.runs.insert(newRun({ id, state: states[index] ?? stateOf('SCHEDULED') }));
    expect((await store.runs.get('AB1C'))?.id).toBe(ids[2]);
    expect((await store.runs.get('0000ab1c'))?.id).toBe(ids[2]);
    expect((await store.runs.get('8000-0001beef1234'))?.id).toBe(ids[1]);
    expect([await store.runs.get('b1c'), await store.runs.get('eef12345'), await store.runs.get('%1234')]).toEqual([null, null, null]);
    const thrown: unknown = await store.runs.get('beef1234').catch((error: unknown) => error);
    expect(thrown).toMatchObject({
      code: 'RUN_NOT_FOUND',
      details: { id: 'beef1234', count: 2 },
      message: expect.stringContaining('2 runs'),
    });
    expect(thrown).toMatchObject({ details: { candidates: [{ id: ids[1], label: expect.stringContaining(' of ') }, { id: ids[0] }] } });
    await expect(store.runs.get('0193')).rejects.toMatchObject({ details: { count: 3 } });
  });

  test('a filter by a parent or a backfill takes the end of its id', async () => {
    const parent = newRun();
    await store.runs.insert(parent);
    await store.runs.insert(newRun({ name: 'child', parentRunId: parent.id }));
    expect(await names({ parentRunId: parent.id.slice(-8) })).toEqual(['child']);
    expect(await names({ parentRunId: 'ffffffff' })).toEqual([]);
  });

  test('lists come newest first, and pages neither skip nor repeat although many were made in the same instant', async () => {
    await Promise.all(
      Array.from({ length: 25 }, (_, index) => store.recorder.addRun(newRun({ createdAt: startedAt + (index % 3) }), owner, leaseMs)),
    );
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<Store['runs']['list']>> = await store.runs.list({ limit: 4, ...(cursor === null ? {} : { cursor }) });
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.next;
      await store.runs.insert(newRun({ createdAt: startedAt + 100 }));
    } while (cursor !== null);
    expect(new Set(seen).size).toBe(25);
    expect(seen).toHaveLength(25);
    expect((await store.runs.list({ limit: 32 })).next).toBeNull();
  });

  test('each filter picks what it names, and all of them together', async () => {
    const parentRunId = newRun().id;
    await store.runs.insert(newRun({ name: 'a', flow: 'other', tags: ['red', 'sky'], createdAt: 1 }));
    await store.runs.insert(newRun({ name: 'b', deployment: 'nightly', state: stateOf('SCHEDULED', 'AwaitingRetry'), createdAt: 2 }));
    await store.runs.insert(newRun({ name: 'c', parentRunId, state: stateOf('COMPLETED', 'Skipped'), tags: ['red'], createdAt: 3 }));
    expect(await names({ flow: 'other' })).toEqual(['a']);
    expect(await names({ deployment: 'nightly' })).toEqual(['b']);
    expect(await names({ states: ['awaitingretry'] })).toEqual(['b']);
    expect(await names({ states: ['Completed', 'running'] })).toEqual(['c', 'a']);
    expect(await names({ states: ['nonsense'] })).toEqual([]);
    expect(await names({ states: [] })).toEqual(['c', 'b', 'a']);
    expect(await names({ tag: 'red' })).toEqual(['c', 'a']);
    expect(await names({ tag: 're' })).toEqual([]);
    expect(await names({ since: 2 })).toEqual(['c', 'b']);
    expect(await names({ until: 2 })).toEqual(['a']);
    expect(await names({ parentRunId: null })).toEqual(['b', 'a']);
    expect(await names({ parentRunId, tag: 'red', states: ['SKIPPED'], since: 3, until: 4, flow: 'flight-delays' })).toEqual(['c']);
    expect((await store.runs.children(parentRunId)).map(({ name }) => name)).toEqual(['c']);
  });

  test.each([{ limit: 0 }, { limit: 1001 }, { limit: 1.5 }, { cursor: 'nonsense' }, { cursor: '' }])(
    'a list refuses %j',
    async (filter) => {
      await expect(store.runs.list(filter)).rejects.toMatchObject({ code: 'FILTER_INVALID' });
    },
  );

  test('logs are followed by their place, cut to their end, and filtered by level and task', async () => {
    const claim = await startRun(store);
    const task = taskRun(claim.runId, 'a');
    for (let index = 0; index < 6; index += 1) {
      void store.recorder.addLog(
        logLine(claim.runId, `${index}`, { level: index % 2 === 0 ? 30 : 50, taskRunId: index < 2 ? task.id : null }),
      );
    }
    await store.recorder.flush();
    const read = async (filter: Parameters<Store['logs']['ofRun']>[1]) =>
      (await store.logs.ofRun(claim.runId, filter)).map(({ message }) => message);
    expect(await read({})).toEqual(['0', '1', '2', '3', '4', '5']);
    expect(await read({ tail: 2 })).toEqual(['4', '5']);
    expect(await read({ minLevel: 40 })).toEqual(['1', '3', '5']);
    expect(await read({ taskRunId: task.id })).toEqual(['0', '1']);
    expect(await read({ limit: 2 })).toEqual(['0', '1']);
    const third = (await store.logs.ofRun(claim.runId))[2];
    expect(await read({ after: third?.seq ?? 0 })).toEqual(['3', '4', '5']);
    await expect(read({ limit: 0 })).rejects.toMatchObject({ code: 'FILTER_INVALID' });
  });

  test('a flow is put once, replaced when it changed, and left alone when it did not', async () => {
    await store.flows.put(flow);
    await store.flows.put({ ...flow, updatedAt: 2 });
    expect(await store.flows.get(flow.name)).toEqual(flow);
    const changed = { ...flow, version: 'v2', paramsSchema: { type: 'object' }, updatedAt: 3 };
    await store.flows.put(changed);
    await store.flows.put({ ...flow, name: 'another' });
    expect((await store.flows.list()).map(({ name, version }) => [name, version])).toEqual([
      ['another', 'v1'],
      ['flight-delays', 'v2'],
    ]);
    expect(await store.flows.get(flow.name)).toEqual(changed);
    expect(await store.flows.get('none')).toBeNull();
  });

  test('deleting takes the run, its sub-flow runs and all that belongs to them, and only when it has ended or is forced', async () => {
    const parent = await startRun(store);
    const child = await startRun(store, { parentRunId: parent.runId });
    const grandchild = await startRun(store, { parentRunId: child.runId });
    const bystander = await startRun(store);
    for (const claim of [parent, child, grandchild, bystander]) {
      void store.recorder.addTaskRun(claim, taskRun(claim.runId, 'a', { resultRef: `${claim.runId}/a` }), null);
      void store.recorder.addLog(logLine(claim.runId, 'hello'));
      void store.recorder.addArtifact(claim, {
        id: newRun().id,
        runId: claim.runId,
        taskRunId: null,
        kind: 'link',
        name: 'x',
        data: 'y',
        createdAt: 1,
      });
    }
    await store.recorder.flush();
    expect(await store.resultRefs(parent.runId)).toHaveLength(3);
    expect(await store.runs.delete(parent.runId)).toBe(false);
    expect(await store.runs.delete(parent.runId, { force: true })).toBe(true);
    expect(await store.runs.delete(parent.runId)).toBe(false);
    for (const { runId } of [parent, child, grandchild]) {
      expect(await store.runs.get(runId)).toBeNull();
      expect(await store.taskRuns.ofRun(runId)).toEqual([]);
      expect(await store.transitions.ofRun(runId)).toEqual([]);
      expect(await store.logs.ofRun(runId)).toEqual([]);
      expect(await store.artifacts.ofRun(runId)).toEqual([]);
      expect(await store.resultRefs(runId)).toEqual([]);
    }
    expect(await store.taskRuns.ofRun(bystander.runId)).toHaveLength(1);
    expect(await store.resultRefs(bystander.runId)).toHaveLength(1);
  });

  test('pruning takes what ended before the instant, in batches, and names only the results nobody points at', async () => {
    const old = await Promise.all(Array.from({ length: 5 }, () => startRun(store)));
    const child = await startRun(store, { parentRunId: old[0]?.runId ?? null });
    const [young, running] = [await startRun(store), await startRun(store)];
    for (const claim of [...old, young]) void store.recorder.addTaskRun(claim, taskRun(claim.runId, 'a', { resultRef: 'shared' }), null);
    for (const claim of old) void store.recorder.addTaskRun(claim, taskRun(claim.runId, 'b', { resultRef: `${claim.runId}/b` }), null);
    for (const claim of [...old, child]) await endRun(store, claim, 'FAILED', startedAt + 10);
    await endRun(store, young, 'COMPLETED', startedAt + 20);
    const report = await store.prune(startedAt + 20, { batch: 2 });
    expect(report.runs).toBe(6);
    expect([...report.resultRefs].sort()).toEqual(old.map(({ runId }) => `${runId}/b`).sort());
    expect((await store.runs.list()).items.map(({ id }) => id).sort()).toEqual([young.runId, running.runId].sort());
    expect(await store.prune(startedAt + 20)).toEqual({ runs: 0, resultRefs: [] });
  });

  test('the end of a sub-flow run does not take it from a parent that goes on', async () => {
    const parent = await startRun(store);
    const child = await startRun(store, { parentRunId: parent.runId });
    await endRun(store, child);
    expect((await store.prune(startedAt + 1000)).runs).toBe(0);
  });

  test('several who open an empty database at once make one schema', async () => {
    const empty = await maker.makePlace();
    try {
      const opened = await Promise.all(Array.from({ length: 8 }, () => empty.open()));
      const reports = await Promise.all(opened.map((each) => each.migrate()));
      expect(reports.every(({ before, after, applied }) => before === after && applied.length === 0)).toBe(true);
    } finally {
      await empty.remove();
    }
  });

  test('a database with a newer schema is refused with a sentence', async () => {
    const empty = await maker.makePlace();
    try {
      const looking = await empty.open({ migrate: false });
      expect(await looking.schemaVersion()).toBe(0);
      expect((await looking.migrate()).applied.length).toBeGreaterThan(0);
      await raiseSchema(empty.url);
      await expect(empty.open()).rejects.toMatchObject({ code: 'STORE_NEWER', message: expect.stringContaining('newer Batuta') });
      await expect(empty.open({ migrate: false })).rejects.toMatchObject({ code: 'STORE_NEWER' });
    } finally {
      await empty.remove();
    }
  });
});

/** As a later version of Batuta would leave it. */
async function raiseSchema(url: string): Promise<void> {
  const statement = 'update batuta_schema set version = 9999';
  if (url.startsWith('sqlite:')) {
    const { default: Database } = await import('libsql');
    const database = new Database(url.slice('sqlite:'.length));
    database.exec(statement);
    database.close();
    return;
  }
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(statement);
  await client.end();
}
