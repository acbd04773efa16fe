/** What a task pays for a resource of its run: a chain whose tasks ask for it, beside one whose tasks do not. */
import { resource } from 'batuta';
import { timeRun, withClient } from './engine.js';
import { makeChain } from './flows.js';
import { inFolder, medians, repeat } from './measure.js';

/** @param {import('./main.js').Request} request */
export async function benchmark({ quick, runs, store }) {
  const tasks = quick ? 20 : 1_000;
  const pool = resource('pool', async function* () {
    yield {};
  });
  const Without = makeChain('without', tasks, async () => undefined);
  const With = makeChain('with', tasks, async (ctx) => void (await ctx.use(pool)));
  return inFolder((folder) =>
    withClient({ folder, store }, async (client) => {
      const { used, bare, more } = medians(
        await repeat({ times: runs, warmups: quick ? 0 : 3 }, async () => {
          const bare = ((await timeRun(client, Without)) / tasks) * 1_000;
          const used = ((await timeRun(client, With)) / tasks) * 1_000;
          return { bare, used, more: Math.max(0, used - bare) };
        }),
      );
      return {
        title: `${tasks.toLocaleString('en-US')} sequential tasks that each use a resource of the run, median of ${runs}`,
        figures: [
          {
            name: 'usPerTask',
            label: 'a task that uses it',
            value: used,
            unit: 'µs',
            beside: { label: 'a task that does not', value: bare },
          },
          { name: 'usMore', label: 'what it costs more', value: more, unit: 'µs', target: { atMost: 20 } },
        ],
      };
    }),
  );
}
