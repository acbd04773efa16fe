/** How much memory a stream takes: records through three tasks and two ends, in this process. Prints one line of JSON. */
import { withClient } from './engine.js';
import { makeStream } from './flows.js';
import { inFolder } from './measure.js';

const count = Number(process.argv[2] ?? process.env.BATUTA_BENCH_STREAM_RECORDS ?? 10_000_000);
const Stream = makeStream('stream-memory', count, 2);
let most = 0;
const look = () => {
  most = Math.max(most, process.memoryUsage.rss());
};
const looking = setInterval(look, 50);
const start = performance.now();
await inFolder((folder) =>
  withClient({ folder, store: 'sqlite' }, async (client) => {
    const handle = await client.submit(Stream);
    await handle.result();
  }),
);
look();
clearInterval(looking);
const seconds = (performance.now() - start) / 1_000;
console.log(
  JSON.stringify({
    records: count,
    residentMb: Math.round(most / 1_048_576),
    seconds: Math.round(seconds),
    recordsPerSecond: Math.round(count / seconds),
  }),
);
