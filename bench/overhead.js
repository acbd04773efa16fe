/** What an engine adds to sequential tasks that compute something. */
import { timeRun, withClient } from './engine.js';
import { fibo, makeChain } from './flows.js';
import { inFolder, medians, repeat } from './measure.js';

/**
 * Measures a chain of tasks that take the time of their own computation, and beside it the same computations without an engine.
 *
 * What the tasks measured is subtracted, not what was measured beside: on a shared machine the same loop takes a tenth longer or
 * shorter from one second to the next, which is more than the overhead that is looked for.
 *
 * @param {{ name: string, tasks: number, n: number, atMostMs: number }} workload
 * @param {import('./main.js').Request} request
 */
export function measureOverhead({ name, tasks, n, atMostMs }, { quick, runs, store }) {
  const input = quick ? Math.min(n, 15) : n;
  let insideMs = 0;
  const Chain = makeChain(name, tasks, () => {
    const startedAt = performance.now();
    const value = fibo(input);
    insideMs += performance.now() - startedAt;
    return value;
  });
  return inFolder((folder) =>
    withClient({ folder, store }, async (client) => {
      const { total, inside, beside, overhead } = medians(
        await repeat({ times: runs, warmups: quick ? 0 : 3 }, async () => {
          insideMs = 0;
          const total = await timeRun(client, Chain);
          return { total, inside: insideMs, overhead: total - insideMs, beside: timeCompute(tasks, input) };
        }),
      );
      return {
        title: `${tasks} sequential tasks of a naive fibo(${input}), median of ${runs}`,
        figures: [
          { name: 'totalMs', label: 'whole run', value: total, unit: 'ms', beside: { label: 'without an engine', value: beside } },
          {
            name: 'computeMs',
            label: 'of it inside the tasks',
            value: inside,
            unit: 'ms',
            beside: { label: 'without an engine', value: beside },
          },
          { name: 'overheadMs', label: 'overhead, the rest', value: overhead, unit: 'ms', target: { atMost: atMostMs } },
        ],
      };
    }),
  );
}

function timeCompute(tasks, n) {
  const startedAt = performance.now();
  for (let at = 0; at < tasks; at++) fibo(n);
  return performance.now() - startedAt;
}
