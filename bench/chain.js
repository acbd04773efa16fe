/** 1,000 tasks that do nothing, each waiting until the one before is durably recorded. */
import { timeBare, timeRun, withClient } from './engine.js';
import { makeChain } from './flows.js';
import { inFolder, medians, repeat } from './measure.js';

/**
 * PostgreSQL alone decides about half of a step, and machines differ by much: the target was set where the rows by hand took 0.36 ms, and
 * grows with them.
 */
const onPostgres = { atMostMs: 0.6, timesBeside: 0.6 / 0.36 };

/** @param {import('./main.js').Request} request */
export async function benchmark({ quick, runs, store }) {
  const tasks = quick ? 20 : 1_000;
  const Chain = makeChain('chain', tasks, () => undefined);
  return inFolder((folder) =>
    withClient({ folder, store }, async (client) => {
      const { engine, bare } = medians(
        await repeat({ times: runs, warmups: quick ? 0 : 3 }, async () => ({
          engine: (await timeRun(client, Chain)) / tasks,
          bare: (await timeBare({ folder, store }, { tasks, tasksPerFlush: 1 })) / tasks,
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
            target: { atMost: store === 'sqlite' ? 0.12 : Math.max(onPostgres.atMostMs, onPostgres.timesBeside * bare) },
            beside: { label: 'the same rows by hand', value: bare },
          },
        ],
      };
    }),
  );
}
