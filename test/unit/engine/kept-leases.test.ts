/** The claims of a process over time: renewed at each heartbeat, given up shortly before a lease ends that could not be renewed. */
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { type Clock, systemClock } from '../../../src/base/clock.ts';
import { Leases, leasesOfTasks, type LeaseStore } from '../../../src/engine/lease/leases.ts';
import { defaultEngineSettings, type EngineSettings } from '../../../src/engine/services.ts';

interface Claim {
  readonly id: string;
  readonly epoch: number;
}

const settings: EngineSettings = {
  ...defaultEngineSettings,
  ...{ leaseMs: 15_000, heartbeatMs: 5_000, cancelPollMs: 250, abortUnrenewed: true },
};
/** A fifth of the lease is left to the next owner. */
const endsAt = 12_000;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Leases over a store of the test's own and a clock that is set by hand. */
function keep(given: Partial<LeaseStore<Claim>> = {}, changes: Partial<EngineSettings> = {}) {
  const told: string[] = [];
  const renewals: string[][] = [];
  const logged: string[] = [];
  const timers = new Map<object, { readonly ms: number; readonly fire: () => void; readonly unref: boolean | undefined }>();
  let now = 0;
  const clock: Clock = {
    ...systemClock,
    monotonic: () => now,
    sleep: async () => undefined,
    setTimer(ms, fire, options) {
      const timer = { cancel: () => void timers.delete(timer) };
      timers.set(timer, { ms, fire: () => (timers.delete(timer), fire()), unref: options?.unref });
      return timer;
    },
  };
  const store: LeaseStore<Claim> = {
    dataVersion: () => null,
    idOf: ({ id }) => id,
    renew: async (claims, ms) => (renewals.push([...claims.map(({ id }) => id), String(ms)]), []),
    toStop: async () => [],
    ...given,
  };
  const log = pino({ level: 'warn' }, { write: (line: string) => void logged.push(line) });
  const leases = new Leases<Claim>({ store, clock, log, settings: { ...settings, ...changes } });
  const hold = (id: string, since?: number): Claim => {
    const claim = { id, epoch: 1 };
    leases.hold({ claim, onLost: () => told.push(`${id} lost`), onCancel: () => told.push(`${id} cancelled`) }, since);
    return claim;
  };
  /** Fires the timers that stand, at this instant. @param isWanted of the beats (by their wait) or of the guard */
  const fire = async (at: number, isWanted: (ms: number) => boolean): Promise<void> => {
    now = at;
    for (const timer of [...timers.values()]) if (isWanted(timer.ms)) timer.fire();
    await turn();
  };
  return {
    ...{ leases, hold, told, renewals, logged, timers },
    set: (at: number) => (now = at),
    beat: (at: number) => fire(at, (ms) => ms === settings.cancelPollMs),
    guard: (at: number) => fire(at, (ms) => ms !== settings.cancelPollMs),
  };
}

test('all claims are renewed at each heartbeat, and not between', async () => {
  const { hold, beat, renewals } = keep();
  hold('a');
  hold('b');
  for (const at of [250, 4_999]) await beat(at);
  expect(renewals).toEqual([]);
  await beat(5_000);
  expect(renewals).toEqual([['a', 'b', '15000']]);
  await beat(9_999);
  await beat(10_000);
  expect(renewals).toHaveLength(2);
});

test('a claim that the store has given away is told to its holder and no other; so is one whose writes were refused', async () => {
  const { leases, hold, beat, told } = keep({ renew: async (claims) => claims.filter(({ id }) => id === 'b') });
  const first = hold('a');
  hold('b');
  await beat(5_000);
  expect(told).toEqual(['b lost']);
  leases.lose(first);
  leases.lose({ ...first, epoch: 2 });
  expect(told).toEqual(['b lost', 'a lost']);
});

test('a cancel is told to the run that it is for', async () => {
  const { hold, beat, told } = keep({ toStop: async () => ['b'] });
  hold('a');
  hold('b');
  await beat(250);
  expect(told).toEqual(['b cancelled']);
});

test('a store is not looked through again while it has not changed', async () => {
  let version = 1;
  let looks = 0;
  const { hold, beat } = keep({ dataVersion: () => version, toStop: async () => (looks++, []) });
  hold('a');
  for (const at of [250, 500]) await beat(at);
  expect(looks).toBe(1);
  version = 2;
  await beat(750);
  expect(looks).toBe(2);
});

