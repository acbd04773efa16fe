/** What is left of large results once their runs are deleted. */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { retentionLoop } from '../../../scheduler/loops/retention.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { openBroker } from '../../../src/broker/open.ts';
import { makeFlow } from '../../support/make-flow.ts';
import { type OpenEngine, openEngine } from '../../support/open-engine.ts';
import { startRun, taskRun, transitionOf } from '../../contract/store/rows.ts';

const large = 'x'.repeat(300 * 1024);

let folder: string;
let open: OpenEngine;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'batuta-results-'));
  open = await openEngine({ results: folder });
});
afterEach(async () => {
  await open.client.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A run with a large result, and what two processes left that died before they could record, and before they had written, theirs. */
async function runWithOrphans(): Promise<string> {
  const { id } = await (await open.client.submit(makeFlow({ only: { does: () => large } }))).done();
  expect(readdirSync(join(folder, id)).length).toBeGreaterThan(0);
  writeFileSync(join(folder, id, 'task-7.json'), JSON.stringify({ json: large }));
  writeFileSync(join(folder, id, 'task-8.json.4711.part'), 'half');
  return id;
}

async function retire(): Promise<void> {
  const { engine, store } = open;
  const broker = await openBroker({ url: null, store });
  const loop = retentionLoop({ engine, broker, log: pino({ level: 'silent' }) }, { retentionMs: 0 });
  await loop.start();
  while ((await store.runs.list()).items.some(({ endedAt }) => endedAt !== null)) await systemClock.sleep(10);
  await loop.stop();
  await broker.close();
}

describe.each([
  ['by retention', retire],
  ['by db prune', () => open.client.prune(systemClock.now() + 1_000)],
  ['by hand', async () => open.client.runs.deleteMany({ filter: { states: ['Completed'] } })],
] as const)('a run that is deleted %s', (_how, remove) => {
  test('takes with it what was stored by processes that died before they could record it', async () => {
    const id = await runWithOrphans();
    await systemClock.sleep(2);
    await remove();
    expect(existsSync(join(folder, id))).toBe(false);
  });

  test('leaves the results of others, those among them that lie at its place', async () => {
    const id = await runWithOrphans();
    const { runId } = await startRun(open.store);
    const row = { ...taskRun(runId, 'borrows'), resultRef: `${id}/task-7` };
    await open.store.recorder.addTaskRun({ runId, epoch: 1 }, row, transitionOf(row));
    await open.engine.services.results.put(`${runId}/under-way-1`, large);
    await systemClock.sleep(2);
    await remove();
    expect(readdirSync(join(folder, id))).toEqual(['task-7.json']);
    expect(readdirSync(join(folder, runId))).toEqual(['under-way-1.json']);
  });
});
