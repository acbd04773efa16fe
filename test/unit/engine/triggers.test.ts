import { describe, expect, test } from 'vitest';
import type { StateName } from 'batuta';
import { testFlow } from 'batuta/testing';
import { triggers, type Trigger } from '../../../src/model/task.ts';
import { failing, makeFlow, type TaskShape } from '../../support/make-flow.ts';

const ends = { succeeded: {}, failed: { does: failing() }, skipped: { when: () => false } } satisfies Record<string, TaskShape>;
type End = keyof typeof ends;

/** The rule as the documentation words it. */
function ruled(trigger: Trigger, upstream: readonly End[]): StateName {
  const failed = upstream.includes('failed');
  const succeeded = upstream.includes('succeeded');
  const skipped = upstream.includes('skipped');
  switch (trigger) {
    case 'allSucceeded':
      return failed ? 'UpstreamFailed' : skipped ? 'Skipped' : 'Completed';
    case 'allDone':
      return 'Completed';
    case 'anySucceeded':
      return succeeded ? 'Completed' : failed ? 'UpstreamFailed' : 'Skipped';
    case 'anyFailed':
      return failed ? 'Completed' : 'Skipped';
    case 'noneFailed':
      return failed ? 'UpstreamFailed' : 'Completed';
  }
}

const names = Object.keys(ends) as End[];
const combinations: readonly (readonly End[])[] = [
  ...names.map((one) => [one]),
  ...names.flatMap((one) => names.map((two) => [one, two])),
  ['succeeded', 'failed', 'skipped'],
];

describe.each(triggers)('trigger %s', (trigger) => {
  test.each(combinations.map((upstream) => [upstream.join(' + '), upstream] as const))(
    'after %s does what its rule says',
    async (_, upstream) => {
      const before = Object.fromEntries(upstream.map((end, at) => [`u${at}`, ends[end]]));
      const run = await testFlow(makeFlow({ ...before, last: { needs: Object.keys(before), trigger } }));
      run.expectTask('last', ruled(trigger, upstream));
      run.expectState(upstream.includes('failed') ? 'Failed' : 'Completed');
    },
  );

  test.each(names)('with each, and a list that has %s, there is something to run only when the list came', async (end) => {
    const run = await testFlow(
      makeFlow({ list: ends[end], other: {}, failed: { does: failing() }, last: { each: 'list', after: ['other', 'failed'], trigger } }),
      {},
      end === 'succeeded' ? { override: { list: [1, 2] } } : {},
    );
    const rule = ruled(trigger, [end, 'succeeded', 'failed']);
    const expected = rule === 'Completed' && end !== 'succeeded' ? (end === 'failed' ? 'UpstreamFailed' : 'Skipped') : rule;
    expect(run.tasksOf('last').map((task) => task.state.name)).toEqual(expected === 'Completed' ? ['Completed', 'Completed'] : [expected]);
  });
});

test('a task with a missing input is given undefined for it', async () => {
  const run = await testFlow(
    makeFlow({
      no: { when: () => false },
      bad: { does: failing() },
      last: { needs: ['no', 'bad'], trigger: 'allDone', does: (...args: unknown[]) => args.slice(0, 2) },
    }),
  );
  expect(run.task('last').result).toEqual([undefined, undefined]);
});
