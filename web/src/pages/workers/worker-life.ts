/** Whether a worker is there. */
import type { Worker } from '../../api/wire-types.ts';

/** Whether it is counted on. */
export function isAlive({ state }: Pick<Worker, 'state'>): boolean {
  return state === 'alive';
}
