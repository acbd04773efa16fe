import { expect, test } from 'vitest';
import type { Clock } from '../../../src/base/clock.ts';
import { type LoopOptions, makeLoop } from '../../../src/base/loop.ts';

/** A clock whose timers fire when the test says so. */
function manualClock() {
  const timers: { ms: number; fire: () => void }[] = [];
  const clock: Pick<Clock, 'setTimer'> = {
    setTimer(ms, fire) {
      const timer = { ms, fire };
      timers.push(timer);
      return { cancel: () => void timers.splice(timers.indexOf(timer), timers.includes(timer) ? 1 : 0) };
    },
  };
  return {
    clock: clock as Clock,
    waits: () => timers.map((timer) => timer.ms),
    async fire() {
      timers.shift()?.fire();
      await settle();
    },
  };
}

/** Lets every promise that can go on do so. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function open(step: LoopOptions['step'], options: Partial<LoopOptions> = {}) {
  const time = manualClock();
  const errors: [unknown, number][] = [];
  const loop = makeLoop({
    name: 'test',
    intervalMs: 1_000,
    step,
    onError: (error, failures) => errors.push([error, failures]),
    clock: time.clock,
    random: () => 0.5,
    ...options,
  });
  return { loop, time, errors };
}

test('it steps at once, then after each interval, and stops', async () => {
  let steps = 0;
  const { loop, time } = open(async () => void (steps += 1));
  await loop.start();
  await settle();
  expect([steps, time.waits()]).toEqual([1, [1_000]]);
  await time.fire();
  expect(steps).toBe(2);
  await loop.stop();
  expect(time.waits()).toEqual([]);
});

test('when told so, the first step comes after an interval', async () => {
  let steps = 0;
  const { loop, time } = open(async () => void (steps += 1), { immediate: false });
  await loop.start();
  await settle();
  expect([steps, time.waits()]).toEqual([0, [1_000]]);
  await loop.stop();
});

test('jitter spreads the waits around the interval', async () => {
  for (const [random, ms] of [
    [0, 800],
    [0.5, 1_000],
    [0.75, 1_100],
  ] as const) {
    const { loop, time } = open(async () => undefined, { jitter: 0.2, random: () => random });
    await loop.start();
    await settle();
    expect(time.waits()).toEqual([ms]);
    await loop.stop();
  }
});

test('woken, it steps at once; woken during a step, it steps once more and never twice at a time', async () => {
  const releases: (() => void)[] = [];
  let atOnce = 0;
  let most = 0;
  const { loop, time } = open(async () => {
    most = Math.max(most, ++atOnce);
    await new Promise<void>((resolve) => releases.push(resolve));
    atOnce -= 1;
  });
  await loop.start();
  await settle();
  loop.wake();
  loop.wake();
  await settle();
  expect(releases).toHaveLength(1);
  releases.at(-1)?.();
  await settle();
  expect(releases).toHaveLength(2);
  releases.at(-1)?.();
  await settle();
  expect(time.waits()).toEqual([1_000]);
  loop.wake();
  await settle();
  expect([releases.length, time.waits(), most]).toEqual([3, [], 1]);
  releases.at(-1)?.();
  await loop.stop();
});

test('a step that says there is more is followed by the next without a wait', async () => {
  const rest = ['again', 'again', undefined] as const;
  let steps = 0;
  const { loop, time } = open(async () => rest[steps++]);
  await loop.start();
  await settle();
  expect([steps, time.waits()]).toEqual([3, [1_000]]);
  await loop.stop();
});

test('errors are reported and double the wait up to the longest; a good step ends that', async () => {
  let fails = true;
  const { loop, time, errors } = open(
    async () => {
      if (fails) throw new Error('no database');
    },
    { maxBackoffMs: 5_000 },
  );
  await loop.start();
  await settle();
  const waits: number[] = [];
  for (let i = 0; i < 4; i++) {
    waits.push(...time.waits());
    await time.fire();
  }
  expect(waits).toEqual([2_000, 4_000, 5_000, 5_000]);
  expect(errors.map(([, failures]) => failures)).toEqual([1, 2, 3, 4, 5]);
  fails = false;
  loop.wake();
  await settle();
  expect(time.waits()).toEqual([1_000]);
  await loop.stop();
});

test('stop aborts the signal of a step under way and waits for it, and its error is not reported', async () => {
  let ended = false;
  const { loop, errors } = open(
    (signal) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          ended = true;
          reject(signal.reason);
        });
      }),
  );
  await loop.start();
  await settle();
  await loop.stop();
  await loop.stop();
  expect([ended, errors]).toEqual([true, []]);
});

test('waking a loop that was never started or has been stopped does nothing', async () => {
  let steps = 0;
  const { loop } = open(async () => void (steps += 1));
  loop.wake();
  await loop.stop();
  await loop.start();
  loop.wake();
  await settle();
  expect(steps).toBe(0);
});
