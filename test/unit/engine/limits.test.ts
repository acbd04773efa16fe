/** Limits as one engine sees them: news of other processes, slots of lost ones, and how a run waits for its slot. */
import { setImmediate as turn } from 'node:timers/promises';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { BatutaError } from '../../../src/base/errors.ts';
import { awaitSlot } from '../../../src/engine/run/execute-attempt.ts';
import { Limits, type LimitsOptions } from '../../../src/engine/limits/limits.ts';
import type { SlotEnd } from '../../../src/engine/limits/run-slots.ts';
import type { RunAttempt } from '../../../src/engine/run/run-attempt.ts';
import type { Owner } from '../../../src/model/run.ts';
import { type State, stateOf } from '../../../src/model/state.ts';
import type { ReclaimOptions, SlotOutcome } from '../../../src/store/store.ts';
import { handClock } from '../../support/hand-clock.ts';
import { gate } from '../../support/make-flow.ts';

const turns = async (): Promise<void> => {
  for (let left = 8; left > 0; left--) await turn();
};
const ownerNamed = (id: string): Owner => ({ id, host: 'here', pid: 1, processStartedAt: 1 });
const own = ownerNamed('own');
const claim = { runId: 'run', epoch: 1 };
const never = new AbortController().signal;
const taken: SlotOutcome = { kind: 'taken', state: stateOf('PENDING'), cancelled: [] };
const waits: SlotOutcome = { kind: 'waits', state: stateOf('SCHEDULED', 'AwaitingSlot', 'Waits.'), cancelled: [] };

/** Limits over a store of two processes that are gone, this one among them, and one that lives. */
function limitsOver() {
  const { clock, timers, pass } = handClock();
  const reclaimed: ReclaimOptions[] = [];
  const state = { isFree: false, takes: 0, sweeps: 0, sweptFor: [] as readonly string[] };
  const store = {
    dataVersion: () => null,
    fleet: {
      owners: async () => [own, ownerNamed('gone'), ownerNamed('living')],
      reclaim: async (options: ReclaimOptions) => (reclaimed.push(options), { waiting: [], ended: [], crashed: [] }),
    },
    limits: {
      take: async () => (state.takes++, state.isFree ? taken : waits),
      mayTake: async () => state.isFree,
      sweepSlots: async () => (state.sweeps++, { owners: state.sweptFor }),
      askSlots: async () => [{ held: true }],
      giveSlots: async () => ({ owners: ['elsewhere'] }),
    },
    runs: { get: async () => null },
  };
  const options = {
    ...{ store, leaseClock: clock, log: pino({ level: 'silent' }), owner: own, makeId: () => 'id', settings: { maxRecoveries: 7 } },
    isOwnerGone: ({ id }: Owner) => id !== 'living',
  };
  const limits = new Limits(options as unknown as LimitsOptions);
  const wait = (): Promise<SlotEnd> => limits.runs.waitFor(claim, { signal: never, onState: () => undefined });
  /** The second passes after which lost slots are freed. */
  const second = async (): Promise<void> => {
    pass(1_000);
    for (const { fire } of [...timers.values()]) fire();
    await turns();
  };
  return { limits, store, state, reclaimed, wait, second };
}

