import type { Clock } from '../base/clock.ts';

/** Waits for `promise`, but no longer than `ms`; a rejection after that is nobody's. True when it settled in time. */
export async function within(clock: Clock, ms: number, promise: Promise<unknown>): Promise<boolean> {
  return await new Promise<boolean>((resolve, reject) => {
    const timer = clock.setTimer(ms, () => resolve(false));
    promise.then(
      () => {
        timer.cancel();
        resolve(true);
      },
      (error: Error) => {
        timer.cancel();
        reject(error);
      },
    );
  });
}
