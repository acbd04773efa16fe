/** Whether a worker is there. */
import type { Worker } from '../../api/wire-types.ts';

/** A worker that has been silent for longer than a lease counts as gone; the lease is 15 s unless set. */
const silentTooLongMs = 15_000;

/** Whether its last sign of life is recent. */
export function isAlive(worker: Pick<Worker, 'silentMs'>): boolean {
  return worker.silentMs <= silentTooLongMs;
}
