/** 1,000 tasks that do nothing, each waiting until the one before is durably recorded. */
import { recordBare } from './bare-recorder.js';
import { timeRun, withClient } from './engine.js';
import { makeChain } from './flows.js';
import { inFolder, medians, repeat } from './measure.js';

/** @param {import('./main.js').Request} request */
export async function benchmark({ quick, runs, store }) {
  const tasks = quick ? 20 : 1_000;
  const Chain = makeChain('chain', tasks, () => undefined);
  return inFolder((folder) =>
    withClient({ folder, store }, async (client) => {
      const { engine, bare } = medians(
        await repeat({ times: runs, warmups: quick ? 0 : 3 }, async () => ({
          engine: (await timeRun(client, Chain)) / tasks,
          bare: recordBare(folder, { tasks, tasksPerFlush: 1 }) / tasks,
        })),
      );
      return {
        title: `${tasks.toLocaleString('en-US')} sequential tasks that do nothing, median of ${runs}`,
        figures: [
          {
            name: 'msPerTask',
            label: 'recorded durably, a task',
            value: engine,
            unit: 'ms',
            target: { atMost: store === 'sqlite' ? 0.12 : 0.6 },
            ...(store === 'sqlite' ? { beside: { label: 'the same rows by hand', value: bare } } : {}),
          },
        ],
      };
    }),
  );
}
