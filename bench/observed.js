/**
 * What it costs to be observed: chain, fan-out and short runs with metrics and traces on beside the same with both off; and how soon `/metrics` answers.
 * Traces are sent to a receiver in a process of its own.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { startServer } from 'batuta/process';
import { build } from 'esbuild';
import { openClient } from 'batuta/client';
import { putDeployments } from './deployment-rows.js';
import { timeRun, withClient } from './engine.js';
import { makeChain, makeFanOut } from './flows.js';
import { inFolder, median, medians, repeat, root } from './measure.js';

const dayMs = 86_400_000;
/** What was read from the database is older than this when it is read anew, ms. */
const staleMs = 5_100;

/** @param {import('./main.js').Request} request */
export async function benchmark({ quick, runs, store }) {
  const size = quick
    ? { chain: 20, fanout: 50, runs: 5, deployments: 100 }
    : { chain: 1_000, fanout: 10_000, runs: 500, deployments: 10_000 };
  const { openMetrics } = await loadMetrics();
  const [Chain, FanOut, Short] = [
    makeChain('chain', size.chain, () => undefined),
    makeFanOut('fan-out', size.fanout),
    makeChain('short', 1, () => undefined),
  ];
  const works = {
    chain: (client) => timeRun(client, Chain),
    fanout: (client) => timeRun(client, FanOut),
    throughput: async (client) => {
      const startedAt = performance.now();
      await Promise.all(Array.from({ length: size.runs }, () => timeRun(client, Short)));
      return performance.now() - startedAt;
    },
  };
  const figures = [];
  await withSink(async (endpoint) => {
    for (const [name, work] of Object.entries(works)) {
      const measured = await inFolder((folder) => timeBoth({ folder, store, openMetrics, endpoint }, { work, quick, runs }));
      figures.push({
        name,
        label: `${name}, metrics and traces on`,
        value: measured.on,
        unit: 'ms',
        target: { atMost: 1.15 * measured.off },
        beside: { label: 'off', value: measured.off },
      });
    }
  });
  const { fresh, stale } = await inFolder((folder) => timeScrapes(folder, size.deployments, quick));
  const label = `/metrics at ${size.deployments.toLocaleString('en-US')} deployments, median`;
  figures.push(
    { name: 'scrapeMs', label, value: fresh, unit: 'ms', target: { atMost: 50 } },
    { name: 'staleScrapeMs', label: `${label}, figures read anew`, value: stale, unit: 'ms', target: { atMost: 50 } },
  );
  return { title: `Work with and without metrics and traces, median of ${runs}, ${store}`, figures };
}

/** Medians of the same work by two clients, in turn, so that neither always comes after the other. */
async function timeBoth({ folder, store, openMetrics, endpoint }, { work, quick, runs }) {
  const places = { on: join(folder, 'on'), off: join(folder, 'off') };
  for (const place of Object.values(places)) await mkdir(place);
  return await withClient({ folder: places.off, store }, async (off) => {
    process.env.OTEL_EXPORTER_OTLP_ENDPOINT = endpoint;
    try {
      return await withClient({ folder: places.on, store }, async (on) => {
        delete process.env.OTEL_EXPORTER_OTLP_ENDPOINT;
        const { store: recorded, lifecycle, leaseClock } = on.engine.services;
        const leave = (await openMetrics(leaseClock, 200)).join({ role: 'worker', store: recorded, lifecycle });
        const samples = await repeat({ times: runs, warmups: quick ? 0 : 2 }, async (round) => {
          if (round % 2 === 0) return { on: await work(on), off: await work(off) };
          const first = await work(off);
          return { on: await work(on), off: first };
        });
        leave();
        return medians(samples);
      });
    } finally {
      delete process.env.OTEL_EXPORTER_OTLP_ENDPOINT;
    }
  });
}

/** Calls `use` with the address of a receiver, and ends it. Fails when nothing was sent there: it would be measured without traces. */
async function withSink(use) {
  const sink = spawn(process.execPath, [join(root, 'bench', 'otlp-sink.js')], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: sink.stdout })[Symbol.asyncIterator]();
  const { value: endpoint } = await lines.next();
  let requests = 0;
  try {
    await use(endpoint);
  } finally {
    const ended = once(sink, 'exit');
    sink.stdin.end();
    requests = Number((await lines.next()).value);
    await ended;
  }
  if (!(requests > 0)) throw new Error('No spans came to the receiver: work with traces on was not measured.');
}

/** The part of the library that measures, which no entry of the package exports. */
async function loadMetrics() {
  const outfile = join(root, 'node_modules', '.cache', 'batuta-bench', 'open-metrics.mjs');
  const entryPoints = [join(root, 'src/monitor/open-metrics.ts')];
  await build({ entryPoints, outfile, bundle: true, format: 'esm', platform: 'node', packages: 'external', logLevel: 'error' });
  return await import(outfile);
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
