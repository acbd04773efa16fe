/** What is counted over many runs, over a connection. */
import { alikeRuns } from './alike.ts';
import type { Connection } from '../connection.ts';
import type { FigureStore } from './contract.ts';
import { endedRuns } from './ended.ts';
import { histogramOf } from './histogram.ts';
import { taskWorkers } from './task-workers.ts';
import { countTasks, lastRuns, lateRuns, openRuns, queueFigures, taskFigures } from './now.ts';
import { rollUp } from './rollup.ts';

/** Hours per transaction. */
const rollUpHours = 24;

export function figureStore(connection: Connection): FigureStore {
  return {
    open: () => openRuns(connection),
    ended: (wish) => endedRuns(connection, wish),
    histogram: (filter, wish) => histogramOf(connection, filter, wish),
    tasks: (flow, sinceAt) => taskFigures(connection, flow, sinceAt),
    taskWorkers: (flow, sinceAt) => taskWorkers(connection, flow, sinceAt),
    taskCounts: (runIds) => countTasks(connection, runIds),
    alike: (failures) => alikeRuns(connection, failures),
    queues: () => queueFigures(connection),
    late: () => lateRuns(connection),
    last: (of, limit) => lastRuns(connection, of, limit),
    async facets(limit) {
      const [flows, deployments, tags] = await Promise.all([
        distinctOf(connection, 'runs', 'flow', limit),
        distinctOf(connection, 'runs', 'deployment', limit),
        distinctOf(connection, 'run_tags', 'tag', limit),
      ]);
      return { flows, deployments, tags };
    },
    rollUp: ({ maxHours = rollUpHours } = {}) => rollUp(connection, maxHours),
  };
}

/** Values of the first column of an index, in order: one step down the index for each, however many rows there are. */
async function distinctOf({ query }: Connection, table: string, column: string, limit: number): Promise<string[]> {
  const rows = await query<{ value: string }>(
    `with recursive found (value, place) as (
       select * from (select ${column} as value, 1 as place from ${table} where ${column} is not null order by ${column} limit 1) as first
       union all
       select (select ${column} from ${table} where ${column} > found.value order by ${column} limit 1), found.place + 1
       from found where found.value is not null and found.place <= ${limit}
     ) select value from found where value is not null limit ${limit}`,
  );
  return rows.map(({ value }) => value);
}
