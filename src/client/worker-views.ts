/** Which workers are alive, as far as it can be known here. */
import { readProcessId } from '../base/process-identity.ts';
import type { WorkerView } from './fleet-client.ts';
import type { WhyParts } from './why-reason.ts';

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
