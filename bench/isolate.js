/** What a task pays for a thread or a process of its own: a run of one task that does nothing, beside the same in this thread. */
import { timeRun, withClient } from './engine.js';
import { Here, InProcess, InThread } from './isolate-flows.js';
import { inFolder, median, medians, repeat } from './measure.js';

/** @param {import('./main.js').Request} request */
export async function benchmark({ quick, runs, store }) {
  const runsEach = quick ? 1 : 50;
  const timeMany = async (client, flow) => median(await repeat({ times: runsEach }, () => timeRun(client, flow)));
  // Threads belong to a client: in a new one the first is cold.
  const measureOnce = () =>
    inFolder((folder) =>
      withClient({ folder, store }, async (client) => {
        await timeRun(client, Here);
        const cold = await timeRun(client, InThread);
        const warm = await timeMany(client, InThread);
        const inProcess = await timeRun(client, InProcess);
        return { cold, warm, inProcess, here: await timeMany(client, Here) };
      }),
    );
  const { cold, warm, inProcess, here } = medians(await repeat({ times: runs, warmups: 1 }, measureOnce));
  const beside = { label: 'in this thread', value: here };
  return {
    title: `A run of one task that does nothing, median of ${runs} clients with ${runsEach} runs each`,
    figures: [
      { name: 'msWarmThread', label: 'in a thread that is warm', value: warm, unit: 'ms', beside },
      { name: 'msColdThread', label: 'in a thread that has to be started', value: cold, unit: 'ms', beside },
      { name: 'msProcess', label: 'in a process', value: inProcess, unit: 'ms', beside },
    ],
  };
}
