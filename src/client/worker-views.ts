/** Which workers are alive, as far as it can be known here. */
import { readProcessId } from '../base/process-identity.ts';
import type { TaskWorkerView, WorkerView } from './fleet-client.ts';
import type { WhyParts } from './why-reason.ts';
import type { TaskWorkerFigures } from '../store/store.ts';

type Parts = Pick<WhyParts, 'store' | 'leaseMs' | 'isOwnerGone'>;

/** All known workers, by name. A killed worker does not sign off, so the processes of this machine are checked. */
export async function workerViews({ store, leaseMs, isOwnerGone }: Parts): Promise<readonly WorkerView[]> {
  return (await store.workers.list()).map((worker) => {
    const owner = readProcessId(worker.id);
    const isGone = owner !== null && isOwnerGone(owner);
    return { ...worker, state: isGone ? 'gone' : worker.silentMs > leaseMs ? 'silent' : 'alive' };
  });
}

/** Those that are alive. */
export async function livingWorkers(parts: Parts): Promise<readonly WorkerView[]> {
  return (await workerViews(parts)).filter(({ state }) => state === 'alive');
}

/** Sorted by task, then by count. */
export function taskWorkerViews(rows: readonly TaskWorkerFigures[]): TaskWorkerView[] {
  const views = rows.map(({ name, owner, runs, failures, totalMs }) => {
    // `host@machine:pid:startedAt`; those of earlier versions lack the machine.
    const [, host = null, pid = null] = /^(.*?)(?:@[^@:]*)?:(\d+):\d+$/.exec(owner ?? '') ?? [];
    return { task: name, worker: owner, host, pid: pid === null ? null : Number(pid), runs, failures, meanMs: totalMs / runs };
  });
  return views.sort((a, b) => (a.task === b.task ? b.runs - a.runs : a.task < b.task ? -1 : 1));
}
