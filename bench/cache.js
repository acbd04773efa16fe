/** 1,000 tasks whose values stand in the cache, each waiting until the one before is durably recorded; beside the same tasks executed. */
import { timeRun, withClient } from './engine.js';
import { makeChain } from './flows.js';
import { inFolder, medians, repeat } from './measure.js';

/** A hit may take so many times as long as a step that is executed and recorded. */
const mostTimes = 1.2;

/** @param {import('./main.js').Request} request */
export async function benchmark({ quick, runs, store }) {
  const tasks = quick ? 20 : 1_000;
  const Plain = makeChain('plain', tasks, () => 'value');
  const Cached = makeChain('cached', tasks, () => 'value', { cache: '1 hour' });
  return inFolder((folder) =>
    withClient({ folder, store }, async (client) => {
      await timeRun(client, Cached);
      const { plain, hit } = medians(
        await repeat({ times: runs, warmups: quick ? 0 : 3 }, async () => ({
          plain: (await timeRun(client, Plain)) / tasks,
          hit: (await timeRun(client, Cached)) / tasks,
        })),
      );
      const { items } = await client.runs.list({ flow: 'cached', limit: 1 });
      const counts = await client.runs.taskCounts(items[0].id);
      if (counts.some(({ state }) => state !== 'Cached')) throw new Error('Not all values were taken from the cache.');
      return {
        title: `${tasks.toLocaleString('en-US')} sequential tasks whose values are in the cache, median of ${runs}`,
        figures: [
          {
            name: 'msPerHit',
            label: 'taken from the cache, a task',
            value: hit,
            unit: 'ms',
            target: { atMost: mostTimes * plain },
            beside: { label: 'executed and recorded', value: plain },
          },
        ],
      };
    }),
  );
}
