/**
 * Reports while the server and the program that reports are killed: all runs are on the server in the end, each once, with its history in order.
 *
 * `REPORT_DEATHS` deaths of each, and `REPORT_AWAY_MS` for which the server is away under load, so long that the disk buffer is full;
 * `npm run chaos` sets 10 and ten minutes.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { spawn, type ChildProcess } from 'node:child_process';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { createDatabase, type TestDatabase } from '../support/postgres.ts';
import { freePort } from '../support/redis.ts';
import { compileProgram, type Program } from '../support/run-source.ts';

const deaths = Number(process.env['REPORT_DEATHS'] ?? 1);
const awayMs = Number(process.env['REPORT_AWAY_MS'] ?? 1_500);

let folder: string;
let program: Program;
let database: TestDatabase;
let port: number;
const children: ChildProcess[] = [];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'batuta-reports-'));
  [program, database, port] = await Promise.all([
    compileProgram(`import './test/chaos/reports-program.ts';`),
    createDatabase(),
    freePort(),
  ]);
});
afterEach(async () => {
  for (const child of children.splice(0)) await kill(child);
  program.remove();
  await database.drop();
  rmSync(folder, { recursive: true, force: true });
});

const local = (): string => `sqlite:${join(folder, 'program.db')}`;

async function start(what: 'server' | 'program'): Promise<ChildProcess> {
  const isServer = what === 'server';
  const env = isServer
    ? { BATUTA_DATABASE_URL: database.url, BATUTA_PORT: String(port) }
    : {
        BATUTA_DATABASE_URL: local(),
        BATUTA_REPORT_URL: `http://127.0.0.1:${port}`,
        BATUTA_REPORT_BUFFER: '1MiB',
        BATUTA_REPORT_FLUSH: '60s',
      };
  const child = spawn(process.execPath, [program.path, what], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  await printed(child, isServer ? 'serves' : 'works');
  return child;
}

async function printed(child: ChildProcess, text: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => chunk.toString().includes(text) && resolve());
    child.once('exit', (code) => reject(new Error(`A process ended with ${code} before it printed ${text}.`)));
  });
}

async function kill(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  await once(child, 'exit');
}

it(
  'all runs are there in the end, each once and in order, with the server and the program killed and the disk buffer full',
  async () => {
    let server = await start('server');
    for (let death = 0; death < deaths; death++) {
      const working = await start('program');
      await sleep(700 + 300 * death);
      await kill(server);
      await sleep(300);
      server = await start('server');
      await sleep(500);
      await kill(working);
    }
    const last = await start('program');
    await kill(server);
    await sleep(awayMs);
    await kill(last);
    await start('server');
    const leaving = await start('program');
    await sleep(300);
    await kill(leaving, 'SIGTERM');
    const [near, far] = [await openStore({ url: local() }), await openStore({ url: database.url })];
    try {
      expect(await near.outbox?.state()).toMatchObject({ items: 0, bytes: 0 });
      const [own, theirs] = [await everyRun(near), await everyRun(far)];
      expect(own.length).toBeGreaterThan(deaths * 3);
      expect(theirs.map(({ id }) => id)).toEqual(own.map(({ id }) => id));
      let missing = 0;
      for (const { id } of own) missing += await expectSame(near, far, id);
      const dropped = (await near.outbox?.state())?.dropped ?? 0;
      expect(dropped).toBeGreaterThan(0);
      // No line is missing that was not left out and counted. Some of those had been sent already, and are there.
      expect(missing).toBeLessThanOrEqual(dropped);
    } finally {
      await near.close();
      await far.close();
    }
  },
  120_000 + 3 * awayMs,
);

async function everyRun(store: Store): Promise<readonly { readonly id: string }[]> {
  const runs: { readonly id: string }[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await store.runs.list({ limit: 1_000, ...(cursor === undefined ? {} : { cursor }) });
    runs.push(...page.items);
    if (page.next === null) return runs;
    cursor = page.next;
  }
}

/**
 * Log lines may have been left out: of those that wait the ones that have waited longest, so that of a run whose first lines had been sent, those between
 * may be missing. What is there is there once and in its order. Gives how many are missing.
 */
async function expectSame(near: Store, far: Store, id: string): Promise<number> {
  const [own, theirs] = await Promise.all([near.runs.get(id), far.runs.get(id)]);
  expect(theirs?.state).toEqual(own?.state);
  expect(await far.transitions.ofRun(id)).toEqual(await near.transitions.ofRun(id));
  expect(await far.taskRuns.ofRun(id)).toEqual(await near.taskRuns.ofRun(id));
  expect(await far.artifacts.ofRun(id)).toEqual(await near.artifacts.ofRun(id));
  const [lines, kept] = await Promise.all([linesOf(near, id), linesOf(far, id)]);
  const told = new Set(kept);
  expect(kept).toEqual(lines.filter((line) => told.has(line)));
  return lines.length - kept.length;
}

async function linesOf(store: Store, id: string): Promise<readonly string[]> {
  return (await store.logs.ofRun(id)).map(({ message }) => message);
}
