/**
 * Records a second through three tasks that are connected by streams, beside three async generators in a row and beside `stream.pipeline` of Node.
 *
 * `npm run bench:stream-memory` is the form for memory: 10,000,000 records (`BATUTA_BENCH_STREAM_RECORDS`) through three tasks and two ends in a process
 * whose heap is limited to 128 MB.
 */
import { spawnSync } from 'node:child_process';
import { Readable, Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { timeRun, withClient } from './engine.js';
import { makeStream, records, sumOf, twice } from './flows.js';
import { inFolder, medians, repeat } from './measure.js';

/** @param {import('./main.js').Request} request */
export async function benchmark({ quick, runs, store }) {
  const count = quick ? 2_000 : 500_000;
  const Stream = makeStream('stream', count);
  return inFolder((folder) =>
    withClient({ folder, store }, async (client) => {
      const { streamed, generators, node } = medians(
        await repeat({ times: runs, warmups: quick ? 0 : 1 }, async () => ({
          streamed: perSecond(count, await timeRun(client, Stream)),
          generators: perSecond(count, await timed(() => sumOf(twice(records(count))))),
          node: perSecond(count, await timed(() => throughNode(count))),
        })),
      );
      const memory = quick ? null : measureMemory(1_000_000);
      return {
        title: `${count.toLocaleString('en-US')} records through three tasks, median of ${runs}`,
        figures: [
          {
            name: 'recordsPerSecond',
            label: 'tasks connected by streams',
            value: streamed,
            unit: 'records/s',
            beside: { label: 'async generators', value: generators },
          },
          { name: 'share', label: 'share of async generators', value: streamed / generators, unit: '×', target: { atLeast: 0.5 } },
          { name: 'nodeRecordsPerSecond', label: 'stream.pipeline of Node', value: node, unit: 'records/s' },
          ...(memory === null
            ? []
            : [{ name: 'residentMb', label: 'memory, 1,000,000 records, two ends', value: memory, unit: 'MB', target: { atMost: 150 } }]),
        ],
      };
    }),
  );
}

/** @returns {number} most resident memory of a process with a heap of 128 MB, MB */
export function measureMemory(count) {
  const file = fileURLToPath(new URL('stream-memory.js', import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--max-old-space-size=128', file, String(count)], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`The process for memory ended with ${status}: ${stderr}`);
  return JSON.parse(stdout).residentMb;
}

function perSecond(count, ms) {
  return Math.round((count / ms) * 1_000);
}

async function timed(work) {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function throughNode(count) {
  let sum = 0;
  const doubling = new Transform({
    objectMode: true,
    transform: (record, _encoding, done) => done(null, { ...record, value: record.value * 2 }),
  });
  const adding = new Writable({
    objectMode: true,
    write(record, _encoding, done) {
      sum += record.value;
      done();
    },
  });
  await pipeline(Readable.from(records(count)), doubling, adding);
  return sum;
}
