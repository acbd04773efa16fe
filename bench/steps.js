/** A pipeline of steps beside the same work as a static graph: what merging, checking and calling steps one by one costs. */
import { pipeline } from 'batuta/steps';
import { timeRun, withClient } from './engine.js';
import { makeChain } from './flows.js';
import { inFolder, medians, repeat } from './measure.js';

/** @param {import('./main.js').Request} request */
export async function benchmark({ quick, runs, store }) {
  const steps = quick ? 10 : 100;
  const runsEach = quick ? 1 : 10;
  const Steps = pipeline('as-steps').steps(
    Array.from({ length: steps }, (_, at) => [() => ({ [`field${at}`]: at }), `Step ${at}`, 'v1.0']),
  );
  let at = 0;
  const Graph = makeChain('as-graph', steps, () => ({ [`field${at++ % steps}`]: at }));
  return inFolder((folder) =>
    withClient({ folder, store }, async (client) => {
      const time = async (flow) => {
        let ms = 0;
        for (let run = 0; run < runsEach; run++) ms += await timeRun(client, flow);
        return ms / runsEach;
      };
      const { asSteps, asGraph } = medians(
        await repeat({ times: runs, warmups: quick ? 0 : 3 }, async () => {
          const asGraph = await time(Graph);
          return { asSteps: await time(Steps), asGraph };
        }),
      );
      return {
        title: `a pipeline of ${steps} steps that each give a field, and as many tasks that each need the one before, median of ${runs}`,
        figures: [
          { name: 'msSteps', label: 'as a pipeline', value: asSteps, unit: 'ms', beside: { label: 'as a graph', value: asGraph } },
          { name: 'timesGraph', label: 'pipeline ÷ graph', value: asSteps / asGraph, unit: 'times', target: { atMost: 1.2 } },
        ],
      };
    }),
  );
}
