import { describe, expect, test } from 'vitest';
import type { FlowOptions, TaskOptions } from 'batuta';
import { definitionOf } from '../../../src/define/definition.ts';
import { makeFlow } from '../../support/make-flow.ts';

async function* rows(): AsyncGenerator<number> {
  yield 1;
}
async function* onward(all: AsyncIterable<number>): AsyncGenerator<number> {
  yield* all;
}
type Shapes = Readonly<Record<string, TaskOptions & { does?: (...args: never[]) => unknown }>>;
const plan = (tasks: Shapes, options: FlowOptions = {}) => definitionOf(makeFlow(tasks as never, options)).streams;

describe('a plan of streams', () => {
  test('is null in a flow without any, and where nobody needs the generator', () => {
    expect(plan({ a: {}, b: { needs: ['a'] } })).toBeNull();
    expect(plan({ rows: { does: rows } })).toBeNull();
    expect(plan({ rows: { does: rows }, each: { each: 'rows' } })).toBeNull();
  });

  test('holds who streams, and what is connected', () => {
    const made = plan({
      rows: { does: rows },
      onward: { needs: ['rows'], does: onward },
      a: { needs: ['onward'] },
      b: { needs: ['rows'] },
      c: { needs: ['b'] },
      others: { does: rows },
      d: { needs: ['others', 'c'] },
    });
    expect(made).toEqual({
      sources: new Set(['rows', 'onward', 'others']),
      segments: [
        ['rows', 'onward', 'b', 'a'],
        ['others', 'd'],
      ],
    });
  });

  test('takes what is spread by its flow out of that', () => {
    const { tasks } = definitionOf(makeFlow({ rows: { does: rows }, take: { needs: ['rows'] }, other: {} }, { spread: true }));
    expect([...tasks.values()].map(({ name, spread }) => [name, spread])).toEqual([
      ['rows', false],
      ['take', false],
      ['other', true],
    ]);
  });
});

describe('a stream is refused by name', () => {
  const take = { needs: ['rows'] };
  test.each<[string, Shapes, FlowOptions, string]>([
    ['that is spread', { rows: { does: rows, spread: true }, take }, {}, 'Made.rows streams, so it cannot be spread'],
    ['in a queue', { rows: { does: rows, queue: 'q' }, take }, {}, 'Made.rows streams, so it cannot be spread'],
    [
      'whose taker is spread',
      { rows: { does: rows }, take: { ...take, spread: true } },
      {},
      'Made.take takes a stream, so it cannot be spread',
    ],
    ['that is cached', { rows: { does: rows, cache: '1h' }, take }, {}, 'Made.rows streams, so it cannot be cached'],
    [
      'whose taker is cached',
      { rows: { does: rows }, take: { ...take, cache: '1h' } },
      {},
      'Made.take takes a stream, so it cannot be cached',
    ],
    ['in a thread', { rows: { does: rows, isolate: 'thread' }, take }, {}, 'Made.rows streams, so it cannot be isolated'],
    [
      'with a condition',
      { rows: { does: rows }, take: { ...take, when: () => true } },
      {},
      'Made.take takes a stream, so it has no condition',
    ],
    [
      'with a trigger',
      { rows: { does: rows }, take: { ...take, trigger: 'allDone' } },
      {},
      'Made.take takes a stream, so it has no trigger',
    ],
    [
      'with retries behind its source',
      { rows: { does: rows }, take: { ...take, retries: 1 } },
      {},
      'Made.take takes a stream, so it is retried together with its source',
    ],
    [
      'that is mapped over',
      { rows: { does: rows }, take, each: { each: 'rows' } },
      {},
      "Made.each runs once for each item of 'rows', which streams its records to 'take'",
    ],
    [
      'taken by a mapped task',
      { list: {}, rows: { does: rows }, take: { ...take, each: 'list' } },
      {},
      'Made.take takes a stream, so it cannot run once for each item',
    ],
    ['as the result', { rows: { does: rows }, take }, { result: 'rows' }, 'Made.rows streams, so it cannot be the result of the flow'],
    [
      'that nobody takes',
      { rows: { does: rows }, onward: { ...take, does: onward } },
      {},
      'Made.onward streams, and no task takes its records',
    ],
    [
      'that waits for itself',
      { rows: { does: rows }, take, other: { needs: ['rows'], after: ['take'] } },
      {},
      "Made.other waits for the end of 'take'",
    ],
    [
      'that waits for itself by others',
      { rows: { does: rows }, take, between: { after: ['take'] }, other: { needs: ['rows'], after: ['between'] } },
      {},
      "Made.other waits for the end of 'take' (take → between → other)",
    ],
  ])('%s', (_what, tasks, options, message) => {
    expect(() => plan(tasks, options)).toThrow(
      expect.objectContaining({ code: 'STREAM_MISUSED', message: expect.stringContaining(message) }),
    );
  });

  test.each([
    ['on what does not stream', { a: { buffer: 4 } }],
    ['of nothing', { rows: { does: rows, buffer: 0 }, take }],
    ['that is no number', { rows: { does: rows, buffer: '4' as never }, take }],
  ])('buffer %s', (_what, tasks) => {
    expect(() => plan(tasks)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID', message: expect.stringContaining('buffer') }));
  });
});
