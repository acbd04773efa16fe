/** `npm run bench -- NAME [--json] [--quick] [--runs n] [--store sqlite|postgres]`: runs one benchmark against `dist`. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from './measure.js';
import { toJson, toTable } from './report.js';
import { withPostgres } from './services.js';

/** Name of each benchmark, its file, and what it shows. */
const benchmarks = {
  chain: { file: './chain.js', shows: '1,000 tasks, each waiting for the one before' },
  cache: { file: './cache.js', shows: '1,000 tasks whose values are in the cache, beside the same that are executed' },
  fanout: { file: './fanout.js', shows: '10,000 and 100,000 parallel tasks and a join in one run' },
  light40: { file: './light40.js', shows: 'overhead over 40 tasks of fibo(10)' },
  long10: { file: './long10.js', shows: 'overhead over 10 tasks of fibo(33)' },
  latency: { file: './latency.js', shows: 'submit to first line with a worker process, beside bare BullMQ' },
  throughput: { file: './throughput.js', shows: '5,000 runs of one task with worker processes, beside bare BullMQ' },
  recovery: { file: './recovery.js', shows: 'how soon a run goes on when its worker is killed or frozen' },
  idle: { file: './idle.js', shows: 'memory and CPU of a worker that has nothing to do' },
  observed: {
    file: './observed.js',
    shows: 'chain, fan-out and short runs with metrics and traces on beside off, and how soon /metrics answers',
  },
  stream: { file: './stream.js', shows: 'records a second from task to task, beside async generators and streams of Node' },
  resources: { file: './resources.js', shows: 'what a task pays for a resource of its run' },
  steps: { file: './steps.js', shows: 'a pipeline of 100 steps beside the same as a graph' },
  isolate: { file: './isolate.js', shows: 'a task in a warm thread, in a cold one and in a process, beside one in this thread' },
  transaction: { file: './transaction.js', shows: 'a task that takes effect once in PostgreSQL, beside insert and commit by hand' },
  spread: { file: './spread.js', shows: 'a fan-out that computes on one worker and on two' },
  streams: { file: './streams.js', shows: '200 streams of live events while 1,000 runs a minute go through' },
  startup: { file: './startup.js', shows: 'a whole `batuta run`, and the import of the library' },
  ticks: { file: './ticks.js', shows: 'how punctual ticks of schedules are' },
  deployments: { file: './deployments.js', shows: 'a scheduler among 100,000 deployments' },
  burst: { file: './burst.js', shows: '10,000 ticks due at the same second' },
  export: { file: './export.js', shows: 'memory and time of exporting 1,000,000 runs, and their task runs, to Parquet' },
  'full-store': { file: './full-store.js', shows: 'every list and overview of a store with 200,000 runs (PostgreSQL 1,000,000)' },
  'two-processes': { file: './two-processes.js', shows: 'two processes with 5,000 runs each on one SQLite file' },
};

process.exitCode = await main();

/** @returns {Promise<number>} exit status: 0 fine, 1 a target was missed or the benchmark failed, 2 wrong usage */
async function main() {
  const request = readRequest();
  if (!request) return 2;
  if (!existsSync(join(root, 'dist', 'index.js'))) return refuse('There is no dist; run `npm run build` first.');
  const { benchmark } = await import(benchmarks[request.name].file);
  const report = await onStore(request, () => benchmark(request));
  console.log(toTable({ name: request.name, ...report }));
  if (request.quick) console.log('\nA quick run shows that the benchmark works; it is too small to be judged.');
  const json = toJson({ name: request.name, ...report }, { judge: !request.quick });
  if (request.json) console.log(JSON.stringify(json));
  return json.ok ? 0 : 1;
}

/** Where PostgreSQL is asked for and none is named, all processes of the benchmark use one that lives as long as it. */
function onStore({ store }, measure) {
  if (store === 'sqlite') return measure();
  return withPostgres((url) => {
    process.env.BATUTA_BENCH_POSTGRES_URL = url;
    return measure();
  });
}

/**
 * @typedef {object} Request
 * @property {string} name
 * @property {boolean} json
 * @property {boolean} quick a tiny form, for tests
 * @property {number} runs how many samples a median is made of
 * @property {'sqlite' | 'postgres'} store
 */

/** @returns {Request | null} */
function readRequest() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        quick: { type: 'boolean', default: false },
        runs: { type: 'string' },
        store: { type: 'string', default: 'sqlite' },
      },
    });
    const [name, ...rest] = positionals;
    const runs = Number(values.runs ?? (values.quick ? 1 : 7));
    if (name === undefined || rest.length > 0 || !Object.hasOwn(benchmarks, name)) throw new Error('Name one benchmark.');
    if (!Number.isInteger(runs) || runs < 1) throw new Error('--runs takes a whole number from 1.');
    if (values.store !== 'sqlite' && values.store !== 'postgres') throw new Error('--store takes sqlite or postgres.');
    return { name, json: values.json, quick: values.quick, runs, store: values.store };
  } catch (error) {
    refuse(error.message);
    return null;
  }
}

function refuse(message) {
  const names = Object.entries(benchmarks).map(([name, { shows }]) => `  ${name.padEnd(14)} ${shows}`);
  console.error(`${message}\n\nnpm run bench -- NAME [--json] [--quick] [--runs n] [--store sqlite|postgres]\n\n${names.join('\n')}`);
  return 2;
}