describe('limits of one process', () => {
  test('news from another makes what waits here look at once; without news nothing looks until the check', async () => {
    const { limits, state, wait } = limitsOver();
    let hear: () => void = () => undefined;
    await limits.connect({ tell: async () => undefined, listen: async (listener) => void (hear = listener) });
    let end: SlotEnd | null = null;
    void wait().then((how) => (end = how));
    await turns();
    state.isFree = true;
    await turns();
    expect(end).toBeNull();
    hear();
    await turns();
    expect(end).toBe('taken');
  });

  test('every slot that is given back is announced to others; a channel that is down harms nothing', async () => {
    const { limits } = limitsOver();
    limits.runs.freed('flow:sync');
    let told = 0;
    await limits.connect({
      tell: () => (told++, Promise.reject(new BatutaError('BROKER_UNAVAILABLE', 'It is away.'))),
      listen: async () => undefined,
    });
    limits.runs.freed('flow:sync');
    const wish = { holder: 'a', runId: 'run', epoch: 1, spread: false, names: ['tag:db'], task: 'load', priority: 0 };
    (await limits.tasks.take(wish, { signal: never, waitSignal: never }, () => undefined))?.give();
    await limits.close();
    await turns();
    expect(told).toBe(2);
  });

  test('a connection that fails is told to whoever asked for it', async () => {
    const { limits } = limitsOver();
    const away = new BatutaError('BROKER_UNAVAILABLE', 'It is away.');
    await expect(limits.connect({ tell: async () => undefined, listen: () => Promise.reject(away) })).rejects.toBe(away);
  });

  test('without a fleet, what waits takes the runs of lost processes from them, never from itself, and passes their slots on', async () => {
    const { state, reclaimed, wait, second } = limitsOver();
    const ended = wait();
    await turns();
    expect([reclaimed, state.sweeps]).toEqual([[], 0]);
    await second();
    expect(reclaimed).toEqual([{ limit: 100, maxRecoveries: 7, goneOwners: [ownerNamed('gone')] }]);
    expect(state.sweeps).toBe(1);
    state.isFree = true;
    await second();
    expect(await ended).toBe('taken');
  });

  test('in a fleet, whose loops do that, it only passes slots of tasks on', async () => {
    const { limits, state, reclaimed, wait, second } = limitsOver();
    let told = 0;
    await limits.connect({ tell: async () => void told++, listen: async () => undefined });
    void wait();
    await turns();
    state.sweptFor = ['elsewhere'];
    await second();
    expect([reclaimed, state.sweeps, told]).toEqual([[], 1, 1]);
  });

  test('its end waits for what is given back: slots of runs and tasks, and starts under a rate', async () => {
    const { limits, store } = limitsOver();
    const done: string[] = [];
    const gates = [gate(), gate(), gate()];
    limits.runs.carry(async () => undefined);
    Object.assign(store.limits, {
      nextRuns: async () => (await gates[0]?.opened, done.push('runs'), []),
      giveSlots: async () => (await gates[1]?.opened, done.push('tasks'), { owners: [] }),
    });
    Object.assign(limits.rates, { close: async () => (await gates[2]?.opened, done.push('rates')) });
    limits.runs.freed('flow:sync');
    const wish = { holder: 'a', runId: 'run', epoch: 1, spread: false, names: ['tag:db'], task: 'load', priority: 0 };
    (await limits.tasks.take(wish, { signal: never, waitSignal: never }, () => undefined))?.give();
    let isClosed = false;
    const closed = limits.close().then(() => (isClosed = true));
    for (const { open } of gates) {
      await turns();
      expect(isClosed).toBe(false);
      open();
    }
    await closed;
    expect(done).toEqual(['runs', 'tasks', 'rates']);
  });
});

describe('a run that waits for its slot', () => {
  /** An attempt of a run in this state, whose wait ends so. */
  function attemptIn(
    state: State,
    { end = 'taken', stopReason = null }: { readonly end?: SlotEnd; readonly stopReason?: BatutaError | null } = {},
  ) {
    const steps: string[] = [];
    const record = {
      claim,
      run: { state },
      tellRun: () => void steps.push('told'),
      noteState(next: State) {
        expect(this).toBe(record);
        steps.push(`noted ${next.name}`);
      },
    };
    const waitFor = async (of: unknown, { signal, onState }: { readonly signal: AbortSignal; readonly onState: (next: State) => void }) => {
      expect([of, signal]).toEqual([claim, never]);
      onState(stateOf('SCHEDULED', 'AwaitingSlot', 'Waits.'));
      steps.push('waits');
      return end;
    };
    const work = async (act: () => Promise<SlotEnd>): Promise<SlotEnd> => {
      steps.push('works');
      return await act();
    };
    const attempt = { record, services: { limits: { runs: { waitFor } } }, signal: never, stopReason, activity: { work } };
    return { steps, ask: () => awaitSlot(attempt as unknown as RunAttempt, () => void steps.push('lost')) };
  }

  test('asks, and notes what it waits for; it counts as at work, so that it is not suspended', async () => {
    const { steps, ask } = attemptIn(stateOf('PENDING'));
    expect(await ask()).toBe('taken');
    expect(steps).toEqual(['works', 'noted AwaitingSlot', 'waits']);
  });

  test('that waits already is shown as that first', async () => {
    const { steps, ask } = attemptIn(stateOf('SCHEDULED', 'AwaitingSlot', 'Waits.'));
    expect(await ask()).toBe('taken');
    expect(steps).toEqual(['told', 'works', 'noted AwaitingSlot', 'waits']);
  });

  test('that was dropped already asks for nothing', async () => {
    const { steps, ask } = attemptIn(stateOf('CANCELLED', 'Skipped', 'The limit was used up.'));
    expect([await ask(), steps]).toEqual(['skipped', ['told']]);
  });

  test('that was stopped before asks for nothing', async () => {
    const stopReason = new BatutaError('RUN_CANCELLED', 'Enough.');
    const { steps, ask } = attemptIn(stateOf('PENDING'), { stopReason });
    expect([await ask(), steps]).toEqual(['stopped', []]);
  });

  test.each(['lost', 'stopped', 'skipped'] as const)(
    'whose wait ends as %s says so, and is given up only where another has it',
    async (end) => {
      const { steps, ask } = attemptIn(stateOf('PENDING'), { end });
      expect([await ask(), steps.includes('lost')]).toEqual([end, end === 'lost']);
    },
  );
});
