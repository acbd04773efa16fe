/** What an attempt waits for before it begins, step by step: the answers of limits and rates are given by hand. */
import { describe, expect, test } from 'vitest';
import { BatutaError } from '../../../src/base/errors.ts';
import { askAgainAfter, hasMoved, RatePass, Rates, type RatesOptions } from '../../../src/engine/limits/rates.ts';
import type { RunAttempt } from '../../../src/engine/run/run-attempt.ts';
import { underTags } from '../../../src/engine/task/attempt-places.ts';
import type { TaskRun } from '../../../src/model/run.ts';
import type { TaskDefinition } from '../../../src/model/task.ts';

const name = { name: 'tag:api', base: 'tag:api' };
const later = (waitMs: number, nextAt = waitMs) => ({ granted: false, waitMs, nextAt, name: 'tag:api', limit: 1, perMs: 1_000 }) as const;

/** An attempt under the limit and the rate of its tag. */
function attemptAt({ limits = [] as readonly string[] } = {}) {
  const steps: string[] = [];
  const answers: (ReturnType<typeof later> | 'leave' | 'away')[] = [];
  const state = { now: 0, aheadMs: 0, stopReason: null as BatutaError | null };
  const passes = { began: () => undefined, giveBack: async () => void steps.push('gives back'), wasLate: () => void steps.push('is late') };
  const rates = {
    leadMs: 80,
    restMs: (waitMs: number) => waitMs,
    ofTags: () => [name],
    whileWaiting: <T>(wait: () => Promise<T>) => wait(),
    leave: async () => void steps.push('leaves'),
    ask: async () => {
      const answer = answers.shift() ?? 'leave';
      steps.push(`asks: ${typeof answer === 'string' ? answer : `in ${answer.waitMs}`}`);
      if (answer === 'away') throw new BatutaError('STORE_UNAVAILABLE', 'It is away.');
      return answer === 'leave'
        ? new RatePass(passes as unknown as Rates, 'start', {
            from: state.now + state.aheadMs,
            freshUntil: state.now + state.aheadMs + 1_000,
            counts: true,
          })
        : answer;
    },
  };
  const tasks = {
    limitsOf: async () => limits,
    take: async () => {
      steps.push('takes a slot');
      return { give: () => void steps.push('gives the slot') };
    },
  };
  const active = {
    services: { limits: { tasks, rates }, leaseClock: { monotonic: () => state.now } },
    run: { params: '{}', priority: 0 },
    record: { claim: { epoch: 1 } },
    sleeps: { until: async (_clock: unknown, ms: number) => void steps.push(`rests ${ms}`) },
    activity: { wait: (_wait: unknown, until: () => Promise<unknown>) => until() },
    get stopReason() {
      return state.stopReason;
    },
    tellBegun: () => undefined,
  } as unknown as RunAttempt;
  const noted: string[] = [];
  const attempt = () =>
    underTags(active, { name: 'send', priority: 0, isolate: null } as TaskDefinition, { id: 't', runId: 'r' } as TaskRun, ['api'], {
      awaits: (message) => void noted.push(message),
      attempt: async (pass) => {
        steps.push('begins');
        pass?.tellBegun();
        return 'done';
      },
    });
  return { attempt, answers, steps, noted, state, tasks, active };
}

