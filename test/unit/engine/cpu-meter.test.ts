import { describe, expect, test, vi } from 'vitest';
import { CpuMeter } from '../../../src/engine/task/cpu-meter.ts';
import type { Clock } from '../../../src/base/clock.ts';

/** A meter whose clock and thread stand still until they are moved. */
function meterAtHand() {
  let now = 0;
  let cpu = 100;
  const clock = { monotonic: () => now, setTimer: () => ({ cancel: () => undefined }) } as unknown as Clock;
  return {
    meter: new CpuMeter(clock, () => cpu),
    pass(ms: number, cpuMs: number) {
      now += ms;
      cpu += cpuMs;
    },
  };
}

describe('tasks that share a thread', () => {
  test('one that is under way alone gets all that the thread uses', () => {
    const { meter, pass } = meterAtHand();
    const one = meter.enter(0);
    pass(1_000, 400);
    expect(meter.leave(one)).toMatchObject({ cpuMs: 400, scope: 'shared' });
  });

  test('those that are under way at the same time share it evenly, each for its own time', () => {
    const { meter, pass } = meterAtHand();
    const first = meter.enter(0);
    pass(100, 50);
    const second = meter.enter(0);
    pass(100, 80);
    expect(meter.leave(first)?.cpuMs).toBe(90);
    pass(100, 10);
    expect(meter.leave(second)?.cpuMs).toBe(50);
  });

  test('what one holds the thread for is its own, and nobody else is charged with it', () => {
    const { meter, pass } = meterAtHand();
    const waits = meter.enter(0);
    const begun = meter.now();
    pass(2_000, 2_000);
    const heldMs = meter.heldSince(begun);
    expect(meter.usageOf(heldMs)?.cpuMs).toBe(2_000);
    pass(100, 30);
    expect(meter.leave(waits)?.cpuMs).toBe(30);
  });

  test('what was used before the first began is nobody’s', () => {
    const { meter, pass } = meterAtHand();
    meter.leave(meter.enter(0));
    pass(1_000, 900);
    const one = meter.enter(0);
    pass(10, 5);
    expect(meter.leave(one)?.cpuMs).toBe(5);
  });

  test('the memory that was last seen stands for what cannot be read', () => {
    const { meter, pass } = meterAtHand();
    const first = meter.enter(0);
    pass(100, 50);
    const peakBytes = meter.leave(first)?.peakBytes ?? 0;
    expect(peakBytes).toBeGreaterThan(1_000_000);
    const rss = vi.spyOn(process.memoryUsage, 'rss').mockImplementation(() => {
      throw new Error('EMFILE: too many open files');
    });
    try {
      const second = meter.enter(0);
      pass(100, 50);
      expect(meter.leave(second)).toEqual({ cpuMs: 50, peakBytes, scope: 'shared' });
      expect(meter.usageOf(10)).toEqual({ cpuMs: 10, peakBytes, scope: 'shared' });
    } finally {
      rss.mockRestore();
    }
  });

  test('less than 5 ms are not kept', () => {
    const { meter, pass } = meterAtHand();
    const one = meter.enter(0);
    pass(50, 4.5);
    expect(meter.leave(one)).toBeNull();
    expect(meter.usageOf(4.9)).toBeNull();
  });
});
