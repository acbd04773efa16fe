import { expect, test } from 'vitest';
import type { TaskContext } from 'batuta';
import { csv, filter, ndjson } from 'batuta/streams';
import { testFlow } from 'batuta/testing';
import { streamStatsLines } from '../../../src/cli/render/stream-stats.ts';
import { paintOf } from '../../../src/cli/render/shapes.ts';
import { makeFlow } from '../../support/make-flow.ts';

test('the tasks of streams are listed with their counts, and no other', async () => {
  async function* rows() {
    for (let n = 0; n < 1_200; n++) yield n;
  }
  const take = async (all: AsyncIterable<number>, ctx: { reject(record: unknown, reason: string): void }): Promise<void> => {
    for await (const n of all) if (n < 7) ctx.reject(n, 'small');
  };
  const run = await testFlow(makeFlow({ rows: { does: rows }, take: { needs: ['rows'], does: take }, other: {} }));
  expect(run.stats.map(({ task, in: taken, out, rejected }) => [task, taken, out, rejected])).toEqual([
    ['rows', null, 1_200, 0],
    ['take', 1_200, null, 7],
  ]);
  const { taskRuns } = run.inspection;
  const lines = streamStatsLines(taskRuns, { paint: paintOf(false), width: 120, now: 0 });
  expect(lines).toHaveLength(3);
  expect(lines[2]).toMatch(/take +✓ Completed +1,200 +7 +0 +0 /);
  expect(streamStatsLines(taskRuns.slice(0, 0), { paint: paintOf(false), width: 120, now: 0 })).toEqual([]);
});

/** The counts of the tasks of a flow in which one reads and another filters. */
async function statsOf(read: (ctx: TaskContext) => AsyncIterable<unknown>): Promise<readonly unknown[]> {
  async function* rows(ctx: TaskContext) {
    yield* read(ctx);
  }
  async function* wanted(all: AsyncIterable<{ readonly id: string }>) {
    yield* filter(all, ({ id }) => id !== '2');
  }
  const take = async (all: AsyncIterable<unknown>): Promise<void> => {
    for await (const _ of all);
  };
  const flow = makeFlow({ rows: { does: rows }, wanted: { needs: ['rows'], does: wanted }, take: { needs: ['wanted'], does: take } });
  const { stats } = await testFlow(flow);
  return stats.map(({ task, state, in: taken, out, rejected, parseErrors, skipped }) => [
    ...[task, state, taken, out],
    ...[rejected, parseErrors, skipped],
  ]);
}

test('lines that cannot be read, that are passed over and that a filter leaves out are counted, each where it happens', async () => {
  const text = '# by hand\n\nid,name\n1,a\n\n2,b\n3,c,d\n# the end\n4,d\n5\n';
  expect(
    await statsOf((ctx) => csv([text.slice(0, 20), text.slice(20)], { comment: '#', onBad: (bad) => ctx.reject(bad.text, bad.reason) })),
  ).toEqual([
    ['rows', 'Completed', null, 3, 2, 2, 4],
    ['wanted', 'Completed', 3, 2, 0, 0, 1],
    ['take', 'Completed', 2, null, 0, 0, 0],
  ]);
  const json = '{"id":"1"}\n\n{"id":\n{"id":"2"}\n \n';
  expect(await statsOf((ctx) => ndjson([json], { onBad: (bad) => ctx.reject(bad.text, bad.reason) }))).toEqual([
    ['rows', 'Completed', null, 2, 1, 1, 2],
    ['wanted', 'Completed', 2, 1, 0, 0, 1],
    ['take', 'Completed', 1, null, 0, 0, 0],
  ]);
});

test('the line that ends a stream counts as well', async () => {
  const failed = ['Failed', 1, 0] as const;
  for (const read of [() => csv(['id\n1,2\n']), () => ndjson(['{']), () => csv([new Uint8Array([0xff, 0x0a])])]) {
    const [rows] = (await statsOf(read)) as [readonly unknown[]];
    expect([rows[1], rows[5], rows[6]]).toEqual(failed);
  }
});
