import type { Clock } from '../base/clock.ts';

/** Waits until `promise` has settled, one way or the other, but no longer than `ms`. True when it has. Never rejects. */
export async function settledWithin(clock: Clock, ms: number, promise: Promise<unknown>): Promise<boolean> {
  return await new Promise<boolean>((resolve) => {
    const timer = clock.setTimer(ms, () => resolve(false));
    const settle = (): void => {
      timer.cancel();
      resolve(true);
    };
    promise.then(settle, settle);
  });
}
