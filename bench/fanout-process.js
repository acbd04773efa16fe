/** One fan-out in a process of its own: prints `{ ms, peakMb }`. Started by `fanout.js`. */
import { timeRun, withClient } from './engine.js';
import { makeFanOut } from './flows.js';
import { inFolder, peakMemoryMb } from './measure.js';

const { tasks, store } = JSON.parse(process.argv[2] ?? '{}');

await inFolder((folder) =>
  withClient({ folder, store }, async (client) => {
    await timeRun(client, makeFanOut('warm-up', 1_000));
    const ms = await timeRun(client, makeFanOut('fan-out', tasks));
    console.log(JSON.stringify({ ms, peakMb: peakMemoryMb() }));
  }),
);
