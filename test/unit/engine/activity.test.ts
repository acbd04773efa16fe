import { describe, expect, test } from 'vitest';
import { systemClock, type Timer } from '../../../src/base/clock.ts';
import { Activity, type Wait } from '../../../src/engine/waiting/activity.ts';
import { Sleeps } from '../../../src/engine/waiting/sleeps.ts';
import { defaultEngineSettings } from '../../../src/engine/services.ts';

const forever = (): Promise<never> => new Promise(() => undefined);

/** Activity whose looks, which come a while after it has come to wait, are made by hand. */
function activityOf(parent: Activity | null = null) {
  const looks: (() => void)[] = [];
  const idle: (readonly Wait[])[] = [];
  const leaseClock = {
    ...systemClock,
    setTimer: (_ms: number, fire: () => void): Timer => (looks.push(fire), { cancel: () => undefined }),
  };
  const services = { clock: { ...systemClock, now: () => 0 }, leaseClock, settings: { ...defaultEngineSettings, suspendOverMs: 30_000 } };
  const activity = new Activity({ services, parent, onIdle: (waits) => idle.push(waits) });
  const look = (): void => looks.splice(0).forEach((fire) => fire());
  return { activity, idle, look, looks };
}

describe('a run that waits', () => {
  test('is known to wait without a look at its other waits each time one begins', () => {
    const { activity, idle, look, looks } = activityOf();
    const count = 20_000;
    let asked = 0;
    const wait = (at: number): Wait => ({
      get dueAt() {
        asked++;
        return 60_000 + ((at * 7919) % count);
      },
      why: `${at}`,
      isRetry: true,
    });
    for (let at = 0; at < count; at++) activity.begin();
    for (let at = 0; at < count - 1; at++) void activity.wait(wait(at), forever);
    expect([asked, looks.length, activity.waits()]).toEqual([0, 0, null]);
    void activity.wait(wait(count - 1), forever);
    expect(looks).toHaveLength(1);
    look();
    expect(asked).toBeLessThan(4 * count);
    expect([idle[0]?.length, idle[0]?.[0]?.why]).toEqual([count, '0']);
  });

  test('counts a sub-flow as waiting while all of it does, and no longer', async () => {
    const { activity, look, idle } = activityOf();
    const { activity: child } = activityOf(activity);
    const { activity: grandchild } = activityOf(child);
    const wait = (dueAt: number): Wait => ({ dueAt, why: `until ${dueAt}`, isRetry: false });
    for (const one of [activity, child, grandchild]) one.begin();
    void activity.with(child, () => child.with(grandchild, forever));
    expect(activity.waits()).toBeNull();
    let go = (): void => undefined;
    const over = grandchild.wait(wait(70_000), () => new Promise<void>((resolve) => (go = resolve)));
    expect(activity.waits()?.map(({ dueAt }) => dueAt)).toEqual([70_000]);
    child.begin();
    expect(activity.waits()).toBeNull();
    void child.wait(wait(50_000), forever);
    expect(activity.waits()?.map(({ dueAt }) => dueAt)).toEqual([50_000, 70_000]);
    look();
    expect(idle[0]?.[0]?.dueAt).toBe(50_000);
    go();
    await over;
    expect(activity.waits()).toBeNull();
    grandchild.end();
  });
});

describe('waits for an instant', () => {
  /** Timers that all fire when told. */
  function clockOfAll() {
    const fires: (() => void)[] = [];
    return { setTimer: (_ms: number, fire: () => void): Timer => (fires.push(fire), { cancel: () => undefined }), fires };
  }

  async function endsByTurn(waits: readonly Promise<void>[]): Promise<number[]> {
    let ended = 0;
    for (const wait of waits) void wait.then(() => ended++);
    const perTurn: number[] = [];
    for (let before = 0; before < waits.length; before = ended) {
      await new Promise((resolve) => setImmediate(resolve));
      perTurn.push(ended - before);
    }
    return perTurn;
  }

  test.each(['are due', 'are stopped'])('that %s at the same time end some at a turn, the others waiting for the next', async (how) => {
    const clock = clockOfAll();
    const sleeps = new Sleeps();
    const stopped = new AbortController();
    const waits = Array.from({ length: 5_000 }, () => sleeps.until(clock, 1, stopped.signal));
    if (how === 'are due') for (const fire of clock.fires) fire();
    else stopped.abort();
    const perTurn = await endsByTurn(waits);
    expect(Math.max(...perTurn)).toBeLessThanOrEqual(400);
    expect(perTurn.reduce((a, b) => a + b, 0)).toBe(5_000);
  });

  test('that come after the stop are over at once', async () => {
    await new Sleeps().until(clockOfAll(), 3_600_000, AbortSignal.abort());
  });
});
