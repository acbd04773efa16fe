/** Versions of artifacts by key, artifacts whose bytes lie elsewhere, and progress that is written again, over both makers. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeId } from '../../../src/base/id.ts';
import type { Artifact } from '../../../src/model/run.ts';
import { refText } from '../../../src/model/result-ref.ts';
import { stateOf } from '../../../src/model/state.ts';
import type { Store } from '../../../src/store/store.ts';
import { makers } from './makers.ts';
import type { Place } from './makers.ts';
import { leaseMs, newRun, owner, startedAt } from './rows.ts';

describe.each(makers)('artifacts on $name', (maker) => {
  let here: Place;
  let store: Store;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
  });
  afterEach(() => here.remove());

  async function begin(name = 'quick-otter') {
    const run = newRun({ name });
    await store.recorder.addRun(run, owner, leaseMs);
    const add = (changes: Partial<Artifact>) => {
      const whole = { id: makeId(), runId: run.id, taskRunId: null, kind: 'json' as const, name: 'a', data: 1, createdAt: startedAt };
      return store.recorder.addArtifact({ runId: run.id, epoch: 1 }, { ...whole, ...changes });
    };
    return { run, add };
  }

  test('with a key are its versions, newest first, by pages, with the runs that gave them', async () => {
    for (const at of [0, 1, 2, 3, 4]) {
      const { add } = await begin(`run-${at}`);
      await add({ key: 'a/b "c"', data: { at }, createdAt: startedAt + at, bytes: 8, sha256: `${at}`.repeat(64) });
      await add({ data: 'without a key' });
    }
    const seen: unknown[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await store.artifacts.list({ key: 'a/b "c"', limit: 2, ...(cursor === undefined ? {} : { cursor }) });
      seen.push(...page.items.map(({ runName, data, sha256, bytes }) => [runName, data, sha256?.[0], bytes]));
      if (page.next === null) break;
      cursor = page.next;
    }
    expect(seen).toEqual([4, 3, 2, 1, 0].map((at) => [`run-${at}`, { at }, `${at}`, 8]));
    expect((await store.artifacts.list({ key: 'a' })).items).toEqual([]);
    await expect(store.artifacts.list({ keyy: 'a' } as never)).rejects.toMatchObject({ code: 'FILTER_INVALID' });
  });

  test('know the version before them, which is that of another run too', async () => {
    const ids: string[] = [];
    // Two of one instant are ordered by id.
    for (const at of [0, 1, 1, 2]) {
      const id = makeId();
      ids.push(id);
      await (await begin()).add({ id, key: 'a', createdAt: startedAt + at });
    }
    const other = makeId();
    await (await begin()).add({ id: other, key: 'b', createdAt: startedAt + 3 });
    const bare = makeId();
    await (await begin()).add({ id: bare, createdAt: startedAt + 4 });
    const order = (await store.artifacts.list({ key: 'a' })).items.map(({ id }) => id).toReversed();
    expect(order.toSorted()).toEqual(ids.toSorted());
    const found = await Promise.all([...order, other, bare].map((id) => store.artifacts.get(id)));
    expect(found.map((one) => one?.previous)).toEqual([null, ...order.slice(0, 3), null, null]);
  });

  test('are listed by key, each with how many versions there are and the newest', async () => {
    const { add } = await begin();
    for (const [key, at] of [
      ['b', 1],
      ['a', 1],
      ['b', 3],
      ['b', 2],
      ['C%', 1],
    ] as const)
      await add({ key, data: at, createdAt: startedAt + at });
    const page = await store.artifacts.keys({ limit: 2 });
    const rest = await store.artifacts.keys({ limit: 2, cursor: page.next ?? '' });
    const all = [...page.items, ...rest.items].map(({ key, versions, newest }) => [key, versions, newest.data]);
    expect([all.toSorted(), rest.next]).toEqual([
      [
        ['C%', 1, 1],
        ['a', 1, 1],
        ['b', 3, 3],
      ],
      null,
    ]);
    expect((await store.artifacts.keys({ search: 'c%' })).items.map(({ key }) => key)).toEqual(['C%']);
    expect((await store.artifacts.keys({ search: '%' })).items).toHaveLength(1);
  });

  test('are found by their id, or its end when one alone ends so', async () => {
    const { add, run } = await begin();
    const id = '01999999-1111-7111-8111-0123456789ab';
    await add({ id, key: 'a', data: { whole: true } });
    for (const typed of [id, '456789ab', '123456789AB'])
      expect(await store.artifacts.get(typed)).toMatchObject({ id, runId: run.id, runName: 'quick-otter', data: { whole: true } });
    await add({ id: '01999999-1111-7111-8111-1123456789ab' });
    expect([await store.artifacts.get('456789ab'), await store.artifacts.get('89ab'), await store.artifacts.get("' or 1=1")]).toEqual([
      null,
      null,
      null,
    ]);
    expect([await store.artifacts.has(id), await store.artifacts.has(makeId())]).toEqual([true, false]);
  });

  test('of the kind progress change in place; of other kinds the same id is the same artifact', async () => {
    const { add, run } = await begin();
    const [bar, note] = [makeId(), makeId()];
    await Promise.all([0.1, 0.2, 0.3].map((value) => add({ id: bar, kind: 'progress', data: { value } })));
    await add({ id: bar, kind: 'progress', data: { value: 0.9 } });
    await add({ id: note, data: 'first' });
    await add({ id: note, data: 'second' });
    expect((await store.artifacts.ofRun(run.id)).map(({ data }) => data).toSorted()).toEqual([{ value: 0.9 }, 'first'].toSorted());
  });

  test('that lie elsewhere are moved with large results, keep their rows, and go with their run', async () => {
    const { run, add } = await begin();
    const ref = (place: string): string => refText(`${place}${run.id}/artifact-1`, 4, 'a'.repeat(64));
    await add({ kind: 'file', ref: ref(''), bytes: 4, sha256: 'a'.repeat(64) });
    expect(await store.resultRefs(run.id)).toEqual([`${run.id}/artifact-1`]);
    expect(await store.results.movable('store:', '', 10)).toEqual([]);
    await store.recorder.addRunPatch({ runId: run.id, epoch: 1 }, { state: stateOf('COMPLETED'), endedAt: startedAt + 1 }, null);
    const movable = await store.results.movable('store:', '', 10);
    expect(movable.map(({ locator, bytes }) => [locator, bytes])).toEqual([[`${run.id}/artifact-1`, 4]]);
    await store.results.move([{ from: `${run.id}/artifact-1`, to: ref('store:') }]);
    expect((await store.artifacts.ofRun(run.id))[0]?.ref).toBe(ref('store:'));
    const report = await store.prune(startedAt + 10);
    expect(report.resultRefs).toEqual([`store:${run.id}/artifact-1`]);
    expect(await store.artifacts.ofRun(run.id)).toEqual([]);
  });
});
