/** What an engine adds to sequential tasks that compute something. */
import { timeRun, withClient } from './engine.js';
import { fibo, makeChain } from './flows.js';
import { inFolder, median, medians, repeat } from './measure.js';

/**
 * Measures a chain and, right beside it, the same computations without an engine.
 *
 * @param {{ name: string, tasks: number, n: number, atMostMs: number }} workload
 * @param {import('./main.js').Request} request
 */
export function measureOverhead({ name, tasks, n, atMostMs }, { quick, runs, store }) {
  const input = quick ? Math.min(n, 15) : n;
  const Chain = makeChain(name, tasks, () => fibo(input));
  return inFolder((folder) =>
    withClient({ folder, store }, async (client) => {
      const samples = await repeat({ times: runs, warmups: quick ? 0 : 3 }, async () => {
        const computeBefore = timeCompute(tasks, input);
        const total = await timeRun(client, Chain);
        // The clock of a shared machine drifts within a second; the mean of before and after takes that out.
        const compute = (computeBefore + timeCompute(tasks, input)) / 2;
        return { total, compute, overhead: total - compute };
      });
      const { total, compute } = medians(samples);
      return {
        title: `${tasks} sequential tasks of a naive fibo(${input}), median of ${runs}`,
        figures: [
          { name: 'totalMs', label: 'whole run', value: total, unit: 'ms', beside: { label: 'without an engine', value: compute } },
          {
            name: 'overheadMs',
            label: 'overhead (total − compute)',
            value: median(samples.map(({ overhead }) => overhead)),
            unit: 'ms',
            target: { atMost: atMostMs },
          },
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
