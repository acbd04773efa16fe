/** Which workers live, as far as it can be known from here. */
import { readProcessId } from '../base/process-identity.ts';
import type { StoredWorker } from '../store/store.ts';
import type { WhyParts } from './why-reason.ts';

/** Those that have beaten within a lease, without those whose process has surely ended: a worker that was killed says no farewell. */
export async function livingWorkers({
  store,
  leaseMs,
  isOwnerGone,
}: Pick<WhyParts, 'store' | 'leaseMs' | 'isOwnerGone'>): Promise<readonly StoredWorker[]> {
  const hasEnded = ({ id }: StoredWorker): boolean => {
    const owner = readProcessId(id);
    return owner !== null && isOwnerGone(owner);
  };
  return (await store.workers.list()).filter((worker) => worker.silentMs <= leaseMs && !hasEnded(worker));
}
