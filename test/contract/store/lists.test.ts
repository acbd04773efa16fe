/** Lists by every filter and by pages, of runs, task runs, log lines and artifacts, over both makers. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeId } from '../../../src/base/id.ts';
import { stateNames, stateOf, stateTypes } from '../../../src/model/state.ts';
import type { RunFilter, Store } from '../../../src/store/store.ts';
import { makers } from './makers.ts';
import type { Place } from './makers.ts';
import { logLine, newRun, startRun, startedAt, taskRun } from './rows.ts';

describe.each(makers)('lists on $name', (maker) => {
  let here: Place;
  let store: Store;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
  });
  afterEach(() => here.remove());

  /** Names of all runs that fit, page by page, and how many pages there were. */
  async function all(filter: RunFilter): Promise<{ readonly names: string[]; readonly pages: number }> {
    const names: string[] = [];
    let pages = 0;
    for (let cursor: string | undefined; ; ) {
      const page = await store.runs.list({ ...filter, ...(cursor === undefined ? {} : { cursor }) });
      names.push(...page.items.map(({ name }) => name));
      pages += 1;
      if (page.next === null) return { names, pages };
      cursor = page.next;
    }
  }

  test('runs of several states, tags and flows come newest first by pages that neither skip nor repeat', async () => {
    const states = stateTypes.flatMap((type) => stateNames[type].map((name) => stateOf(type, name)));
    const rows = Array.from({ length: 200 }, (_, index) => {
      const tags = [`third-${index % 3}`, 'all', 'all'];
      const state = states[index % states.length] ?? stateOf('RUNNING');
      return newRun({
        name: `run-${index}`,
        state,
        tags,
        flow: index % 2 === 0 ? 'even' : 'odd',
        deployment: index % 4 === 0 ? 'four' : null,
        createdAt: startedAt + Math.floor(index / 10),
      });
    });
    await store.fleet.insertMany(rows.map((run) => ({ run, idempotencyKey: null })));
    const newestFirst = [...rows].sort((left, right) => right.createdAt - left.createdAt || (left.id < right.id ? 1 : -1));
    const wanted = (fits: (run: (typeof rows)[number]) => boolean): string[] => newestFirst.filter(fits).map(({ name }) => name);
    const cases: [RunFilter, (run: (typeof rows)[number]) => boolean][] = [
      [{}, () => true],
      [{ states: ['completed', 'Late', 'FAILED'] }, ({ state }) => ['COMPLETED', 'FAILED'].includes(state.type) || state.name === 'Late'],
      [{ states: ['skipped'] }, ({ state }) => state.name === 'Skipped'],
      [{ states: stateTypes, flow: 'even' }, ({ flow }) => flow === 'even'],
      [{ states: ['COMPLETED'], flow: 'odd' }, ({ flow, state }) => flow === 'odd' && state.type === 'COMPLETED'],
      [{ states: ['CANCELLED'], deployment: 'four' }, ({ deployment, state }) => deployment !== null && state.type === 'CANCELLED'],
      [{ tag: 'all' }, () => true],
      [
        { tag: 'third-1', states: ['COMPLETED', 'RUNNING'], flow: 'even' },
        ({ tags, state, flow }) => tags.includes('third-1') && flow === 'even' && ['COMPLETED', 'RUNNING'].includes(state.type),
      ],
      [
        { tag: 'third-2', since: startedAt + 3, until: startedAt + 9 },
        ({ tags, createdAt }) => tags.includes('third-2') && createdAt >= startedAt + 3 && createdAt < startedAt + 9,
      ],
      [{ tag: 'third' }, () => false],
    ];
    for (const [filter, fits] of cases) {
      expect((await all({ ...filter, limit: 7 })).names, JSON.stringify(filter)).toEqual(wanted(fits));
    }
  });

  test('a search finds part of a name in any case, and what it looks for is no pattern', async () => {
    const names = ['Sync Acme 2026', 'sync globex', '100% done', '100 done', 'a_b', 'axb', 'back\\slash', 'Grüße'];
    for (const [index, name] of names.entries()) await store.runs.insert(newRun({ name, createdAt: startedAt + index }));
    expect((await all({ search: 'SYNC' })).names).toEqual(['sync globex', 'Sync Acme 2026']);
    expect((await all({ search: '100%' })).names).toEqual(['100% done']);
    expect((await all({ search: 'a_b' })).names).toEqual(['a_b']);
    expect((await all({ search: 'k\\s' })).names).toEqual(['back\\slash']);
    expect((await all({ search: 'Grüße' })).names).toEqual(['Grüße']);
    expect((await all({ search: '' })).names).toHaveLength(8);
    expect((await all({ search: 'sync', flow: 'other' })).names).toEqual([]);
  });

  test('a search finds runs by the beginning of their ids', async () => {
    const ids = ['0193aaaa-0000-7000-8000-000000000001', '0193aaaa-0000-7000-8000-000000000002', '0193bbbb-0000-7000-8000-000000000003'];
    for (const id of ids) await store.runs.insert(newRun({ id, name: id.slice(-1) }));
    expect((await all({ search: '0193AAAA' })).names).toEqual(['2', '1']);
    expect((await all({ search: '0193aaaa', limit: 1 })).names).toEqual(['2', '1']);
    expect((await all({ search: ids[2] ?? '' })).names).toEqual(['3']);
    expect((await all({ search: '0193b' })).names).toEqual(['3']);
    expect((await all({ search: '0193cccc' })).names).toEqual([]);
    expect((await all({ search: '0193aaaa', states: ['FAILED'] })).names).toEqual([]);
  });

  test('a search finds runs by the end of their ids among all runs, beside those that are named so', async () => {
    const rows = Array.from({ length: 10_500 }, (_, index) => ({
      run: newRun({
        id: `0193aaab-0000-7000-8000-${index.toString(16).padStart(8, '0')}0000`,
        name: `n${index}`,
        createdAt: startedAt + index,
        state: stateOf('SCHEDULED'),
      }),
      idempotencyKey: null,
    }));
    const old = newRun({ id: '0193aaaa-0000-7000-8000-00000000face', name: 'oldest', createdAt: startedAt - 1, tags: ['red'] });
    await store.fleet.insertMany([{ run: old, idempotencyKey: null }, ...rows]);
    await store.runs.insert(newRun({ id: '0193aaac-0000-7000-8000-000000000000', name: 'Face-Lift', createdAt: startedAt + 20_000 }));
    expect((await store.runs.list({ search: 'face' })).items.map(({ name }) => name)).toEqual(['Face-Lift', 'oldest']);
    expect((await all({ search: 'FACE' })).names).toEqual(['Face-Lift', 'oldest']);
    expect((await store.runs.list({ search: '0000face' })).items.map(({ name }) => name)).toEqual(['oldest']);
    expect((await all({ search: '0000face', tag: 'red', flow: old.flow, states: [old.state.name] })).names).toEqual(['oldest']);
    expect((await all({ search: '0000face', flow: 'other' })).names).toEqual([]);
    expect((await all({ search: '0000face', states: ['FAILED'] })).names).toEqual([]);
  });

  test('what is rare is found far back, by pages that may be empty', async () => {
    const rows = (count: number, from: number, queue: string) =>
      Array.from({ length: count }, (_, index) => ({
        run: newRun({ name: `${queue}-${index}`, queue, createdAt: startedAt + from + index, state: stateOf('SCHEDULED') }),
        idempotencyKey: null,
      }));
    await store.fleet.insertMany(rows(3, 0, 'rare'));
    await store.fleet.insertMany(rows(20_500, 10, 'default'));
    const found = await all({ queue: 'rare', limit: 2 });
    expect(found.names).toEqual(['rare-2', 'rare-1', 'rare-0']);
    expect(found.pages).toBeLessThanOrEqual(4);
    expect((await store.runs.list({ queue: 'rare' })).items).toEqual([]);
    expect((await all({ search: 'rare', queue: 'rare', states: ['SCHEDULED', 'FAILED'] })).names).toEqual(['rare-2', 'rare-1', 'rare-0']);
    expect((await all({ queue: 'default', limit: 1_000 })).names).toHaveLength(20_500);
  });

  test('runs of a backfill and of a schedule are listed', async () => {
    await store.runs.insert(newRun({ name: 'a', backfillId: 'b1', scheduledFor: 1 }));
    await store.runs.insert(newRun({ name: 'b', scheduleId: 's1', scheduledFor: 1 }));
    expect((await all({ backfillId: 'b1' })).names).toEqual(['a']);
    expect((await all({ scheduleId: 's1', states: ['RUNNING'] })).names).toEqual(['b']);
    expect((await all({ backfillId: 'b2' })).names).toEqual([]);
  });

  test('tags go with their run, whoever wrote it', async () => {
    const owned = await startRun(store, { tags: ['red'] });
    await store.runs.insert(newRun({ name: 'waits', tags: ['red', 'blue'] }));
    expect((await all({ tag: 'red' })).names).toHaveLength(2);
    await store.runs.delete(owned.runId, { force: true });
    expect((await all({ tag: 'red' })).names).toEqual(['waits']);
    expect((await all({ tag: `red' or '1'='1` })).names).toEqual([]);
  });

  test('log lines are searched and read backwards', async () => {
    const { runId } = await startRun(store);
    for (let index = 0; index < 10; index += 1)
      void store.recorder.addLog(logLine(runId, index % 3 === 0 ? `Loaded 100% of ${index}` : `step ${index}`));
    await store.recorder.flush();
    const lines = await store.logs.ofRun(runId);
    const messages = async (filter: Parameters<Store['logs']['ofRun']>[1]): Promise<string[]> =>
      (await store.logs.ofRun(runId, filter)).map(({ message }) => message);
    expect(await messages({ search: 'LOADED 100%' })).toEqual([0, 3, 6, 9].map((index) => `Loaded 100% of ${index}`));
    expect(await messages({ search: 'loaded', tail: 2 })).toEqual(['Loaded 100% of 6', 'Loaded 100% of 9']);
    expect(await messages({ before: lines[5]?.seq ?? 0, tail: 2 })).toEqual(['Loaded 100% of 3', 'step 4']);
    expect(await messages({ before: lines[0]?.seq ?? 0, tail: 2 })).toEqual([]);
  });

  test('artifacts of all runs come newest first, large ones without their data', async () => {
    const claim = await startRun(store, { name: 'busy-bee' });
    for (let index = 0; index < 5; index += 1) {
      const kind = index % 2 === 0 ? 'markdown' : 'link';
      const data = index === 0 ? 'x'.repeat(3_000) : `data ${index}`;
      void store.recorder.addArtifact(claim, {
        id: makeId(),
        runId: claim.runId,
        taskRunId: null,
        kind,
        name: `Report ${index}`,
        data,
        createdAt: startedAt + index,
      });
    }
    await store.recorder.flush();
    const first = await store.artifacts.list({ limit: 3 });
    expect(first.items.map(({ name }) => name)).toEqual(['Report 4', 'Report 3', 'Report 2']);
    expect(first.items[0]).toMatchObject({ runName: 'busy-bee', flow: 'flight-delays', data: 'data 4', chars: 8 });
    const second = await store.artifacts.list({ limit: 3, cursor: first.next ?? '' });
    expect(second.items.map(({ name, data, chars }) => [name, data, chars])).toEqual([
      ['Report 1', 'data 1', 8],
      ['Report 0', null, 3_002],
    ]);
    expect(second.next).toBeNull();
    expect((await store.artifacts.list({ kind: 'link' })).items.map(({ name }) => name)).toEqual(['Report 3', 'Report 1']);
    expect((await store.artifacts.list({ search: 'REPORT 2' })).items).toHaveLength(1);
    await expect(store.artifacts.list({ cursor: 'nonsense' })).rejects.toMatchObject({ code: 'FILTER_INVALID' });
  });

  test('task runs of a large run come in pages in the order they were recorded', async () => {
    const claim = await startRun(store);
    const other = await startRun(store);
    for (let index = 0; index < 500; index += 1) {
      const state = stateOf(index % 10 === 0 ? 'FAILED' : 'COMPLETED');
      void store.recorder.addTaskRun(claim, taskRun(claim.runId, `load[${index}]`, { index, state }), null);
      void store.recorder.addTaskRun(other, taskRun(other.runId, `load[${index}]`, { index }), null);
    }
    await store.recorder.flush();
    const seen: (number | null)[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await store.taskRuns.page(claim.runId, { limit: 99, ...(cursor === undefined ? {} : { cursor }) });
      seen.push(...page.items.map(({ index }) => index));
      if (page.next === null) break;
      cursor = page.next;
    }
    expect(seen).toEqual(Array.from({ length: 500 }, (_, index) => index));
    expect((await store.taskRuns.page(claim.runId, { states: ['failed'], limit: 1_000 })).items).toHaveLength(50);
    expect((await store.taskRuns.page(claim.runId, { name: 'join' })).items).toEqual([]);
  });
});
