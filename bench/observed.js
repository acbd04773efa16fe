/**
 * What it costs to be observed: chain, fan-out and short runs with metrics and traces on beside the same with both off, those beside a build without
 * the places where they are hooked in; and how soon `/metrics` answers.
 *
 * Each way has a process of its own, and they work in turn. Traces go to a receiver in a further process. It has got every span before the next
 * one begins, and is asked how many those were: what is lost on the way would be measured as cheap.
 */
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { startServer } from 'batuta/process';
import { build } from 'esbuild';
import { openClient } from 'batuta/client';
import { putDeployments } from './deployment-rows.js';
import { withoutHooks } from './hookless.js';
import { inFolder, median, medians, repeat, root } from './measure.js';

const dayMs = 86_400_000;
/** What was read from the database is older than this when it is read anew, ms. */
const staleMs = 5_100;
const fewDeployments = 100;
/** How long spans may take to arrive, ms. */
const arriveMs = 30_000;
/** A hundredth is looked for, so each median is made of more samples than elsewhere. */
const samplesPerRun = 3;

/** @param {import('./main.js').Request} request */
export async function benchmark({ quick, runs, store }) {
  const size = quick
    ? { chain: 20, fanout: 50, runs: 5, deployments: 200 }
    : { chain: 1_000, fanout: 10_000, runs: 2_000, deployments: 10_000 };
  // A run has a span and one of its submit, a task run has one and one of its attempt.
  const spans = { chain: 2 + 2 * size.chain, fanout: 2 + 2 * (size.fanout + 2), throughput: 4 * size.runs };
  const metrics = await bundleMetrics();
  const figures = [];
  await inFolder((folder) =>
    withoutHooks((hookless) =>
      withSink(async (sink) => {
        const ways = {
          on: { file: 'bench/observed-process.js', env: { OTEL_EXPORTER_OTLP_ENDPOINT: sink.endpoint }, metrics, sink },
          off: { file: 'bench/observed-process.js' },
          hookless: { file: join(hookless, 'bench/observed-process.js') },
        };
        await withProcesses(ways, { folder, store, size }, async (asked) => {
          for (const name of Object.keys(spans)) {
            const times = quick ? 1 : runs * samplesPerRun;
            const samples = await repeat({ times, warmups: quick ? 0 : 5 }, (round) => measureInTurn(asked, round, name, spans[name]));
            figures.push(...figuresOf(name, medians(samples)));
          }
        });
      }),
    ),
  );
  const many = await inFolder((folder) => timeScrapes(folder, size.deployments, quick));
  const few = await inFolder((folder) => timeScrapes(folder, fewDeployments, quick));
  const label = `/metrics at ${size.deployments.toLocaleString('en-US')} deployments`;
  const beside = (value) => ({ label: `at ${fewDeployments}`, value });
  figures.push(
    { name: 'scrapeMs', label, value: many.fresh, unit: 'ms', target: { atMost: 50 }, beside: beside(few.fresh) },
    {
      ...{ name: 'staleScrapeMs', label: `${label}, figures read anew`, value: many.stale, unit: 'ms', target: { atMost: 50 } },
      beside: beside(few.stale),
    },
  );
  return {
    title: `Work with and without metrics and traces, median of ${quick ? 1 : runs * samplesPerRun}, ${store}`,
    figures,
    notes: ['CPU is that of all threads of a process, until the last span has been exported.'],
  };
}

function figuresOf(name, { on, off, hookless, onCpu, offCpu }) {
  return [
    {
      ...{ name, label: `${name}, metrics and traces on`, value: on, unit: 'ms', target: { atMost: 1.15 * off } },
      beside: { label: 'off', value: off },
    },
    { name: `${name}Cpu`, label: 'CPU', value: onCpu, unit: 'ms', beside: { label: 'off', value: offCpu } },
    {
      ...{ name: `${name}Off`, label: `${name}, both off`, value: off, unit: 'ms', target: { atMost: 1.01 * hookless } },
      beside: { label: 'built without hooks', value: hookless },
    },
  ];
}