describe('an attempt under a limit and a rate', () => {
  test('keeps the leave it has waited for while it takes its slot again', async () => {
    const { attempt, answers, steps } = attemptAt({ limits: ['tag:api'] });
    answers.push(later(5_000), 'leave');
    expect(await attempt()).toBe('done');
    expect(steps).toEqual(['takes a slot', 'asks: in 5000', 'gives the slot', 'asks: leave', 'takes a slot', 'begins', 'gives the slot']);
  });

  test('asks anew where the slot took so long that its leave is too old', async () => {
    const { attempt, answers, steps, state, tasks } = attemptAt({ limits: ['tag:api'] });
    const take = tasks.take;
    tasks.take = () => {
      if (steps.length > 0) state.now += 1_500;
      return take();
    };
    answers.push(later(5_000), 'leave', 'leave');
    expect(await attempt()).toBe('done');
    expect(steps.slice(4)).toEqual(['takes a slot', 'gives back', 'asks: leave', 'begins', 'gives the slot']);
  });

  test('waits for the instant of its leave, and asks anew where it woke up too late', async () => {
    const { attempt, answers, steps, state, active } = attemptAt();
    state.aheadMs = 300;
    answers.push('leave', 'leave');
    const sleepFor = [1_400, 300];
    active.sleeps.until = async (_clock, ms) => {
      steps.push(`rests ${ms}`);
      state.now += sleepFor.shift() ?? 0;
    };
    expect(await attempt()).toBe('done');
    expect(steps).toEqual(['asks: leave', 'rests 300', 'is late', 'gives back', 'asks: leave', 'rests 300', 'begins']);
  });

  test('of a run that is stopped asks for nothing', async () => {
    const { attempt, steps, state } = attemptAt({ limits: ['tag:api'] });
    state.stopReason = new BatutaError('RUN_SUSPENDED', 'It waits.');
    expect(await attempt()).toEqual({ kind: 'stopped', error: state.stopReason });
    expect(steps).toEqual([]);
  });
});

test('a database that is away for a while ends no wait', async () => {
  const { attempt, answers, steps } = attemptAt();
  answers.push('away', later(500), 'away', 'leave');
  expect(await attempt()).toBe('done');
  expect(steps).toEqual(['asks: away', 'rests 1000', 'asks: in 500', 'asks: away', 'rests 1000', 'asks: leave', 'begins']);
});

test('a wait is noted once, and again only where its end moved far', async () => {
  const { attempt, answers, noted } = attemptAt();
  const minute = 60_000;
  answers.push(later(minute), later(minute), later(minute, minute + 20_000), later(minute, 3 * minute), later(minute, 3 * minute));
  expect(await attempt()).toBe('done');
  expect(noted).toHaveLength(2);
});

test('the more wait, the less often they ask; nobody comes later than its turn', () => {
  expect(askAgainAfter(500, 1)).toBe(500);
  expect(askAgainAfter(600_000, 1)).toBe(2_000);
  expect(askAgainAfter(600_000, 500)).toBe(10_000);
  expect(askAgainAfter(600_000, 1_000_000)).toBe(60_000);
  expect(askAgainAfter(4_000, 1_000_000)).toBe(4_000);
});

test('of a long wait a quarter is far', () => {
  expect(hasMoved(null, { waitMs: 1_000, nextAt: 1_000 })).toBe(true);
  expect(hasMoved(1_000, { waitMs: 1_000, nextAt: 31_000 })).toBe(false);
  expect(hasMoved(1_000, { waitMs: 1_000, nextAt: 31_001 })).toBe(true);
  expect(hasMoved(0, { waitMs: 400_000, nextAt: 100_000 })).toBe(false);
  expect(hasMoved(0, { waitMs: 400_000, nextAt: 100_001 })).toBe(true);
});

test('whoever asks ahead of its turn does so by whole milliseconds, however long answers take: databases keep no other instants', async () => {
  let now = 0;
  const aheads: number[] = [];
  const store = {
    ask: async (wishes: readonly unknown[], { aheadMs }: { readonly aheadMs: number }) => {
      aheads.push(aheadMs);
      now += 123.456;
      return wishes.map(() => later(60_000));
    },
  };
  const rates = new Rates({ store, clock: { monotonic: () => now }, makeId: () => 'start' } as unknown as RatesOptions);
  for (let asked = 0; asked < 3; asked++) await rates.ask({ holder: 'h', runId: 'r', task: null, names: [name], priority: 0 });
  expect(rates.leadMs).toBeGreaterThan(80);
  expect([rates.leadMs, ...aheads].filter((ms) => !Number.isInteger(ms))).toEqual([]);
});
