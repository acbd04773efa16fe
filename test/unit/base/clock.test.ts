import { expect, test } from 'vitest';
import { systemClock, watchEventLoop } from '../../../src/base/clock.ts';

test('a sleep ends early with the reason of its signal', async () => {
  const controller = new AbortController();
  const reason = new Error('enough');
  const slept = systemClock.sleep(60_000, controller.signal);
  controller.abort(reason);
  await expect(slept).rejects.toBe(reason);
});

test('a sleep on a signal that has aborted does not start', async () => {
  const reason = new Error('enough');
  await expect(systemClock.sleep(60_000, AbortSignal.abort(reason))).rejects.toBe(reason);
});

test('a timer that was taken back does not fire, and taking it back twice is harmless', async () => {
  let fired = 0;
  const taken = systemClock.setTimer(1, () => (fired += 1));
  taken.cancel();
  taken.cancel();
  await new Promise<void>((resolve) => systemClock.setTimer(5, resolve));
  expect(fired).toBe(0);
});

test('the wall clock is whole milliseconds and the monotonic one never goes back', () => {
  expect(Number.isInteger(systemClock.now())).toBe(true);
  const first = systemClock.monotonic();
  expect(systemClock.monotonic()).toBeGreaterThanOrEqual(first);
});

/** Holds up the event loop. */
function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

test('what holds the event loop up right after its watch began is seen, once, and nothing while the watch rests', () => {
  const eventLoop = watchEventLoop();
  block(300);
  expect(eventLoop.takeLongestLag().ms).toBe(0);
  eventLoop.attend();
  eventLoop.attend();
  block(600);
  expect(eventLoop.takeLongestLag().ms).toBeGreaterThanOrEqual(300);
  expect(eventLoop.takeLongestLag().ms).toBe(0);
  eventLoop.rest();
  block(300);
  expect(eventLoop.takeLongestLag().ms).toBe(0);
});

test('an event loop that was held up by computing is told from one whose process did not get to run', async () => {
  const eventLoop = watchEventLoop();
  eventLoop.attend();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 900);
  expect(eventLoop.takeLongestLag()).toMatchObject({ isBusy: false });
  // Again and again, for a busy machine may not let it compute.
  const computes = (): boolean => {
    block(600);
    return eventLoop.takeLongestLag().isBusy;
  };
  await expect.poll(computes, { timeout: 9_000 }).toBe(true);
  eventLoop.rest();
});
