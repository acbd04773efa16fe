/** Entries of the cache, over both makers. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CacheClaim, CachedValue, CacheKey, ClaimWish, Store } from '../../../src/store/store.ts';
import { makers } from './makers.ts';
import type { Place } from './makers.ts';
import { leaseMs, newRun, owner, ownerNamed } from './rows.ts';

const at = 1_800_000_000_000;

describe.each(makers)('the cache on $name', (maker) => {
  let here: Place;
  let store: Store;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
  });
  afterEach(() => here.remove());

  const keyOf = (id: string, changes: Partial<CacheKey> = {}): CacheKey => ({
    ...{ id, flow: 'geocode', task: 'place', version: 'v1', scopeRunId: null, shown: `["${id}"]` },
    ...changes,
  });
  const claim = (id: string, changes: Partial<ClaimWish> = {}, key: Partial<CacheKey> = {}): Promise<CacheClaim | null> =>
    store.cache.claim({
      key: keyOf(id, key),
      owner,
      leaseMs,
      runId: 'run',
      taskRunId: 'task',
      at,
      madeAfter: null,
      gone: null,
      ...changes,
    });
  const valueOf = (changes: Partial<CachedValue> = {}): CachedValue => ({
    ...{ runId: 'run', taskRunId: 'task', madeAt: at, expiresAt: at + 1_000, result: '{"json":1}', resultRef: null },
    ...changes,
  });
  async function make(id: string, changes: Partial<CachedValue> = {}, key: Partial<CacheKey> = {}): Promise<void> {
    const made = await claim(id, {}, key);
    if (made === null) throw new Error('It is held.');
    expect(await store.cache.put(made, valueOf(changes), () => undefined)).toBe(true);
  }

  test('of many that claim an entry at once one gets it; the others see who makes the value, then the value', async () => {
    const claims = await Promise.all(Array.from({ length: 20 }, () => claim('a')));
    const won = claims.filter((one) => one !== null);
    expect(won).toHaveLength(1);
    expect(await store.cache.find(['a', 'b'])).toMatchObject([
      { id: 'a', value: null, maker: { owner, runId: 'run', isOver: false }, misses: 1 },
    ]);
    expect(await store.cache.put(won[0] as CacheClaim, valueOf(), () => undefined)).toBe(true);
    expect(await store.cache.find(['a'])).toMatchObject([{ value: valueOf(), maker: null }]);
    expect(await claim('a')).toBeNull();
  });

  test('a maker whose lease has ended, or that is known to be gone, is followed by another, and can keep nothing any more', async () => {
    const lost = (await claim('a', { leaseMs: -1 })) as CacheClaim;
    const [seen] = await store.cache.find(['a']);
    expect(seen?.maker?.isOver).toBe(true);
    const next = (await claim('a', { owner: ownerNamed('second') })) as CacheClaim;
    expect(next.epoch).toBe(lost.epoch + 1);
    expect(await store.cache.renew([lost, next], leaseMs)).toEqual([lost]);
    expect(await store.cache.put(lost, valueOf(), () => undefined)).toBe(false);
    await store.cache.release(lost);
    expect(await claim('a', { owner: ownerNamed('third') })).toBeNull();
    expect(await claim('a', { owner: ownerNamed('third'), gone: ownerNamed('second') })).toMatchObject({ epoch: next.epoch + 1 });
  });

  test('a value that has ended, or is not new enough, is made anew; meanwhile the one before is still found', async () => {
    await make('a');
    expect(await claim('a', { at: at + 999 })).toBeNull();
    const anew = (await claim('a', { madeAfter: at })) as CacheClaim;
    expect(await store.cache.find(['a'])).toMatchObject([{ value: { result: '{"json":1}' }, maker: { runId: 'run' } }]);
    await store.cache.release(anew);
    expect(await claim('a', { at: at + 1_000 })).not.toBeNull();
  });

  test('hits and waits are added up; a new end is that of the value it was meant for', async () => {
    await make('a');
    const use = { id: 'a', hits: 2, waits: 1, usedAt: at + 5 };
    await store.cache.count([
      { ...use, expiry: { madeAt: at, expiresAt: at + 9_000 } },
      { ...use, id: 'unknown' },
    ]);
    await store.cache.count([{ ...use, expiry: { madeAt: at - 1, expiresAt: at + 1 } }]);
    expect((await store.cache.list({ at })).items).toMatchObject([{ hits: 4, waits: 2, misses: 1, usedAt: at + 5, expiresAt: at + 9_000 }]);
    expect(await store.cache.totals()).toEqual({ entries: 1, bytes: 10, hits: 4, misses: 1, waits: 2 });
  });

  test('a list is filtered by flow, task, key and what has ended, and comes in pages, last used first', async () => {
    for (const [index, flow] of ['one', 'one', 'two'].entries())
      await make(
        `abcd${index}`,
        { madeAt: at + index, expiresAt: at + index * 1_000 },
        { flow, task: `t${index}`, shown: `["City ${index}"]` },
      );
    const ids = async (filter: object): Promise<string[]> => (await store.cache.list({ at, ...filter })).items.map(({ id }) => id);
    expect(await ids({})).toEqual(['abcd2', 'abcd1', 'abcd0']);
    expect(await ids({ flow: 'one' })).toEqual(['abcd1', 'abcd0']);
    expect(await ids({ task: 't2' })).toEqual(['abcd2']);
    expect(await ids({ key: 'abcd1' })).toEqual(['abcd1']);
    expect(await ids({ key: 'city 0' })).toEqual(['abcd0']);
    expect(await ids({ expired: true })).toEqual(['abcd0']);
    expect(await ids({ expired: false })).toEqual(['abcd2', 'abcd1']);
    const first = await store.cache.list({ at, limit: 2 });
    expect((await store.cache.list({ at, limit: 2, cursor: first.next ?? '' })).items.map(({ id }) => id)).toEqual(['abcd0']);
    expect(await store.cache.get('abcd')).toBeNull();
    expect(await store.cache.get('abcd1')).toMatchObject({ id: 'abcd1', result: '{"json":1}' });
  });

  test('what is cleared is gone, save the entry of a value that is being made', async () => {
    for (const id of ['a', 'b', 'c']) await make(id, { expiresAt: id === 'a' ? at : null });
    const making = (await claim('c', { madeAfter: at })) as CacheClaim;
    expect(await store.cache.remove({ at, expired: true })).toEqual({ entries: 1, resultRefs: [] });
    expect((await store.cache.remove({ at })).entries).toBe(2);
    expect((await store.cache.list({ at })).items).toMatchObject([{ id: 'c', madeAt: null, makingRunId: 'run' }]);
    expect(await store.cache.put(making, valueOf(), () => undefined)).toBe(true);
  });

  test('retention takes what has ended, and what has no end and was not used for as long as runs are kept', async () => {
    await make('ended', { expiresAt: at - 1 });
    await make('kept', { expiresAt: null });
    await make('unused', { expiresAt: null, madeAt: at - 50 });
    expect((await store.cache.expire(at, null)).entries).toBe(1);
    expect((await store.cache.expire(at, 40)).entries).toBe(1);
    expect((await store.cache.list({ at })).items.map(({ id }) => id)).toEqual(['kept']);
  });

  test('a large value is kept as long as an entry or a run points at it, and told to be loose by whoever was last', async () => {
    const run = newRun();
    await store.recorder.addRun(run, owner, leaseMs);
    const shared = `${run.id}/big`;
    await store.recorder.addRunPatch(
      { runId: run.id, epoch: 1 },
      { resultRef: shared, state: { type: 'FAILED', name: 'Failed', message: null } },
      null,
    );
    await make('a', { resultRef: shared, result: null, expiresAt: at });
    expect((await store.cache.remove({ at })).resultRefs).toEqual([]);
    await make('a', { resultRef: shared, result: null, expiresAt: at });
    const removed: string[] = [];
    await store.prune(Number.MAX_SAFE_INTEGER, { onBatch: async ({ resultRefs }) => void removed.push(...resultRefs) });
    await store.runs.delete(run.id, { force: true });
    expect(await store.keptResults([shared])).toEqual([shared]);
    const anew = (await claim('a')) as CacheClaim;
    await store.cache.put(anew, valueOf({ resultRef: `${run.id}/new`, result: null }), (key) => void removed.push(key));
    expect(removed).toEqual([shared]);
    expect((await store.cache.remove({ at })).resultRefs).toEqual([`${run.id}/new`]);
  });

  test('what was kept to a run goes with it', async () => {
    const run = newRun();
    await store.recorder.addRun(run, owner, leaseMs);
    await make('mine', { resultRef: `${run.id}/big`, result: null }, { scopeRunId: run.id });
    await make('all');
    await store.runs.delete(run.id, { force: true });
    expect((await store.cache.list({ at })).items.map(({ id }) => id)).toEqual(['all']);
    expect(await store.keptResults([`${run.id}/big`])).toEqual([]);
  });
});
