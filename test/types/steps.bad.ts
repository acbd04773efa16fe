/** Pipelines that must not compile. A line that starts to compile makes its `@ts-expect-error` an error. Never run. */
import { z } from 'zod';
import { background, forEach, parallel, pipeline, when } from '../../src/kit/steps/index.ts';
import { run } from '../../src/index.ts';

const read = (data: { file: string }) => ({ rows: [data.file.length] });
const sum = (data: { rows: readonly number[] }) => ({ total: data.rows.length });
class Rate {
  run(data: { total: number }): { rate: number } {
    return { rate: data.total };
  }
}
class Call {
  call(data: { total: number }): void {
    console.log(data);
  }
}
const Inner = pipeline<{ rate: number }>('inner').steps([[(data: { rate: number }) => ({ half: data.rate / 2 }), 'Halve']]);
const start = pipeline<{ file: string }>('start');

// @ts-expect-error case 1: nobody gives the field
start.steps([[sum, 'Sum']]);
start.steps([
  // @ts-expect-error case 2: it is given by a later step
  [sum, 'Sum'],
  [read, 'Read'],
]);
// @ts-expect-error case 3: the input has no such field
pipeline('none').steps([[read, 'Read']]);
// @ts-expect-error case 4: the schema gives another type
pipeline('typed', { params: z.object({ file: z.number() }) }).steps([[read, 'Read']]);
start.steps([
  [read, 'Read'],
  // @ts-expect-error case 5: an object that needs what nobody gives
  [new Rate(), 'Rate'],
]);
start.steps([
  [read, 'Read'],
  // @ts-expect-error case 6: the same, called by call
  [new Call(), 'Call'],
]);
// @ts-expect-error case 7: a pipeline within it that needs what nobody gives
start.steps([[Inner, 'Inner']]);
// @ts-expect-error case 8: a condition over what nobody gives
start.steps([when((data: { rows: number[] }) => data.rows.length > 0, [[read, 'Read']])]);
// @ts-expect-error case 9: a step below a condition
start.steps([when((data: { file: string }) => data.file !== '', [[sum, 'Sum']])]);
// @ts-expect-error case 10: what a condition may leave out is not there for sure
start.steps([when(() => true, [[read, 'Read']]), [sum, 'Sum']]);
// @ts-expect-error case 11: no list
start.steps([forEach('file', { as: 'row', into: 'all' }, [[read, 'Read']])]);
// @ts-expect-error case 12: no such field
start.steps([[read, 'Read'], forEach('row', { as: 'row', into: 'all' }, [[read, 'Again']])]);
// @ts-expect-error case 13: items of another type
start.steps([[read, 'Read'], forEach('rows', { as: 'row', into: 'all' }, [[(_data: { row: string }) => ({}), 'Each']])]);
start.steps([
  [read, 'Read'],
  forEach('rows', { as: 'row', into: 'all' }, [[() => ({}), 'Each']]),
  // @ts-expect-error case 14: the item is gone after the loop
  [(_data: { row: number }) => ({}), 'After'],
]);
start.steps([
  // @ts-expect-error case 15: steps at the same time do not see each other
  parallel([
    [read, 'Read'],
    [sum, 'Sum'],
  ]),
]);
// @ts-expect-error case 16: what runs in the background gives nothing
start.steps([background([[read, 'Read']]), [sum, 'Sum']]);
// @ts-expect-error case 17: the name is missing
start.steps([[read]]);
// @ts-expect-error case 18: no such option
start.steps([[read, 'Read', 'v1', { retry: 3 }]]);
start.steps([
  [read, 'Read'],
  // @ts-expect-error case 19: another type
  [(data: { rows: string[] }) => ({ text: data.rows }), 'Join'],
]);

export async function use(): Promise<void> {
  const Read = start.steps([[read, 'Read']]);
  // @ts-expect-error case 20: parameters of another type
  await run(Read, { file: 7 });
  // @ts-expect-error case 21: what nobody gives is not in the result
  console.log((await run(Read, { file: 'a' })).total);
  // @ts-expect-error case 22: no such option
  pipeline('other', { strickt: true });
}
