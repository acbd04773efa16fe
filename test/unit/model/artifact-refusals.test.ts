/** What tasks may not show is refused in one sentence that names the artifact and what was given. */
import { describe, expect, test } from 'vitest';
import { openSource } from '../../../src/base/byte-source.ts';
import { artifactWriter } from '../../../src/model/artifact-writer.ts';
import { artifactText } from '../../../src/model/task-context.ts';

const kept: unknown[] = [];
const writer = artifactWriter({
  put: async (wish) => void kept.push(wish),
  putFile: async (wish) => void kept.push(wish),
  setProgress: (name, value) => void kept.push([name, value]),
});

test.each<[unknown, string]>([
  [Number.NaN, 'not NaN.'],
  [2, 'not 2.'],
  ['0.5', "not '0.5'."],
  [{ percent: null }, 'not { percent: null }.'],
  [{ percent: '50' }, "not { percent: '50' }."],
  [null, 'not null.'],
])('progress of %j', (value, message) => {
  expect(() => writer.progress('bar', value as number)).toThrow(
    expect.objectContaining({ code: 'ARTIFACT_INVALID', message: expect.stringContaining(message) }),
  );
});

test('options that are null are none', async () => {
  await writer.json('a', 1, null as never);
  await writer.file('b', new Uint8Array(1), null as never);
  expect(kept).toMatchObject([
    { name: 'a', key: null },
    { name: 'b', key: null },
  ]);
});

test('places of a chart that are missing', async () => {
  await expect(writer.chart('c', { x: Array<number>(2), series: { a: [1, 2] } })).rejects.toMatchObject({
    code: 'ARTIFACT_INVALID',
    message: "The chart 'c' cannot be drawn: x holds undefined, which is no place on an axis of number.",
  });
});

describe('the source of a file', () => {
  test.each<[unknown, string]>([
    [
      new URL('https://example.com/a'),
      "The artifact 'f' is given the address https://example.com/a: give it bytes, { path }, or a stream of bytes, such as the body of a response of fetch.",
    ],
    ['text', "The artifact 'f' is given a string: give it bytes, { path }, or a stream of bytes; for a text Buffer.from(text)."],
    [{}, "The artifact 'f' is given an object: give it bytes, { path }, or a stream of bytes."],
    [undefined, "The artifact 'f' is given undefined: give it bytes, { path }, or a stream of bytes."],
  ])('%s', (source, message) => {
    expect(() => openSource(source, 'f')).toThrow(expect.objectContaining({ code: 'ARTIFACT_INVALID', message }));
  });
});

describe('data that is no JSON', () => {
  const circle: { deep: unknown } = { deep: null };
  circle.deep = { circle };
  test.each<[unknown, string]>([
    [[{ id: 1 }, { id: 2, deep: { count: 3n } }], 'it holds a bigint at 1.deep.count; write it as a text or a number.'],
    [1n, 'it holds a bigint; write it as a text or a number.'],
    [circle, 'Converting circular structure to JSON.'],
  ])('%o', (data, message) => {
    expect(() => artifactText('t', data)).toThrow(
      expect.objectContaining({ code: 'RESULT_NOT_SERIALIZABLE', message: `The artifact 't' is not plain JSON: ${message}` }),
    );
  });
});
