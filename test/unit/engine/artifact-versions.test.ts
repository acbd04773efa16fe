/** Versions by key: one for each content that a run gives, however often its code runs again. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Flow, type FlowContext, Task, type TaskContext } from 'batuta';
import { gate, makeFlow } from '../../support/make-flow.ts';
import { ownEngine, ownFolder } from '../../support/own-engine.ts';
import { png } from '../../support/images.ts';
import { freeze, hang } from '../../support/take-over.ts';

describe('versions', () => {
  test('are added by each run that gives other content, and kept by one that gives the same', async () => {
    let n = 0;
    const flow = makeFlow({ work: { does: (ctx: TaskContext) => ctx.artifact.table('rates', [{ n }], { key: 'rates' }) } });
    const { client } = await ownEngine({ flows: [flow] });
    for (n of [1, 2, 2]) await (await client.submit(flow)).done();
    const { items } = await client.artifacts.list({ key: 'rates' });
    expect(items.map(({ data }) => data)).toEqual([[{ n: 2 }], [{ n: 2 }], [{ n: 1 }]]);
    expect(items[0]?.sha256).toBe(items[1]?.sha256);
    expect(items[0]?.sha256).not.toBe(items[2]?.sha256);
    expect((await client.artifacts.keys()).items).toMatchObject([{ key: 'rates', versions: 3 }]);
  });

  test('are not added again by an attempt that gives the same, and are by one that gives other content', async () => {
    const folder = ownFolder();
    const does = async ({ artifact, task }: TaskContext): Promise<void> => {
      for (const text of ['a', 'b', 'a']) await artifact.markdown('note', text, { key: 'note' });
      await artifact.image('plot', png, { key: 'plot' });
      await artifact.file('late', Buffer.from(`${task.attempt}`), { key: 'late' });
      if (task.attempt < 3) throw new Error('again');
    };
    const flow = makeFlow({ work: { does, retries: 2, retryDelay: 1 } });
    const { client, store } = await ownEngine({ results: folder });
    const run = await (await client.submit(flow)).done();
    expect(run.state.name).toBe('Completed');
    const versions = async (key: string) => (await client.artifacts.list({ key })).items;
    expect((await versions('note')).map(({ data }) => data)).toEqual(['a', 'b', 'a']);
    expect([(await versions('plot')).length, (await versions('late')).length]).toEqual([1, 3]);
    expect(await store.resultRefs(run.id)).toHaveLength(4);
  });

  test('are not added again by the body of a code flow that goes on elsewhere after its owner was lost', async () => {
    let hangs = true;
    @Flow({ name: 'reporting' })
    class Reporting {
      @Task()
      async one(): Promise<number> {
        return 1;
      }
      async run(_: unknown, ctx: FlowContext): Promise<void> {
        await ctx.artifact.markdown('start', 'begun');
        await ctx.artifact.json('state', { at: 1 }, { key: 'state' });
        await ctx.artifact.file('log', Buffer.from('line\n'), { key: 'log' });
        await this.one();
        if (hangs) await hang();
        await ctx.artifact.json('state', { at: 2 }, { key: 'state' });
      }
    }
    const { handle, openOther } = await freeze(Reporting);
    hangs = false;
    const { client, store } = await openOther({ isOwnerGone: () => true, flows: [Reporting] });
    const run = await (await client.runs.resume(handle.id)).done();
    expect(run.state.name).toBe('Completed');
    const { artifacts } = await client.runs.inspect(run.id);
    expect(artifacts.map(({ name, data, kind }) => [name, kind === 'file' ? null : data])).toEqual([
      ['start', 'begun'],
      ['state', { at: 1 }],
      ['log', null],
      ['state', { at: 2 }],
    ]);
    expect(await store.resultRefs(run.id)).toHaveLength(1);
  });

  test('under a key of 200 characters are kept, however many units of UTF-16 those are', async () => {
    const key = '🤖'.repeat(200);
    const flow = makeFlow({ work: { does: (ctx: TaskContext) => ctx.artifact.json('a', 1, { key }) } });
    const { client } = await ownEngine({ flows: [flow] });
    await (await client.submit(flow)).done();
    expect((await client.artifacts.keys()).items).toMatchObject([{ key, versions: 1 }]);
  });

  test.each([[''], [' a'], ['a\nb'], ['x'.repeat(201)], [7 as never]])('under the key %j are refused', async (key) => {
    const flow = makeFlow({ work: { does: (ctx: TaskContext) => ctx.artifact.json('a', 1, { key }) } });
    const { client } = await ownEngine();
    expect((await (await client.submit(flow)).done()).error?.code).toBe('ARTIFACT_INVALID');
  });
});

describe('a progress', () => {
  test('is one bar by name, recorded as it began and as it ended, however often it was given', async () => {
    const flow = makeFlow({
      work: {
        does: ({ artifact }: TaskContext) => {
          for (let n = 0; n <= 1_000; n++) artifact.progress('rows', n / 1_000, `${n} rows`);
          artifact.progress('half', { percent: 50 });
        },
      },
    });
    const { client } = await ownEngine();
    const run = await (await client.submit(flow)).done();
    const { artifacts } = await client.runs.inspect(run.id);
    expect(artifacts.map(({ kind, name, data }) => [kind, name, data])).toEqual([
      ['progress', 'rows', { value: 1, label: '1000 rows', updated: expect.any(Number) }],
      ['progress', 'half', { value: 0.5, label: null, updated: expect.any(Number) }],
    ]);
  });

  test('that an ended attempt still gives is dropped, and the next one goes on with the same bar', async () => {
    const [second, late] = [gate(), gate()];
    const does = async ({ artifact, task }: TaskContext): Promise<void> => {
      if (task.attempt === 1) {
        artifact.progress('rows', 0.7);
        void second.opened.then(() => artifact.progress('rows', 0.9)).then(() => late.open());
        throw new Error('it broke');
      }
      second.open();
      await late.opened;
      artifact.progress('rows', 0.2);
    };
    const { client } = await ownEngine();
    const run = await (await client.submit(makeFlow({ work: { does, retries: 1, retryDelay: 1 } }))).done();
    expect((await client.runs.inspect(run.id)).artifacts).toMatchObject([{ name: 'rows', data: { value: 0.2 } }]);
  });

  test.each([[-0.1], [1.1], [Number.NaN], [{ percent: 101 }], ['0.5' as never], [null as never]])('of %j is refused', async (value) => {
    const flow = makeFlow({ work: { does: ({ artifact }: TaskContext) => artifact.progress('rows', value) } });
    const { client } = await ownEngine();
    expect((await (await client.submit(flow)).done()).error?.code).toBe('ARTIFACT_INVALID');
  });
});

describe('a chart', () => {
  const chartOf = async (chart: unknown, settings = {}) => {
    const flow = makeFlow({ work: { does: ({ artifact }: TaskContext) => artifact.chart('delays', chart as never) } });
    const { client } = await ownEngine({ settings });
    const run = await (await client.submit(flow)).done();
    return run.error?.code ?? (await client.runs.inspect(run.id)).artifacts[0]?.data;
  };

  test('is recorded with numbers for dates, in ascending order, and words in theirs', async () => {
    const day = (n: number): Date => new Date(Date.UTC(2026, 0, n));
    expect(await chartOf({ x: [day(2), day(1)], series: { a: [2, 1], b: [null, 4] }, unit: 'ms' })).toEqual({
      type: 'line',
      axis: 'time',
      x: [day(1).getTime(), day(2).getTime()],
      series: [
        { name: 'a', values: [1, 2] },
        { name: 'b', values: [4, null] },
      ],
      unit: 'ms',
    });
    expect(await chartOf({ type: 'bar', x: ['z', 'a'], series: { n: [1, 2] } })).toMatchObject({ axis: 'category', x: ['z', 'a'] });
    expect(await chartOf({ x: ['2026-01-01'], axis: 'time', series: { n: [1] } })).toMatchObject({ x: [day(1).getTime()] });
  });

  test.each([
    [null],
    [{ x: [1], series: {} }],
    [{ x: [1], series: { a: [1, 2] } }],
    [{ x: [1], series: { a: [Number.POSITIVE_INFINITY] } }],
    [{ x: [1], series: { a: ['1'] } }],
    [{ x: ['soon'], axis: 'time', series: { a: [1] } }],
    [{ type: 'pie', x: [1], series: { a: [1] } }],
    [{ x: [1], series: Object.fromEntries(Array.from({ length: 13 }, (_, at) => [`s${at}`, [1]])) }],
  ])('that cannot be drawn is refused: %j', async (chart) => expect(await chartOf(chart)).toBe('ARTIFACT_INVALID'));

  test('of more points than are allowed, or of more bytes, is refused', async () => {
    const chart = { x: [1, 2, 3], series: { a: [1, 2, 3], b: [1, 2, 3] } };
    expect(await chartOf(chart, { maxChartPoints: 5 })).toBe('ARTIFACT_TOO_LARGE');
    expect(await chartOf(chart, { maxArtifactBytes: 50 })).toBe('ARTIFACT_TOO_LARGE');
    expect(await chartOf(chart, { maxChartPoints: 6 })).toMatchObject({ type: 'line' });
  });
});

test('a path is read where the task runs', async () => {
  const folder = ownFolder();
  writeFileSync(join(folder, 'a b.txt'), 'text');
  const flow = makeFlow({ work: { does: (ctx: TaskContext) => ctx.artifact.file('report', { path: join(folder, 'a b.txt') }) } });
  const { client } = await ownEngine();
  const run = await (await client.submit(flow)).done();
  const content = await client.artifacts.content((await client.runs.inspect(run.id)).artifacts[0]?.id ?? '');
  expect([content.fileName, content.type, content.bytes]).toEqual(['a b.txt', 'text/plain', 4]);
});
