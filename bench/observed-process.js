/** One process of `observed`: does what its parent asks for, one thing at a time, and says how long it took. */
import { on } from 'node:events';
import { timeRun, withClient } from './engine.js';
import { makeChain, makeFanOut } from './flows.js';

const { folder, store, size, metrics } = JSON.parse(process.argv[2] ?? '{}');
/** Short runs at the same time. */
const concurrency = 50;

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
    let left = size.runs;
    const oneAfterAnother = async () => {
      while (left-- > 0) await timeRun(client, Short);
    };
    await Promise.all(Array.from({ length: concurrency }, oneAfterAnother));
    return performance.now() - startedAt;
  },
};

process.once('disconnect', () => process.exit());
const asked = on(process, 'message');
await withClient({ folder, store }, async (client) => {
  const leave = metrics === null ? () => undefined : await measured(client);
  process.send('ready');
  for await (const [what] of asked) {
    if (what === 'end') break;
    process.send(what === 'cpu' ? cpuMs() : await works[what](client));
  }
  leave();
});
process.disconnect();

/** Counts what happens, as a worker does. @param client an embedded one */
async function measured(client) {
  const { openMetrics } = await import(metrics);
  const { store: recorded, lifecycle, leaseClock } = client.engine.services;
  return (await openMetrics(leaseClock, 200)).join({ role: 'worker', store: recorded, lifecycle });
}

/** Of all threads of this process so far. */
function cpuMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
