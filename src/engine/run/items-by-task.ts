/** The recorded rows of mapped tasks. */
import { inSlices } from '../../base/slices.ts';
import type { TaskRun } from '../../model/run.ts';

/** Rows of items by task name; in slices, as there may be very many. */
export async function itemsByTask(rows: Iterable<TaskRun>): Promise<ReadonlyMap<string, readonly TaskRun[]>> {
  const byTask = new Map<string, TaskRun[]>();
  await inSlices(rows, (row) => {
    if (row.index === null) return;
    const items = byTask.get(row.name);
    if (items) items.push(row);
    else byTask.set(row.name, [row]);
  });
  return byTask;
}
