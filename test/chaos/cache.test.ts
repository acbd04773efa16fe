/** Processes that die while others wait for the value they make, and in the middle of a rollback. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { isLong } from '../support/chaos.ts';
import { createDatabase } from '../support/postgres.ts';
import { compileProgram, type Program, type Started, startProgram } from '../support/run-source.ts';
import type { CacheOrder } from './cache-program.ts';

let program: Program;
let folder = '';
const started = new Set<Started>();
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'batuta-cache-'));
  program = await compileProgram(`import './test/chaos/cache-program.ts';`);
});
afterAll(async () => {
  for (const { child } of started) child.kill('SIGKILL');
  await Promise.all([...started].map(({ ended }) => ended));
  program.remove();
  rmSync(folder, { recursive: true, force: true });
});

interface Line {
  readonly at: number;
  readonly pid: number;
  readonly what: string;
}

function readLedger(path: string): Line[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').trim().split('\n').filter(Boolean);
  return lines.map((line) => {
    const [at = '', pid = '', ...what] = line.split(' ');
    return { at: Number(at), pid: Number(pid), what: what.join(' ') };
  });
}

function start(order: CacheOrder): Started {
  const process = startProgram(program, [JSON.stringify(order)]);
  started.add(process);
  return process;
}

async function kill(process: Started): Promise<void> {
  process.child.kill('SIGKILL');
  await process.ended;
}

const places = [
  { name: 'sqlite', make: async (place: string) => ({ url: `sqlite:${join(place, 'runs.db')}`, drop: async () => undefined }) },
  { name: 'postgres', make: async () => createDatabase() },
] as const;

describe.each(places)('on $name', ({ make }) => {
  async function withStore<T>(work: (url: string, store: Store, ledger: string) => Promise<T>): Promise<T> {
    const place = mkdtempSync(join(folder, 'place-'));
    const { url, drop } = await make(place);
    const store = await openStore({ url });
    try {
      return await work(url, store, join(place, 'ledger'));
    } finally {
      await store.close();
      await drop();
    }
  }

  test('1,000 callers of one key in four processes, the one that makes the value killed: it is made once more, after one lease at the most', async () => {
    await withStore(async (url, store, ledger) => {
      const leaseMs = 2_000;
      const order: CacheOrder = { what: 'callers', url, ledger, leaseMs, workMs: 1_000, runId: null };
      const first = start({ ...order, workMs: 600_000 });
      await expect.poll(() => readLedger(ledger).length, { timeout: 30_000 }).toBe(1);
      const others = [start(order), start(order), start(order)];
      for (const other of others) await other.printed('id ');
      // All of them wait by now, or will find the entry held.
      await expect
        .poll(async () => (await store.taskRuns.ofRun((await runIds(store))[0] ?? '')).filter(({ name }) => name === 'slow').length, {
          timeout: 30_000,
        })
        .toBe(250);
      await kill(first);
      const killedAt = Date.now();
      await Promise.all(others.map(({ ended }) => ended));
      const made = readLedger(ledger);
      expect(made).toHaveLength(2);
      const tookOverMs = (made[1]?.at ?? 0) - killedAt;
      process.stdout.write(`taken over ${tookOverMs} ms after the kill, lease ${leaseMs} ms\n`);
      expect(tookOverMs).toBeLessThanOrEqual(leaseMs + 1_500);
      const survivors = (await Promise.all((await runIds(store)).map((id) => store.taskRuns.ofRun(id)))).flat();
      const values = survivors.filter(({ name, state }) => name === 'slow' && state.type === 'COMPLETED');
      expect(values).toHaveLength(750);
      expect(new Set(values.map(({ result }) => result))).toEqual(new Set([`{"json":"same of ${made[1]?.pid}"}`]));
      expect(values.filter(({ state }) => state.name === 'Cached')).toHaveLength(749);
    });
  }, 120_000);

  test('a process killed again and again in the middle of a rollback: everything is undone, and each undo is recorded once', async () => {
    await withStore(async (url, store, ledger) => {
      const order: CacheOrder = { what: 'rollback', url, ledger, leaseMs: 15_000, workMs: 40, runId: null };
      let process = start(order);
      await process.printed('id ');
      const [runId = ''] = await runIds(store);
      for (let deaths = 0; deaths < (isLong ? 20 : 4); deaths += 1) {
        const before = readLedger(ledger).length;
        await expect.poll(() => readLedger(ledger).length, { timeout: 30_000, interval: 5 }).toBeGreaterThan(before + 1);
        await sleep(Math.random() * 40);
        await kill(process);
        process = start({ ...order, runId });
        await process.printed('id ');
      }
      await process.ended;
      expect(await store.runs.get(runId)).toMatchObject({
        state: { type: 'FAILED', message: expect.stringContaining('25 tasks were undone') },
      });
      const rows = await store.taskRuns.ofRun(runId);
      expect(rows.filter(({ name }) => name === 'act').map(({ state }) => state.name)).toEqual(
        Array.from({ length: 25 }, () => 'RolledBack'),
      );
      const undone = rows.filter(({ name, state }) => name === 'undo' && state.name === 'Completed');
      expect(undone.map(({ index }) => index).sort((a, b) => (a ?? 0) - (b ?? 0))).toEqual(Array.from({ length: 25 }, (_, at) => at));
      const ends = (await store.transitions.ofRun(runId)).filter(({ type }) => type === 'COMPLETED').map(({ taskRunId }) => taskRunId);
      for (const { id } of undone) expect(ends.filter((one) => one === id)).toHaveLength(1);
      for (const { index } of undone) expect(readLedger(ledger).some(({ what }) => what === `undo ${index} ${index}`)).toBe(true);
    });
  }, 120_000);
});

async function runIds(store: Store): Promise<string[]> {
  return (await store.runs.list({ parentRunId: null })).items.map(({ id }) => id);
}
