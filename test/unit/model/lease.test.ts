/** Who may take leased work, and what follows from a lost owner. */
import { describe, expect, test } from 'vitest';
import { judgeLoss, lossesBeforeTrial, type LostOwner, refusalOf, stateAfterLoss } from '../../../src/model/lease.ts';
import type { Owner } from '../../../src/model/run.ts';
import { stateOf } from '../../../src/model/state.ts';

const owner: Owner = { id: 'here:1:1', host: 'here', pid: 1, processStartedAt: 1 };
const work = { id: 'run', runId: 'run', recoveries: 0, leaseUntil: 100 };
const alone: LostOwner = { held: 1, tasks: 0, beatAt: null, culprit: null, seen: null };

describe('a run', () => {
  test('that has ended is taken by nobody; one that is held only once its owner is gone', () => {
    const running = { state: stateOf('RUNNING'), owner };
    expect(refusalOf({ ...running, state: stateOf('FAILED') }, () => true)).toBe('ended');
    expect(refusalOf(running, () => false)).toBe('held');
    expect(refusalOf(running, ({ id }) => id === owner.id)).toBeNull();
    expect(refusalOf({ ...running, owner: null }, () => false)).toBeNull();
  });
});

describe('a lost owner', () => {
  test('is charged to what it executed alone, and not to what it executed in company', () => {
    expect(judgeLoss(work, alone, undefined, 3)).toMatchObject({ counts: true, crashes: false, losses: 1 });
    expect(judgeLoss(work, { ...alone, held: 2 }, undefined, 3)).toMatchObject({
      counts: false,
      suspicion: { shared: 1, alone: 0, isOnTrial: false },
    });
  });

  test('that was seen to be ended by one is charged to that one and no other, however many there were', () => {
    const seen = { ...alone, held: 9, culprit: 'run', seen: 'it ran out of memory' };
    expect(judgeLoss(work, seen, undefined, 3)).toMatchObject({ counts: true, seen: seen.seen, suspicion: { isOnTrial: true } });
    expect(judgeLoss({ ...work, id: 'other', runId: 'other' }, seen, undefined, 3)).toMatchObject({ counts: false, suspicion: null });
  });

  test('that lives after all is charged to nobody', () => {
    expect(judgeLoss(work, { ...alone, beatAt: 101 }, undefined, 3)).toMatchObject({ counts: false, suspicion: null });
    expect(judgeLoss(work, { ...alone, held: 2, beatAt: 101 }, undefined, 3)).toMatchObject({ counts: false, suspicion: null });
  });

  test('lives only where it was heard of after the end of its lease', () => {
    for (const [leaseUntil, beatAt] of [
      [100, 100],
      [100, 99],
      [100, null],
      [null, 101],
      [null, null],
    ] as const)
      expect([leaseUntil, beatAt, judgeLoss({ ...work, leaseUntil }, { ...alone, beatAt }, undefined, 3).counts]).toEqual([
        leaseUntil,
        beatAt,
        true,
      ]);
  });

  test('executed a spread task alone where it held no other one, and a run whatever tasks belong to it', () => {
    const task = { ...work, id: 'task' };
    expect(judgeLoss(task, { ...alone, tasks: 1 }, undefined, 3).counts).toBe(true);
    expect(judgeLoss(task, { ...alone, tasks: 2 }, undefined, 3)).toMatchObject({ counts: false, suspicion: { shared: 1, alone: 0 } });
    expect(judgeLoss(task, { ...alone, held: 2, tasks: 1 }, undefined, 3).counts).toBe(false);
    expect(judgeLoss(work, { ...alone, tasks: 2 }, undefined, 3).counts).toBe(true);
    expect(judgeLoss(work, { ...alone, held: 0 }, undefined, 3).counts).toBe(true);
  });

  test('adds to what was lost before: in company and alone apart, together as losses', () => {
    const before = { shared: 2, alone: 1 };
    expect(judgeLoss(work, alone, before, 9)).toMatchObject({ losses: 4, suspicion: { shared: 2, alone: 2, isOnTrial: true } });
    expect(judgeLoss(work, { ...alone, held: 2 }, before, 9)).toMatchObject({ losses: 4, suspicion: { shared: 3, alone: 1 } });
    expect(judgeLoss({ ...work, recoveries: 7 }, alone, before, 9).losses).toBe(8);
    expect(judgeLoss({ ...work, recoveries: 2 }, alone, undefined, 9)).toMatchObject({ losses: 3, suspicion: { shared: 0, alone: 3 } });
  });

  test('of whom nothing was seen is said to have executed nothing else only where it is known to be the one', () => {
    expect(judgeLoss(work, { ...alone, culprit: 'run' }, undefined, 3).seen).toBe('it executed nothing else, and its lease ended');
    expect(judgeLoss(work, { ...alone, culprit: 'other' }, undefined, 3).seen).toBeNull();
    expect(judgeLoss(work, alone, undefined, 3).seen).toBeNull();
  });

  test('puts work on trial at the second loss, and ends it after too many that are proven', () => {
    const again = judgeLoss(work, { ...alone, held: 2 }, { shared: lossesBeforeTrial - 1, alone: 0 }, 3);
    expect(again.suspicion?.isOnTrial).toBe(true);
    expect(judgeLoss({ ...work, recoveries: 3 }, alone, undefined, 3).crashes).toBe(true);
    // As many as are allowed are not one too many.
    expect(judgeLoss({ ...work, recoveries: 2 }, alone, undefined, 3).crashes).toBe(false);
    expect(judgeLoss({ ...work, recoveries: 9 }, { ...alone, held: 2 }, undefined, 3).crashes).toBe(false);
    expect(judgeLoss(work, alone, { shared: 0, alone: 3 }, 3).crashes).toBe(true);
    expect(judgeLoss({ ...work, recoveries: 3 }, alone, { shared: 0, alone: 0 }, 3).crashes).toBe(true);
    expect(judgeLoss(work, alone, { shared: 0, alone: 0 }, 0).crashes).toBe(true);
    expect(judgeLoss(work, alone, { shared: 5, alone: 0 }, 3).crashes).toBe(false);
    expect(judgeLoss(work, alone, { shared: 5, alone: 1 }, 3).crashes).toBe(true);
    expect(judgeLoss(work, { ...alone, held: 2 }, undefined, 0).crashes).toBe(true);
  });

  test('leaves work that waits for another, is Cancelled where that was asked, or Crashed', () => {
    const lost = { isCancelled: false, owners: ['a', 'b'] };
    expect(stateAfterLoss('run', lost, judgeLoss(work, alone, undefined, 3))).toMatchObject({ type: 'SCHEDULED', name: 'Resuming' });
    expect(stateAfterLoss('task run', { ...lost, isCancelled: true }, undefined).type).toBe('CANCELLED');
    const crashed = stateAfterLoss('run', lost, judgeLoss(work, { ...alone, culprit: 'run', seen: 'it blocked' }, undefined, 0));
    expect(crashed).toMatchObject({
      type: 'CRASHED',
      message: expect.stringMatching(/1 in all: a, b\. Of the last was seen: it blocked$/),
    });
  });

  test('is told in the words of a run or of a task run, with its name and with what was seen where that counts', () => {
    const lost = { isCancelled: false, owners: ['a', 'b'] };
    const charged = judgeLoss(work, { ...alone, culprit: 'run', seen: 'it blocked' }, undefined, 3);
    const others = judgeLoss(work, { ...alone, culprit: 'other', seen: 'it blocked' }, undefined, 3);
    const crashed = { ...charged, crashes: true };
    const told = (...given: Parameters<typeof stateAfterLoss>): string | null => stateAfterLoss(...given).message;
    expect(told('run', lost, charged)).toBe(
      'Its process b was lost; another continues from what is recorded. Of the last was seen: it blocked',
    );
    expect(told('task run', lost, charged)).toBe('Its process b was lost; another takes it. Of the last was seen: it blocked');
    expect(told('run', lost, others)).toBe('Its process b was lost; another continues from what is recorded.');
    expect(told('run', { isCancelled: false, owners: [] }, undefined)).toBe(
      'Its process  was lost; another continues from what is recorded.',
    );
    expect(told('task run', { isCancelled: false, owners: ['a', 'b', 'c'] }, undefined)).toBe('Its process c was lost; another takes it.');
    expect(told('run', lost, { ...charged, seen: null })).toBe('Its process b was lost; another continues from what is recorded.');
    expect(told('task run', lost, crashed)).toMatch(/1 in all, the last b\. Of the last was seen: it blocked$/);
    const cancelled = { ...lost, isCancelled: true };
    expect(told('run', cancelled, charged)).toBe('It was cancelled; the process that ran it was lost meanwhile.');
    expect(told('task run', cancelled, charged)).toBe('Its run was cancelled; the process that ran it was lost meanwhile.');
  });
});