test('a beat that fails is said, and followed by the next', async () => {
  let fails = true;
  const { hold, beat, logged, timers, told } = keep({
    toStop: () => (fails ? Promise.reject(new Error('away')) : Promise.resolve(['a'])),
  });
  hold('a');
  await beat(250);
  expect(logged.join()).toContain('could not be renewed');
  fails = false;
  await beat(500);
  expect(told).toEqual(['a cancelled']);
  expect([...timers.values()].every(({ unref }) => unref)).toBe(true);
});

test('before its lease may end a claim is confirmed at once, then only by the store', async () => {
  const { leases, hold, set, renewals } = keep();
  const claim = hold('a');
  set(endsAt - 1);
  expect(leases.confirm(claim)).toBeNull();
  set(endsAt);
  await leases.confirm(claim);
  expect(renewals).toHaveLength(1);
  // Renewed just now.
  expect(leases.confirm(claim)).toBeNull();
  set(2 * endsAt);
  expect(leases.confirm(claim)).not.toBeNull();
  expect(leases.confirm({ id: 'unknown', epoch: 1 })).toBeNull();
});

test('a claim counts from when it was asked for', () => {
  const { leases, hold, set } = keep();
  set(1_000);
  const claim = hold('a', 0);
  set(endsAt);
  expect(leases.confirm(claim)).not.toBeNull();
});

test('where processes may overlap nothing is confirmed and nothing given up', async () => {
  const { leases, hold, set, timers } = keep({}, { abortUnrenewed: false });
  const claim = hold('a');
  expect(timers.size).toBe(1);
  set(99_000);
  expect(leases.confirm(claim)).toBeNull();
});

test('a short time between heartbeat and lease is parted in two', () => {
  const { leases, hold, set } = keep({}, { leaseMs: 6_000, heartbeatMs: 5_000 });
  const claim = hold('a');
  set(5_499);
  expect(leases.confirm(claim)).toBeNull();
  set(5_500);
  expect(leases.confirm(claim)).not.toBeNull();
});

test('a lease that cannot be renewed is given up before it ends, told once, and others are kept', async () => {
  const { hold, guard, told, logged } = keep({ renew: () => new Promise(() => undefined) });
  hold('a');
  hold('b', 5_000);
  await guard(endsAt - 1);
  expect(told).toEqual([]);
  await guard(endsAt);
  await guard(endsAt + 10);
  expect(told).toEqual(['a lost']);
  expect(logged.filter((line) => line.includes('"runs":1'))).toHaveLength(1);
  await guard(5_000 + endsAt);
  expect(told).toEqual(['a lost', 'b lost']);
});

test('a process that was only held up renews in time and gives up nothing', async () => {
  const { hold, guard, told, logged, renewals } = keep();
  hold('a');
  await guard(endsAt + 500);
  expect([told, logged]).toEqual([[], []]);
  expect(renewals).toEqual([['a', '15000']]);
  await guard(endsAt + 1_000);
  expect(renewals).toHaveLength(1);
});

test('the guard looks four times in the time that it leaves, and goes with the last claim', async () => {
  const { leases, hold, guard, timers } = keep();
  const [first, second] = [hold('a'), hold('b')];
  const waits = (): number[] => [...timers.values()].map(({ ms }) => ms).toSorted((a, b) => a - b);
  expect(waits()).toEqual([250, 750]);
  await guard(750);
  expect(waits()).toEqual([250, 750]);
  leases.release(first);
  expect(waits()).toEqual([250, 750]);
  leases.release(second);
  expect(waits()).toEqual([]);
});

test('claims of spread tasks are always looked for, renewed and stopped by their ids', async () => {
  const asked: unknown[] = [];
  const claim = { taskRunId: 'task', epoch: 3 };
  const tasks = leasesOfTasks({
    renew: async (claims, ms) => (asked.push(claims, ms), claims),
    toStop: async (claims) => (asked.push(claims), ['task']),
  });
  expect([tasks.dataVersion(), tasks.idOf(claim)]).toEqual([null, 'task']);
  expect(await tasks.renew([claim], 9)).toEqual([claim]);
  expect(await tasks.toStop([claim])).toEqual(['task']);
  expect(asked).toEqual([[claim], 9, [claim]]);
});
