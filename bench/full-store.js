/** Lists and overviews of a store that is full, at the client and at the API: each of them many times, the slowest by name. */
import { join } from 'node:path';
import { openClient } from 'batuta/client';
import { apiQuestions, clientQuestions } from './full-store-questions.js';
import { inFolder, runProcess } from './measure.js';
import { withServer } from './server-process.js';

const mostMs = 100;

/** @param {import('./main.js').Request} request */
export async function benchmark({ quick, runs: samples, store }) {
  const runs = Number(process.env.BATUTA_BENCH_FULL_STORE_RUNS ?? (quick ? 2_000 : store === 'sqlite' ? 200_000 : 1_000_000));
  const rounds = quick ? 2 : samples * 5;
  return inFolder(async (folder) => {
    const databaseUrl = store === 'sqlite' ? `sqlite:${join(folder, 'full.db')}` : process.env.BATUTA_BENCH_POSTGRES_URL;
    const seeded = await seed({ databaseUrl, runs });
    const atClient = await measureClient({ databaseUrl, folder, rounds });
    const atApi = await withServer({ databaseUrl, folder }, (url) => measureApi({ url, rounds }));
    return {
      title: `${seeded.runs.toLocaleString('en-US')} runs and ${seeded.taskRuns.toLocaleString('en-US')} task runs, ${rounds} times each`,
      figures: [
        { name: 'seedSeconds', label: 'seeding', value: seeded.seconds, unit: 's' },
        { name: 'clientP50Ms', label: 'client, slowest p50', value: worst(atClient, 'p50'), unit: 'ms' },
        { name: 'clientP95Ms', label: 'client, slowest p95', value: worst(atClient, 'p95'), unit: 'ms', target: { atMost: mostMs } },
        { name: 'apiP50Ms', label: 'API, slowest p50', value: worst(atApi, 'p50'), unit: 'ms' },
        { name: 'apiP95Ms', label: 'API, slowest p95', value: worst(atApi, 'p95'), unit: 'ms', target: { atMost: mostMs } },
      ],
      notes: [table('At the client, ms', atClient), table('At the API, ms', atApi)],
    };
  });
}

async function seed({ databaseUrl, runs }) {
  const { stdout } = await runProcess(['scripts/seed.js', '--json', '--runs', String(runs), '--database-url', databaseUrl]);
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
}

async function measureClient({ databaseUrl, folder, rounds }) {
  process.env.BATUTA_LOG_LEVEL = 'warn';
  const client = await openClient({ databaseUrl, results: join(folder, 'results') });
  try {
    return await measureEach(await clientQuestions(client), rounds);
  } finally {
    await client.close();
  }
}

async function measureApi({ url, rounds }) {
  const get = async (path) => {
    const answer = await fetch(new URL(path, url));
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${text.slice(0, 400)}`);
    return JSON.parse(text);
  };
  const questions = Object.entries(await apiQuestions(get)).map(([name, path]) => [name, () => get(path)]);
  return await measureEach(Object.fromEntries(questions), rounds);
}

/** One after the other, round by round, so that none profits from having been asked just before. */
async function measureEach(questions, rounds) {
  const times = Object.fromEntries(Object.keys(questions).map((name) => [name, []]));
  for (let round = -1; round < rounds; round++) {
    for (const [name, ask] of Object.entries(questions)) {
      const startedAt = performance.now();
      await ask();
      if (round >= 0) times[name].push(performance.now() - startedAt);
    }
  }
  return Object.entries(times).map(([name, all]) => ({ name, p50: percentile(all, 0.5), p95: percentile(all, 0.95) }));
}

function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

function worst(measured, share) {
  return Math.max(...measured.map((it) => it[share]));
}

function table(title, measured) {
  const width = Math.max(...measured.map(({ name }) => name.length));
  const lines = measured.map(
    ({ name, p50, p95 }) => `  ${name.padEnd(width)}  p50 ${p50.toFixed(1).padStart(7)}  p95 ${p95.toFixed(1).padStart(7)}`,
  );
  return [title, ...lines].join('\n');
}
