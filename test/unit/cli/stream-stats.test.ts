import { expect, test } from 'vitest';
import { testFlow } from 'batuta/testing';
import { streamStatsLines, streamStatsOf } from '../../../src/cli/render/stream-stats.ts';
import { paintOf } from '../../../src/cli/render/shapes.ts';
import { makeFlow } from '../../support/make-flow.ts';

test('the tasks of streams are listed with their counts, and no other', async () => {
  async function* rows() {
    for (let n = 0; n < 1_200; n++) yield n;
  }
  const take = async (all: AsyncIterable<number>, ctx: { reject(record: unknown, reason: string): void }): Promise<void> => {
    for await (const n of all) if (n < 7) ctx.reject(n, 'small');
  };
  const { taskRuns } = (await testFlow(makeFlow({ rows: { does: rows }, take: { needs: ['rows'], does: take }, other: {} }))).inspection;
  expect(streamStatsOf(taskRuns).map(({ task, in: taken, out, rejected }) => [task, taken, out, rejected])).toEqual([
    ['rows', null, 1_200, 0],
    ['take', 1_200, null, 7],
  ]);
  const lines = streamStatsLines(taskRuns, { paint: paintOf(false), width: 120, now: 0 });
  expect(lines).toHaveLength(3);
  expect(lines[2]).toMatch(/take +✓ Completed +1,200 +7 /);
  expect(streamStatsLines(taskRuns.slice(0, 0), { paint: paintOf(false), width: 120, now: 0 })).toEqual([]);
});
