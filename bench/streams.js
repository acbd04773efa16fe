/** 200 open streams of live events while 1,000 runs a minute go through: whether one is lost, how late they come, what the server needs. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { withFleet } from './fleet.js';
import { inFolder, median } from './measure.js';
import { followStream } from './streams-reader.js';
import { withServices } from './services.js';

const usual = { streams: 200, runsPerMinute: 1_000, seconds: 60 };
const tiny = { streams: 10, runsPerMinute: 600, seconds: 3 };
/** After the last run its last event must have come within so long, ms. */
const longestMs = 30_000;

/** @param {import('./main.js').Request} request */
export async function benchmark({ quick, store }) {
  const { streams, runsPerMinute, seconds } = quick ? tiny : usual;
  const runs = Math.round((runsPerMinute * seconds) / 60);
  const figures = await inFolder((folder) =>
    onStore(store, folder, (place) =>
      withFleet({ ...place, env: { BATUTA_PORT: '0' } }, async ({ client, start }) => {
        await start('worker', '--concurrency', '50', '--queue', 'one');
        const server = await start('server');
        const url = /Server at (http:\/\/[^ "]+)/.exec(server.logged())?.[1];
        const readers = await Promise.all(Array.from({ length: streams }, () => followStream(`${url}/api/events`)));
        // A first few runs warm the processes up; memory is judged from then on.
        await submit(client, readers, { runs: Math.ceil(runs / 10), runsPerMinute });
        const before = memoryMb(server.pid);
        const cpuBefore = cpuMs(server.pid);
        const startedAt = performance.now();
        const { wanted, lost, latenesses } = await submit(client, readers, { runs, runsPerMinute });
        const tookMs = performance.now() - startedAt;
        const after = memoryMb(server.pid);
        const cpu = ((cpuMs(server.pid) - cpuBefore) / tookMs) * 100;
        for (const reader of readers) reader.close();
        return { wanted, lost, before, after, cpu, p50: median(latenesses), p99: quantile(latenesses, 0.99) };
      }),
    ),
  );
  return {
    title: `${streams} streams of live events while ${runs.toLocaleString('en-US')} runs of one task go through at ${runsPerMinute.toLocaleString('en-US')} a minute, on ${store}`,
    figures: [
      {
        name: 'lost',
        label: `events lost of ${figures.wanted.toLocaleString('en-US')}`,
        value: figures.lost,
        unit: 'events',
        target: { atMost: 0 },
      },
      { name: 'latenessP50Ms', label: 'from the change to the reader, p50', value: figures.p50, unit: 'ms' },
      { name: 'latenessP99Ms', label: 'from the change to the reader, p99', value: figures.p99, unit: 'ms', target: { atMost: 1_000 } },
      {
        name: 'memoryMb',
        label: 'memory of the server at the end',
        value: figures.after,
        unit: 'MB',
        target: { atMost: figures.before * 1.25 + 10 },
        beside: { label: 'when all was open and warm', value: figures.before },
      },
      { name: 'cpuPercent', label: 'CPU of the server, of one core', value: figures.cpu, unit: '%' },
    ],
  };
}

function onStore(store, folder, use) {
  if (store === 'sqlite') return use({ folder, databaseUrl: `sqlite:${folder}/batuta.db` });
  return withServices(({ databaseUrl, redisUrl }) => use({ folder, databaseUrl, redisUrl }));
}

/** Submits runs evenly, and waits until every reader has heard of the end of each, or the time is over. */
async function submit(client, readers, { runs, runsPerMinute }) {
  const startedAt = performance.now();
  const ids = [];
  for (let at = 0; at < runs; at++) {
    const dueMs = (at * 60_000) / runsPerMinute - (performance.now() - startedAt);
    if (dueMs > 1) await sleep(dueMs);
    ids.push((await client.enqueue('one-task', { group: 0 }, { queue: 'one' })).id);
  }
  const endedAt = performance.now();
  const isMissing = (reader) => ids.some((id) => !reader.heard.has(`${id} Completed`));
  while (readers.some(isMissing) && performance.now() - endedAt < longestMs) await sleep(100);
  // What is recorded is what must have been told: read from the database, not from the readers.
  const names = [];
  for (const id of ids) {
    for (const { name, taskRunId } of (await client.runs.inspect(id)).transitions) if (taskRunId === null) names.push(`${id} ${name}`);
  }
  const distinct = [...new Set(names)];
  const lost = readers.reduce((sum, { heard }) => sum + distinct.filter((name) => !heard.has(name)).length, 0);
  const latenesses = readers.slice(0, 10).flatMap((reader) => ids.map((id) => reader.heard.get(`${id} Completed`) ?? longestMs));
  return { wanted: distinct.length * readers.length, lost, latenesses };
}

function quantile(values, part) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}

function memoryMb(pid) {
  return (Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024) / 1e6;
}

/** Time on the processor so far, by its clock ticks. Source: proc(5), /proc/pid/stat, fields 14 and 15. */
function cpuMs(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1_000) / ticksPerSecond;
}

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
