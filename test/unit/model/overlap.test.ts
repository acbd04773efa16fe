/** What becomes of a tick while earlier runs of its deployment have not ended. */
import { expect, test } from 'vitest';
import { overlapPolicies } from '../../../src/model/deployment.ts';
import { overlapOf } from '../../../src/model/schedule/overlap.ts';

const at = Date.UTC(2026, 2, 10, 12);
const running = { name: 'quick-otter', scheduledFor: at, held: false };
const waiting = { name: 'calm-crane', scheduledFor: at + 1, held: true };

test('with no run open every policy starts the run', () => {
  expect(overlapPolicies.map((policy) => overlapOf(policy, []).kind)).toEqual(['start', 'start', 'start', 'start', 'start']);
});

test('each policy does with an open run what its name says, and names the run', () => {
  expect(overlapOf('allow', [running])).toEqual({ kind: 'start' });
  expect(overlapOf('skip', [running])).toEqual({
    kind: 'drop',
    message: "The run quick-otter of 2026-03-10T12:00:00.000Z had not ended; overlap 'skip' drops the tick.",
  });
  expect(overlapOf('buffer-one', [running])).toEqual({
    kind: 'hold',
    message: 'Waits until the run quick-otter of 2026-03-10T12:00:00.000Z has ended.',
  });
  expect(overlapOf('buffer-one', [running, waiting])).toMatchObject({ kind: 'drop', message: expect.stringContaining('calm-crane') });
  expect(overlapOf('buffer-all', [running, waiting])).toMatchObject({ kind: 'hold', message: expect.stringContaining('quick-otter') });
  expect(overlapOf('cancel-running', [running, waiting])).toMatchObject({
    kind: 'hold',
    message: expect.stringContaining('whose place it takes'),
  });
});

test('names the run that goes on, however many wait before it, and the first that waits where none goes on', () => {
  for (const open of [
    [waiting, running],
    [running, waiting],
  ])
    expect(overlapOf('skip', open)).toMatchObject({ message: expect.stringContaining('quick-otter') });
  const later = { ...waiting, name: 'late-lynx', scheduledFor: at + 2 };
  expect(overlapOf('buffer-all', [waiting, later])).toEqual({
    kind: 'hold',
    message: 'Waits until the run calm-crane of 2026-03-10T12:00:00.001Z and those after it have ended.',
  });
});
