/** Whether a worker is alive. */
import type { Worker } from '../../api/wire-types.ts';

/** Whether it counts as alive. */
export function isAlive({ state }: Pick<Worker, 'state'>): boolean {
  return state === 'alive';
}
