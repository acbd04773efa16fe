/** Moving large results from place to place, over both databases. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { folderPlace } from '../../../src/engine/results/folder-place.ts';
import { moveResults } from '../../../src/engine/results/move.ts';
import { type ResultStorage, resultStorage } from '../../../src/engine/results/storage.ts';
import { storePlace } from '../../../src/engine/results/store-place.ts';
import { stateOf } from '../../../src/model/state.ts';
import type { Claim, Store } from '../../../src/store/store.ts';
import { makers, type Place } from '../store/makers.ts';
import { endRun, startRun, taskRun, transitionOf } from '../store/rows.ts';

const text = JSON.stringify({ json: 'large'.repeat(100) });

describe.each(makers)('moving results on $name', (maker) => {
  let here: Place;
  let store: Store;
  let folder: string;
  /** As a process has it whose setting is the database, and was a folder before. */
  let storage: ResultStorage;
  let inFolder: ResultStorage;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
    folder = mkdtempSync(join(tmpdir(), 'batuta-move-'));
    storage = resultStorage(storePlace(store.results, systemClock), [folderPlace(folder)]);
    inFolder = resultStorage(folderPlace(folder));
  });
  afterEach(async () => {
    await here.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  /** A run with results of two tasks in the folder; ended unless told otherwise. */
  async function runWithResults(isEnded = true): Promise<Claim> {
    const claim = await startRun(store);
    const { runId } = claim;
    for (const name of ['one', 'two']) {
      const row = taskRun(runId, name, { state: stateOf('COMPLETED'), resultRef: await inFolder.put(`${runId}/${name}`, text) });
      await store.recorder.addTaskRun(claim, row, transitionOf(row));
    }
    if (isEnded) await endRun(store, claim, 'COMPLETED', systemClock.now());
    return claim;
  }
  const refsOf = async (runId: string): Promise<string[]> =>
    (await store.taskRuns.ofRun(runId)).map(({ resultRef }) => resultRef ?? '').sort();
  const move = (changes: Partial<Parameters<typeof moveResults>[0]> = {}) => moveResults({ store, storage, to: storage.place, ...changes });

  test('leaves each readable at its new place, and nothing at the old one', async () => {
    const { runId } = await runWithResults();
    expect(await move({ isDry: true })).toMatchObject({ moved: 2, bytes: 2 * text.length });
    expect(readdirSync(join(folder, runId))).toHaveLength(2);
    expect(await store.results.sums()).toEqual([{ place: '', count: 2, bytes: 2 * text.length }]);
    expect(await move()).toEqual({ moved: 2, bytes: 2 * text.length, busy: 0, unreadable: [] });
    for (const ref of await refsOf(runId)) {
      expect(ref).toMatch(/^store:/);
      expect(await storage.get(ref)).toBe(text);
    }
    expect(readdirSync(join(folder, runId))).toEqual([]);
    expect(await store.results.sums()).toEqual([{ place: 'store:', count: 2, bytes: 2 * text.length }]);
    expect(await store.results.leftBehind()).toEqual([]);
    expect(await move()).toMatchObject({ moved: 0 });
  });

  test('and back again, and the run takes all of it along when it is deleted', async () => {
    const { runId } = await runWithResults();
    await move();
    const known = resultStorage(folderPlace(folder), [storePlace(store.results, systemClock)]);
    expect(await move({ storage: known, to: known.place })).toMatchObject({ moved: 2 });
    expect(await inFolder.get((await refsOf(runId))[0] ?? '')).toBe(text);
    await move();
    await store.runs.delete(runId);
    expect(await store.results.size(`${runId}/one`)).toBeNull();
  });

  test('of a run that has not ended are left alone until it has', async () => {
    const claim = await runWithResults(false);
    expect(await move()).toMatchObject({ moved: 0 });
    await endRun(store, claim, 'FAILED', systemClock.now());
    expect(await move()).toMatchObject({ moved: 2 });
  });

  test('of a run that is opened again while they are copied stay where they are', async () => {
    const claim = await runWithResults(false);
    await endRun(store, claim, 'FAILED', systemClock.now());
    const { place } = storage;
    const reopening = {
      ...place,
      async write(...args: Parameters<typeof place.write>) {
        await place.write(...args);
        await store.runs.reopen(claim.runId, systemClock.now());
      },
    };
    expect(await move({ to: reopening })).toMatchObject({ moved: 0, busy: 2 });
    for (const ref of await refsOf(claim.runId)) expect(await storage.get(ref)).toBe(text);
    expect(await store.results.size(`${claim.runId}/one`)).toBeNull();
  });

  test.each(['after the copy', 'after it was named anew'] as const)(
    'a process that dies %s loses nothing; the next move ends it',
    async (when) => {
      const { runId } = await runWithResults();
      const dies = async (): Promise<never> => {
        throw new Error('killed');
      };
      const dying =
        when === 'after the copy'
          ? { results: { ...store.results, move: dies }, keptResults: store.keptResults }
          : { results: { ...store.results, forget: dies }, keptResults: store.keptResults };
      const stuck = { ...folderPlace(folder), remove: dies };
      await expect(move({ store: dying, storage: resultStorage(storage.place, [stuck]) })).rejects.toThrow('killed');
      for (const ref of await refsOf(runId)) expect(await storage.get(ref)).toBe(text);
      expect((await move()).moved).toBe(when === 'after the copy' ? 2 : 1);
      for (const ref of await refsOf(runId)) expect(await storage.get(ref)).toBe(text);
      expect(readdirSync(join(folder, runId))).toEqual([]);
    },
  );

  test('two that move at the same time move each once, and lose none', async () => {
    const runs = [await runWithResults(), await runWithResults(), await runWithResults()];
    const reports = await Promise.all([move(), move()]);
    expect(reports.reduce((sum, { moved }) => sum + moved, 0)).toBe(6);
    expect(reports.flatMap(({ unreadable }) => unreadable)).toEqual([]);
    for (const { runId } of runs) for (const ref of await refsOf(runId)) expect(await storage.get(ref)).toBe(text);
  });

  test('what cannot be read is told and left, and the others are moved', async () => {
    const { runId } = await runWithResults();
    writeFileSync(join(folder, runId, 'one.json'), text.replace('large', 'small'));
    const report = await move();
    expect(report).toMatchObject({ moved: 1, unreadable: [{ locator: `${runId}/one`, why: expect.stringContaining('damaged') }] });
    expect(await store.results.size(`${runId}/one`)).toBeNull();
  });

  test('a result of before, without size and hash, gets both', async () => {
    const claim = await startRun(store);
    await inFolder.put(`${claim.runId}/old`, text);
    const row = taskRun(claim.runId, 'old', { state: stateOf('COMPLETED'), resultRef: `${claim.runId}/old` });
    await store.recorder.addTaskRun(claim, row, transitionOf(row));
    await endRun(store, claim, 'COMPLETED', systemClock.now());
    expect(await storage.get((await refsOf(claim.runId))[0] ?? '')).toBe(text);
    expect(await move()).toMatchObject({ moved: 1, bytes: text.length });
    expect((await refsOf(claim.runId))[0]).toMatch(new RegExp(`^store:${claim.runId}/old#${text.length}-[0-9a-f]{64}$`));
  });
});
