/** Pipelines that must compile. Never run. */
import { z } from 'zod';
import { background, forEach, parallel, pipeline, when } from '../../src/kit/steps/index.ts';
import { run } from '../../src/index.ts';

const read = (data: { file: string }) => ({ rows: [data.file.length] });
const sum = async (data: { rows: readonly number[] }) => ({ total: data.rows.length });
class Rate {
  run(data: { total: number }): { rate: number } {
    return { rate: data.total };
  }
}
class Note {
  call(_data: object): void {}
}

const Inner = pipeline<{ rate: number }>('inner').steps([[(data: { rate: number }) => ({ half: data.rate / 2 }), 'Halve']]);

export const All = pipeline('all', { params: z.object({ file: z.string().default('a') }), strict: true, verbose: true }).steps([
  [read, 'Read', 'v1.0'],
  [sum, 'Sum', 'v1.0', { retries: 2, timeout: '5s' }],
  [new Rate(), 'Rate', { tags: ['fast'] }],
  [new Note(), 'Note'],
  [Inner, 'Inner'],
  [(data, ctx) => ctx.log.info(data), 'Untyped'],
  when(
    (data: { rate: number }) => data.rate > 1,
    [
      [() => ({ high: true }), 'High'],
      [(data: { high: boolean }) => ({ higher: data.high }), 'Higher'],
    ],
  ),
  forEach('rows', { as: 'row', into: 'roots' }, [[(data: { row: number; total: number }) => ({ root: data.row }), 'Root']]),
  forEach((data: { rows: readonly number[] }) => data.rows.map(String), { as: 'text', into: 'texts', concurrency: 2 }, [
    [(data: { text: string }) => ({ length: data.text.length }), 'Measure'],
  ]),
  parallel([
    [() => ({ a: 1 }), 'A'],
    [
      [() => ({ b: 1 }), 'B'],
      [(data: { b: number }) => ({ c: data.b }), 'C'],
    ],
  ]),
  background([[(_data: { a: number }) => ({ unseen: 1 }), 'Beside']]),
  [
    (data: { half: number; high?: boolean; roots: { root: number }[]; texts: { length: number }[]; a: number; c: number }) => ({
      end: data.half,
    }),
    'End',
  ],
]);

export async function use(): Promise<void> {
  const all = await run(All, {});
  const [end, high, root]: [number, boolean | undefined, number | undefined] = [all.end, all.high, all.roots[0]?.root];
  const half = await new Inner().run({ rate: 1 });
  const fields: { rate: number; half: number } = half;
  const loose = pipeline.fromYaml({ text: '' }, { functions: { read }, params: z.object({ file: z.string() }) });
  const given: unknown = (await run(loose, { file: 'a' }))['anything'];
  console.log(end, high, root, fields, given);
}