/** Each way once, another one first each time. */
async function measureInTurn(asked, round, name, spans) {
  const order = Object.keys(asked);
  const sample = {};
  for (let at = 0; at < order.length; at++) {
    const way = order[(at + round) % order.length];
    const { ask, sink } = asked[way];
    const [before, cpuBefore] = [await sink?.spans(), await ask('cpu')];
    sample[way] = await ask(name);
    if (sink) await allArrived(sink, before + spans);
    sample[`${way}Cpu`] = (await ask('cpu')) - cpuBefore;
  }
  return sample;
}

async function allArrived(sink, wanted) {
  let come = 0;
  for (const startedAt = performance.now(); performance.now() - startedAt < arriveMs; await sleep(20)) {
    come = await sink.spans();
    if (come === wanted) return;
    if (come > wanted) break;
  }
  throw new Error(`The receiver has ${come} spans, and not ${wanted}: work with traces on was not measured.`);
}

/** Calls `use` with what asks each process, and ends them. */
async function withProcesses(ways, { folder, store, size }, use) {
  const children = [];
  try {
    const asked = {};
    for (const [way, { file, env = {}, metrics = null, sink }] of Object.entries(ways)) {
      const place = join(folder, way);
      await mkdir(place);
      const argument = JSON.stringify({ folder: place, store, size, metrics });
      const child = fork(join(file.startsWith('/') ? '' : root, file), [argument], { env: { ...withoutTelemetry(), ...env } });
      children.push(child);
      await answerOf(child);
      const ask = async (what) => {
        child.send(what);
        return await answerOf(child);
      };
      asked[way] = { ask, sink };
    }
    await use(asked);
    const ends = children.map((child) => once(child, 'exit'));
    for (const child of children) child.send('end');
    await Promise.all(ends);
  } finally {
    for (const child of children) child.kill('SIGKILL');
  }
}

async function answerOf(child) {
  const over = new AbortController();
  const ended = once(child, 'exit', { signal: over.signal }).then(([code, signal]) => {
    throw new Error(`A process that was measured ended with ${code ?? signal}.`);
  });
  ended.catch(() => undefined);
  try {
    const [answer] = await Promise.race([once(child, 'message', { signal: over.signal }), ended]);
    return answer;
  } finally {
    over.abort();
  }
}

/** The environment without what the machine says of telemetry. */
function withoutTelemetry() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('OTEL_')));
}

/** Calls `use` with a receiver, and ends it. */
async function withSink(use) {
  const sink = spawn(process.execPath, [join(root, 'bench', 'otlp-sink.js')], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: sink.stdout })[Symbol.asyncIterator]();
  try {
    const { value: endpoint } = await lines.next();
    const spans = async () => {
      sink.stdin.write('\n');
      return Number((await lines.next()).value);
    };
    await use({ endpoint, spans });
  } finally {
    sink.kill('SIGKILL');
  }
}

/** The part of the library that measures, which no entry of the package exports. */
async function bundleMetrics() {
  const outfile = join(root, 'node_modules', '.cache', 'batuta-bench', 'open-metrics.mjs');
  const entryPoints = [join(root, 'src/monitor/open-metrics.ts')];
  await build({ entryPoints, outfile, bundle: true, format: 'esm', platform: 'node', packages: 'external', logLevel: 'error' });
  return outfile;
}

async function timeScrapes(folder, count, quick) {
  const settings = { databaseUrl: `sqlite:${join(folder, 'scraped.db')}`, results: join(folder, 'results'), port: 0, logLevel: 'error' };
  const server = await startServer({ settings });
  try {
    const client = await openClient({ databaseUrl: settings.databaseUrl, results: settings.results });
    await putDeployments(client, count, () => ({ cron: '0 0 * * *', nextTickAt: Date.now() + dayMs }));
    await client.close();
    const scrape = async () => {
      const startedAt = performance.now();
      await (await fetch(`${server.url}/metrics`)).text();
      return performance.now() - startedAt;
    };
    // The first loads what metrics are made with.
    await scrape();
    const fresh = [];
    for (let at = 0; at < 20; at++) fresh.push(await scrape());
    const stale = [];
    for (let at = 0; at < (quick ? 1 : 4); at++) {
      await sleep(quick ? 0 : staleMs);
      stale.push(await scrape());
    }
    return { fresh: median(fresh), stale: median(stale) };
  } finally {
    await server.stop();
  }
}
