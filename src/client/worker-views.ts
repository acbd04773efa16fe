/** Which workers live, as far as it can be known from here. */
import { readProcessId } from '../base/process-identity.ts';
import type { WorkerView } from './fleet-client.ts';
import type { WhyParts } from './why-reason.ts';

type Parts = Pick<WhyParts, 'store' | 'leaseMs' | 'isOwnerGone'>;

/** All that are known, by name. A worker that was killed says no farewell, so the processes of this machine are looked for. */
export async function workerViews({ store, leaseMs, isOwnerGone }: Parts): Promise<readonly WorkerView[]> {
  return (await store.workers.list()).map((worker) => {
    const owner = readProcessId(worker.id);
    const isGone = owner !== null && isOwnerGone(owner);
    return { ...worker, state: isGone ? 'gone' : worker.silentMs > leaseMs ? 'silent' : 'alive' };
  });
}

/** Those that are counted on. */
export async function livingWorkers(parts: Parts): Promise<readonly WorkerView[]> {
  return (await workerViews(parts)).filter(({ state }) => state === 'alive');
}
