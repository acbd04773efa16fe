/** A fan-out of tasks that only compute, spread over one worker process and over two. */
import { join } from 'node:path';
import { withFleet } from './fleet.js';
import { inFolder, medians, repeat, root } from './measure.js';
import { withServices } from './services.js';

/** @param {import('./main.js').Request} request */
export async function benchmark({ quick, runs, store }) {
  const tasks = quick ? 4 : 64;
  const ms = quick ? 10 : 200;
  const times = quick ? 1 : Math.min(runs, 3);
  const one = medians(await repeat({ times }, () => measureOnce({ workers: 1, tasks, ms, store })));
  const two = medians(await repeat({ times }, () => measureOnce({ workers: 2, tasks, ms, store })));
  return {
    title: `${tasks} tasks of ${ms} ms of CPU on one worker and on two, medians of ${times}`,
    figures: [
      { name: 'msOneWorker', label: 'one worker', value: one.runMs, unit: 'ms', beside: { label: 'the CPU alone', value: tasks * ms } },
      {
        name: 'msTwoWorkers',
        label: 'two workers',
        value: two.runMs,
        unit: 'ms',
        beside: { label: 'the CPU alone, halved', value: (tasks * ms) / 2 },
      },
      { name: 'speedup', label: 'two workers, times as fast', value: one.runMs / two.runMs, unit: '×', target: { atLeast: 1.8 } },
      { name: 'atOnce', label: 'two workers, tasks under way at a time', value: two.atOnce, unit: 'tasks' },
    ],
    notes: ['Where others take the processors two workers cannot be faster; the tasks under way at a time tell then.'],
  };
}

/** Milliseconds of the run, and how many of its spread tasks were under way on average. The workers take one task at a time, and have met the flow before. */
function measureOnce({ workers, tasks, ms, store }) {
  return inFolder((folder) => {
    const measure = ({ databaseUrl, redisUrl }) => {
      // The workers say at this level that they serve.
      const env = { BATUTA_FLOWS: join(root, 'bench/spread-flows.ts'), BATUTA_LOG_LEVEL: 'info' };
      return withFleet({ folder, databaseUrl, redisUrl, env }, async ({ client, start }) => {
        await Promise.all(Array.from({ length: workers }, () => start('worker', '--concurrency', '1')));
        await measureRun(client, { tasks: 2 * workers, ms });
        return measureRun(client, { tasks, ms });
      });
    };
    return store === 'sqlite' ? measure({ databaseUrl: `sqlite:${join(folder, 'bench.db')}` }) : withServices(measure);
  });
}

async function measureRun(client, params) {
  const handle = await client.enqueue('spread-cpu', params);
  const run = await handle.done();
  if (run.state.type !== 'COMPLETED') throw new Error(`Run ${run.id} ended as ${run.state.name}: ${run.error?.message ?? 'no message'}`);
  const runMs = Math.max(1, run.endedAt - run.startedAt);
  const { taskRuns } = await client.runs.inspect(run.id);
  const taskMs = taskRuns.reduce((sum, { startedAt, endedAt }) => sum + (endedAt - startedAt), 0);
  return { runMs, atOnce: taskMs / runMs };
}
