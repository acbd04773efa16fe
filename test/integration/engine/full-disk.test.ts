import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Flow, Task } from '../../../src/index.ts';
import { isTerminal } from '../../../src/model/state.ts';
import { openEngine } from '../../support/open-engine.ts';
import { openOnSmallDisk } from '../../support/small-disk.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'batuta-full-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

@Flow()
class Hoarder {
  @Task()
  items(): number[] {
    return Array.from({ length: 200 }, (_, index) => index);
  }

  @Task({ each: 'items', eachLimit: 4 })
  async fill(item: number): Promise<string> {
    return `${item}`.repeat(5_000);
  }

  @Task({ needs: ['fill'] })
  async count(rows: string[]): Promise<number> {
    return rows.length;
  }
}

test('a run that meets a full disk ends Failed with its code, keeps what was recorded, and completes by a retry once there is room', async () => {
  const path = join(folder, 'full.db');
  const small = await openEngine({ store: await openOnSmallDisk(path, 60), flows: [Hoarder] });
  const handle = await small.client.submit(Hoarder);
  await expect(handle.done()).rejects.toMatchObject({ code: 'STORE_FULL' });
  await small.client.close();

  const roomy = await openEngine({ url: `sqlite:${path}`, flows: [Hoarder] });
  const { run, taskRuns } = await roomy.client.runs.inspect(handle.id);
  expect(run.state).toMatchObject({ type: 'FAILED', message: expect.stringContaining('is full') });
  expect(taskRuns.filter(({ state }) => !isTerminal(state.type))).toEqual([]);
  const before = taskRuns.filter(({ state }) => state.type === 'COMPLETED').map(({ id }) => id);
  expect(before.length).toBeGreaterThan(1);

  const retried = await roomy.client.runs.retry(handle.id);
  expect(await retried.result()).toBe(200);
  const after = (await roomy.client.runs.inspect(handle.id)).taskRuns;
  expect(after.filter(({ id }) => before.includes(id)).every(({ attempt }) => attempt === 1)).toBe(true);
  await roomy.client.close();
});
