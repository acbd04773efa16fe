/** A server with little memory, and readers and writers that ask for as much as they can; some of them do not read what they asked for. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeId } from '../../src/base/id.ts';
import { storeValue } from '../../src/engine/values/results.ts';
import type { Claim } from '../../src/store/store.ts';
import { endRun, logLine, startRun, taskRun, transitionOf } from '../contract/store/rows.ts';
import { isLong } from '../support/chaos.ts';
import { type Fleet, makeFleet, type Member } from '../support/fleet.ts';

const mib = 1024 * 1024;
const tasks = isLong ? 200_000 : 2_000;

let fleet: Fleet;
let server: Member;
let url: string;
let run: Claim;
const sockets = new Set<Socket>();

beforeAll(async () => {
  fleet = await makeFleet({ on: 'sqlite', env: { BATUTA_PORT: '0', NODE_OPTIONS: '--max-old-space-size=350' } });
  run = await seed();
  server = await fleet.start('server');
  url = /Server at (http:\/\/[^ "]+)/.exec(server.log())?.[1] ?? '';
}, 120_000);
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await fleet.stop();
});

/** A run as older versions could record it: lines of 5 MB, artifacts of 8 MB, a long history, a result of 60 MB. */
async function seed(): Promise<Claim> {
  const { store, results } = fleet.client.engine.services;
  const claim = await startRun(store, { flow: 'ledger-run' });
  const { runId } = claim;
  for (let count = 0; count < 120; count++) await store.recorder.addLog(logLine(runId, `${count} ${'x'.repeat(5 * mib)}`));
  for (let count = 0; count < 20; count++)
    await store.recorder.addArtifact(claim, {
      id: makeId(),
      runId,
      taskRunId: null,
      kind: 'json',
      name: `a${count}`,
      data: 'y'.repeat(8 * mib),
      createdAt: count,
    });
  const result = `{"json":${JSON.stringify('r'.repeat(250_000))}}`;
  for (let from = 0; from < tasks; from += 1_000)
    await Promise.all(
      Array.from({ length: 1_000 }, (_, index) => {
        const row = taskRun(runId, `task[${from + index}]`, from === 0 && index < 500 ? { result } : {});
        return store.recorder.addTaskRun(claim, row, transitionOf(row));
      }),
    );
  await store.recorder.flush();
  const stored = await storeValue(results, `${runId}/result`, `{"json":${JSON.stringify('z'.repeat(60 * mib))}}`);
  await store.recorder.addRunPatch(claim, { ...stored }, null);
  await endRun(store, claim);
  return claim;
}

/** Asks, and reads to the end or not at all. */
async function ask(path: string, reads: boolean, init: RequestInit = {}): Promise<number> {
  if (!reads) {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname).pause();
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
    await once(socket, 'connect');
    return 0;
  }
  const answer = await fetch(url + path, { signal: AbortSignal.timeout(60_000), ...init });
  for await (const _ of answer.body ?? []);
  return answer.status;
}

/** So many times the same, a few at a time. */
async function many(count: number, act: (index: number) => Promise<unknown>): Promise<void> {
  const next = Array.from({ length: count }, (_, index) => index);
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (let index = next.shift(); index !== undefined; index = next.shift()) await act(index);
    }),
  );
}

function peakMemory(): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
}

test('a server with 350 MB of heap survives readers that ask for much and do not read, and answers throughout', async () => {
  const path = `/api/runs/${run.runId}`;
  const paths = [
    `${path}/logs?limit=10000`,
    `${path}/logs?tail=10000`,
    `${path}/logs/download`,
    `${path}/artifacts?limit=1000`,
    `${path}/transitions`,
    `${path}/tasks?limit=1000`,
    path,
    `${path}/result`,
    `/api/events?run=${run.runId}`,
  ];
  // Those that come to an end.
  const ending = paths.slice(0, -1);
  let live = 0;
  let isOver = false;
  const watching = (async () => {
    while (!isOver) {
      expect((await fetch(`${url}/health/live`)).status).toBe(200);
      live++;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
  const json = { 'content-type': 'application/json' };
  const post = (to: string, body: string) => ask(to, true, { method: 'POST', headers: json, body }).catch(() => 0);
  const runs = `{"flow":"none","runs":[${'{"params":{"a":[]}},'.repeat(90_000)}{}]}`;
  const statuses = new Set<number>();
  await many(200, (index) => ask(paths[index % paths.length] ?? path, false));
  await many(32, async (index) => void statuses.add(await ask(ending[index % ending.length] ?? path, true)));
  await many(8, (index) => post('/api/runs/many', index % 2 === 0 ? runs : `[${'{},'.repeat(5 * mib)}{}]`));
  await many(16, () => post('/api/login', `{"key":[${'[],'.repeat(mib / 4)}[]]}`));
  isOver = true;
  await watching;
  expect(server.process.exitCode).toBeNull();
  expect(live).toBeGreaterThan(0);
  expect([...statuses].filter((status) => ![200, 429].includes(status))).toEqual([]);
  // Heap of 350 MB and, beside it, what waits in buffers.
  if (process.platform === 'linux') expect(peakMemory()).toBeLessThan(900);
  expect(await (await fetch(`${url}${path}/tasks?limit=1`)).json()).toMatchObject({ items: [{ name: expect.any(String) }] });
}, 300_000);
