/** Parallel tasks that do nothing and a join, in one run: how many a second, and whether time and memory stay in line. */
import { timeBare, timeRun, withClient } from './engine.js';
import { makeFanOut } from './flows.js';
import { inFolder, inOwnProcess, medians, repeat } from './measure.js';

/** Machines differ by much: the target was set where the rows by hand came to 50,000 a second, and falls with them. */
const onPostgres = { atLeast: 20_000, timesBeside: 20_000 / 50_000 };

/** @param {import('./main.js').Request} request */
export async function benchmark({ quick, runs, store }) {
  const tasks = quick ? 100 : 10_000;
  const warm = await measureWarm({ tasks, runs, quick, store });
  const processes = quick ? 1 : Math.min(runs, 5);
  const { growth, peakMb } = medians(await repeat({ times: processes }, () => measureGrowth(tasks, store)));
  const many = (count) => count.toLocaleString('en-US');
  return {
    title: `${many(tasks)} and ${many(tasks * 10)} parallel tasks that do nothing and a join, medians of ${runs} and ${processes}`,
    figures: [
      {
        name: 'tasksPerSecond',
        label: `${many(tasks)} tasks, a second`,
        value: warm.engine,
        unit: 'tasks',
        target: { atLeast: store === 'sqlite' ? 25_000 : Math.min(onPostgres.atLeast, onPostgres.timesBeside * warm.bare) },
        beside: { label: 'the same rows by hand', value: warm.bare },
      },
      {
        name: 'timesLonger',
        label: `${many(tasks * 10)} tasks, times as long`,
        value: growth,
        unit: '×',
        target: { atMost: 11 },
      },
      { name: 'peakMb', label: `${many(tasks * 10)} tasks, peak resident`, value: peakMb, unit: 'MB', target: { atMost: 450 } },
    ],
  };
}

/**
 * How much longer ten times the tasks take, and the memory they need. Own processes, for the sake of memory: what an earlier run has
 * left would be counted too. One right after the other, so that both meet the same machine.
 */
async function measureGrowth(tasks, store) {
  const small = await inOwnProcess('fanout-process.js', { tasks, store });
  const large = await inOwnProcess('fanout-process.js', { tasks: tasks * 10, store });
  return { growth: large.ms / small.ms, peakMb: large.peakMb };
}

function measureWarm({ tasks, runs, quick, store }) {
  const FanOut = makeFanOut('fan-out', tasks);
  return inFolder((folder) =>
    withClient({ folder, store }, async (client) =>
      medians(
        await repeat({ times: runs, warmups: quick ? 0 : 2 }, async () => ({
          engine: tasks / ((await timeRun(client, FanOut)) / 1_000),
          bare: tasks / ((await timeBare({ folder, store }, { tasks, tasksPerFlush: 500 })) / 1_000),
        })),
      ),
    ),
  );
}
