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
  });

  test('puts work on trial at the second loss, and ends it after too many that are proven', () => {
    const again = judgeLoss(work, { ...alone, held: 2 }, { shared: lossesBeforeTrial - 1, alone: 0 }, 3);
    expect(again.suspicion?.isOnTrial).toBe(true);
    expect(judgeLoss({ ...work, recoveries: 3 }, alone, undefined, 3).crashes).toBe(true);
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
});
