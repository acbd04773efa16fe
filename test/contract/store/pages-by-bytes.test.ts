/** Pages of what may be large, bounded by what they hold, over both makers. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeId } from '../../../src/base/id.ts';
import type { Claim, Store } from '../../../src/store/store.ts';
import { makers } from './makers.ts';
import type { Place } from './makers.ts';
import { logLine, startRun, startedAt, taskRun, transitionOf } from './rows.ts';

const mib = 1024 * 1024;

describe.each(makers)('pages by bytes on $name', (maker) => {
  let here: Place;
  let store: Store;
  let run: Claim;
  beforeEach(async () => {
    here = await maker.makePlace();
    store = await here.open();
    run = await startRun(store);
  });
  afterEach(() => here.remove());

  async function writeLines(messages: readonly string[]): Promise<void> {
    await Promise.all(messages.map((message) => store.recorder.addLog(logLine(run.runId, message))));
  }

  test('of a log hold what fits, in both directions, and together they are all of it', async () => {
    const messages = Array.from({ length: 60 }, (_, index) => `${index} ${'x'.repeat(index % 3 === 0 ? 200_000 : 10)}`);
    await writeLines(messages);
    const forwards: string[] = [];
    let pages = 0;
    for (let after = 0; ; pages++) {
      const { lines, hasMore } = await store.logs.page(run.runId, { after });
      expect(lines.reduce((sum, { message }) => sum + message.length, 0)).toBeLessThan(2.5 * mib);
      forwards.push(...lines.map(({ message }) => message));
      after = lines.at(-1)?.seq ?? after;
      if (!hasMore) break;
    }
    expect(forwards).toEqual(messages);
    expect(pages).toBeGreaterThan(0);
    const tail = await store.logs.page(run.runId, { tail: 60 });
    expect(tail.hasMore).toBe(true);
    expect(tail.lines.at(-1)?.message).toBe(messages.at(-1));
    expect((await store.logs.ofRun(run.runId, { tail: 60 })).map(({ message }) => message)).toEqual(messages);
    expect((await store.logs.ofRun(run.runId, { limit: 7, after: 0 })).length).toBe(7);
    const small = await store.logs.page(run.runId, { search: '1 x' });
    expect(small).toMatchObject({ hasMore: false });
    expect((await store.events.logs(run.runId, 0, 1000)).rows.length).toBeLessThan(60);
  });

  test('show the beginning of a line that was stored longer than any setting allows, and say how much is missing', async () => {
    await writeLines(['é'.repeat(5 * mib), 'after']);
    await store.recorder.addLog(logLine(run.runId, 'fields', { fields: { large: 'x'.repeat(mib) } }));
    const [large, after, fields] = (await store.logs.page(run.runId)).lines;
    expect(large?.message.length).toBeLessThan(300_000);
    expect(large?.message).toMatch(/^é+ \[4980736 more characters were cut\]$/);
    expect(after?.message).toBe('after');
    expect(fields?.fields).toEqual({ cut: `${mib + '{"large":""}'.length} characters of fields were left out` });
    expect((await store.events.logs(run.runId, 0, 10)).rows[0]?.message).toBe(large?.message);
  });

  test('of the history of a run come in order, and long messages say how much was cut', async () => {
    const rows = Array.from({ length: 25 }, (_, index) => taskRun(run.runId, `task-${index}`));
    for (const row of rows) await store.recorder.addTaskRun(run, row, { ...transitionOf(row), message: 'm'.repeat(20_000) });
    const all: string[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await store.transitions.page(run.runId, { limit: 10, ...(cursor === undefined ? {} : { cursor }) });
      expect(page.items.length).toBeLessThanOrEqual(10);
      for (const { taskRunId, message } of page.items) {
        all.push(taskRunId ?? 'run');
        if (taskRunId !== null) expect(message).toMatch(/^m{10000} \[10000 more characters were cut\]$/);
      }
      if (page.next === null) break;
      cursor = page.next;
    }
    expect(all).toEqual(['run', ...rows.map(({ id }) => id)]);
    expect((await store.transitions.page(run.runId, { taskRunId: null })).items).toHaveLength(1);
    expect((await store.transitions.page(run.runId, { taskRunId: rows[3]?.id ?? '' })).items).toHaveLength(1);
  });

  test('of the artifacts of a run hold what fits, and data that is too large to show says how large it is', async () => {
    const sizes = [mib, 3 * mib, 9 * mib, 2 * mib, 10, 10];
    for (const [index, size] of sizes.entries())
      await store.recorder.addArtifact(run, {
        id: makeId(),
        runId: run.runId,
        taskRunId: null,
        kind: 'json',
        name: `a${index}`,
        data: { text: 'x'.repeat(size) },
        createdAt: startedAt + index,
      });
    const pages: string[][] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await store.artifacts.pageOfRun(run.runId, cursor === undefined ? {} : { cursor });
      pages.push(page.items.map(({ name }) => name));
      const large = page.items.find(({ name }) => name === 'a2');
      if (large !== undefined) expect(large.data).toEqual({ cut: { bytes: 9 * mib + '{"text":""}'.length } });
      if (page.next === null) break;
      cursor = page.next;
    }
    expect(pages.flat()).toEqual(['a0', 'a1', 'a2', 'a3', 'a4', 'a5']);
    expect(pages.length).toBeGreaterThan(1);
  });

  test('of task runs leave their results out where they are not wanted; one is found by either end of its id', async () => {
    const rows = Array.from({ length: 3 }, (_, index) => taskRun(run.runId, `task-${index}`, { result: '{"json":1}' }));
    for (const row of rows) await store.recorder.addTaskRun(run, row, transitionOf(row));
    const [first] = rows;
    expect((await store.taskRuns.page(run.runId)).items.map(({ result }) => result)).toEqual(rows.map(() => '{"json":1}'));
    expect((await store.taskRuns.page(run.runId, { values: false })).items.map(({ result }) => result)).toEqual([null, null, null]);
    const ids = async (idPart: string) => (await store.taskRuns.shown(run.runId, { idPart })).map(({ id }) => id);
    expect(await ids(first?.id ?? '')).toEqual([first?.id]);
    expect(await ids(first?.id.slice(-8) ?? '')).toEqual([first?.id]);
    expect(await ids(first?.id.slice(0, 8) ?? '')).toContain(first?.id);
    expect(await ids('%')).toEqual([]);
    expect((await store.taskRuns.shown(run.runId, { keys: ['task-1', 'none'] })).map(({ id }) => id)).toEqual([rows[1]?.id]);
  });
});
