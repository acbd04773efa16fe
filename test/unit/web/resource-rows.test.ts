import { describe, expect, it } from 'vitest';
import type { ResourceUse } from '../../../src/model/resource-use.ts';
import { resourceRows, spokenOf, visibleOpenings } from '../../../web/src/timeline/resource-rows.ts';

let ids = 0;
function use(facts: Partial<ResourceUse> = {}): ResourceUse {
  return {
    ...{ id: `u${++ids}`, runId: 'r', taskRunId: 't', resource: "'pool'", scope: 'task' },
    ...{ beganAt: 100, openedAt: 110, closingAt: 200, closedAt: 210, error: null, ...facts },
  };
}
const going = { runEndedAt: null, taskOf: () => null };
const ended = { runEndedAt: 900, taskOf: () => ({ label: 'load', endedAt: 500 }) };

describe('resources on the timeline', () => {
  it('have one row for each name, key and scope, with all its openings, and lead to the task that alone opened them', () => {
    const rows = resourceRows(
      [
        use(),
        use({ resource: "'tenant' (acme (EU))", beganAt: 120 }),
        use({ beganAt: 150, taskRunId: 'other' }),
        use({ scope: 'run', taskRunId: null }),
      ],
      going,
    );
    expect(rows.map(({ name, key, scope, openings, taskRunId }) => [name, key, scope, openings.length, taskRunId])).toEqual([
      ['pool', null, 'task', 2, null],
      ['tenant', 'acme (EU)', 'task', 1, 't'],
      ['pool', null, 'run', 1, null],
    ]);
    expect(rows[1] && spokenOf(rows[1])).toBe('Resource tenant (acme (EU)) of the task: opening 0 ms, open 90 ms, closing 10 ms');
  });

  it('tell apart what could not be opened, what could not be closed, what its process took with it, and what goes on', () => {
    const steps = [
      use({ openedAt: null, closingAt: null, error: 'refused' }),
      use({ error: 'stuck' }),
      use({ closingAt: null, closedAt: null }),
      use({ closingAt: null, closedAt: null, taskRunId: null, scope: 'run' }),
    ];
    const outcomes = resourceRows(steps, ended).flatMap(({ openings }) => openings.map(({ outcome, untilAt }) => [outcome, untilAt]));
    expect(outcomes).toEqual([
      ['opening failed', 210],
      ['closing failed', 210],
      ['lost', 500],
      ['lost', 900],
    ]);
    const [row] = resourceRows([use({ openedAt: null, closingAt: null, closedAt: null })], going);
    expect(row).toMatchObject({ failed: 0, untilAt: null, openings: [{ outcome: 'fine', told: 'being opened' }] });
  });

  it('that are opened ten thousand times draw no more bars than there is room, and each that went wrong', () => {
    const uses = Array.from({ length: 10_000 }, (_, at) =>
      use({ beganAt: at, openedAt: at, closingAt: at + 5, closedAt: at + 6, error: at === 5_000 ? 'stuck' : null }),
    );
    const [row] = resourceRows(uses, going);
    const visible = visibleOpenings(row?.openings ?? [], (at) => at / 20, 0);
    expect(visible.length).toBeLessThan(520);
    expect(visible.filter(({ outcome }) => outcome === 'closing failed')).toHaveLength(1);
  });
});
