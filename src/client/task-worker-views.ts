/** Figures of tasks by process, for people. */
import type { TaskWorkerFigures } from '../store/store.ts';
import type { TaskWorkerView } from './fleet-client.ts';

/** Sorted by task, then by count. */
export function taskWorkerViews(rows: readonly TaskWorkerFigures[]): TaskWorkerView[] {
  const views = rows.map(({ name, owner, runs, failures, totalMs }) => {
    // `host@machine:pid:startedAt`; those of earlier versions lack the machine.
    const [, host = null, pid = null] = /^(.*?)(?:@[^@:]*)?:(\d+):\d+$/.exec(owner ?? '') ?? [];
    return { task: name, worker: owner, host, pid: pid === null ? null : Number(pid), runs, failures, meanMs: totalMs / runs };
  });
  return views.sort((a, b) => (a.task === b.task ? b.runs - a.runs : a.task < b.task ? -1 : 1));
}
