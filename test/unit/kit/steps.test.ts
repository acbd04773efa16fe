import { describe, expect, test } from 'vitest';
import { background, forEach, parallel, pipeline, when } from 'batuta/steps';
import { testFlow } from 'batuta/testing';
import { definitionOf } from '../../../src/define/definition.ts';
import { describeFlow } from '../../../src/engine/submit/describe-flow.ts';
import { after, hang, ledger, takeOver } from '../../support/take-over.ts';

const noted =
  (name: string, given: object = {}) =>
  () => {
    ledger.push(name);
    return given;
  };

describe('a pipeline of steps', () => {
  test('gives each step the input and all that earlier steps returned, and all fields at its end', async () => {
    const seen: object[] = [];
    class Rate {
      readonly #by: number;
      constructor(by: number) {
        this.#by = by;
      }
      run(data: { total: number }) {
        seen.push(data);
        return { rated: data.total * this.#by };
      }
    }
    const Orders = pipeline<{ rows: readonly number[] }>('orders', { version: 'v1.0' }).steps([
      [(data: { rows: readonly number[] }) => ({ total: data.rows.length }), 'Count', 'v1.0'],
      [new Rate(3), 'Rate', 'v2.0'],
      [{ call: async (data: { rated: number }) => void seen.push(data) }, 'Look'],
    ]);
    const run = await testFlow(Orders, { rows: [1, 2] });
    expect(run.result).toEqual({ rows: [1, 2], total: 2, rated: 6 });
    expect(seen).toEqual([
      { rows: [1, 2], total: 2 },
      { rows: [1, 2], total: 2, rated: 6 },
    ]);
    expect(run.tasks.map(({ name, result }) => [name, result])).toEqual([
      ['Count', { total: 2 }],
      ['Rate', { rated: 6 }],
      ['Look', {}],
    ]);
    expect(await new Orders().run({ rows: [1] })).toEqual({ rows: [1], total: 1, rated: 3 });
  });

  test('is drawn as a graph before it runs, with the versions of its steps', () => {
    const Drawn = pipeline('drawn').steps([
      [() => ({ list: [1] }), 'Read', 'v1.0'],
      parallel([
        [() => ({ a: 1 }), 'A'],
        [
          [() => ({ b: 1 }), 'B'],
          [() => ({ c: 1 }), 'C'],
        ],
      ]),
      background([[() => ({}), 'Tell']]),
      forEach('list', { as: 'item', into: 'all' }, [[() => ({}), 'Each']]),
      when(() => true, [[() => ({}), 'Perhaps']]),
    ]);
    const { kind, graph } = describeFlow(definitionOf(Drawn), 0);
    const { nodes, edges } = graph as { nodes: Record<string, unknown>[]; edges: { from: string; to: string }[] };
    expect(kind).toBe('graph');
    expect(nodes.map(({ name, version, each, conditional }) => [name, version, each, conditional])).toEqual([
      ['Read', 'v1.0', null, false],
      ['A', null, null, false],
      ['B', null, null, false],
      ['C', null, null, false],
      ['Tell', null, null, false],
      ['Each', null, 'list', false],
      ['Perhaps', null, null, true],
    ]);
    const drawn = edges.map(({ from, to }) => `${from} ${to}`);
    expect(drawn).toEqual(['Read A', 'Read B', 'B C', 'A Tell', 'C Tell', 'A Each', 'C Each', 'Each Perhaps']);
  });

  test('tries a step again as its options say, and fails with the step that failed', async () => {
    let attempts = 0;
    const flaky = () => {
      attempts += 1;
      if (attempts < 3) throw new Error('not yet');
    };
    const never = (): never => {
      throw new Error('never');
    };
    const Flaky = pipeline('flaky').steps([
      [flaky, 'Flaky', { retries: 2, retryDelay: '1h' }],
      [never, 'Never'],
      [noted('after'), 'After'],
    ]);
    const run = await testFlow(Flaky, {});
    expect(run.tasks.map(({ name, state, attempts: made }) => [name, state.name, made])).toEqual([
      ['Flaky', 'Completed', 3],
      ['Never', 'Failed', 1],
    ]);
    expect(run.error?.message).toBe('never');
    const Slow = pipeline('slow').steps([[() => ({}), 'Slow', { timeout: '10s' }]]);
    expect(definitionOf(Slow).tasks.get('Slow')?.timeoutMs).toBe(10_000);
  });

  test('skips steps whose condition does not hold, those of groups within them too', async () => {
    const Conditions = pipeline('conditions').steps([
      [() => ({ list: [1, 2] }), 'Read'],
      when(
        () => false,
        [[noted('a'), 'A'], when(() => true, [[noted('b'), 'B']]), forEach('list', { as: 'item', into: 'all' }, [[noted('c'), 'C']])],
      ),
      when(async () => true, [[() => ({ d: 1 }), 'D'], when(() => false, [[noted('e'), 'E']]), [() => ({ f: 1 }), 'F']]),
    ]);
    ledger.length = 0;
    const run = await testFlow(Conditions, {});
    expect(ledger).toEqual([]);
    expect(run.result).toEqual({ list: [1, 2], d: 1, f: 1 });
    expect(run.tasks.map(({ name, state }) => [name, state.name])).toEqual([
      ['Read', 'Completed'],
      ['A', 'Skipped'],
      ['B', 'Skipped'],
      ['D', 'Completed'],
      ['E', 'Skipped'],
      ['F', 'Completed'],
    ]);
  });

  test('a loop runs its steps for each item, no more at the same time than it may, and gives a list', async () => {
    let [now, most] = [0, 0];
    const slow = async ({ item }: { item: number }) => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setImmediate(resolve));
      now -= 1;
      return { twice: item * 2 };
    };
    const Loop = pipeline<{ list: readonly number[] }>('loop').steps([
      forEach('list', { as: 'item', into: 'given', concurrency: 2 }, [
        [slow, 'Twice'],
        [({ twice }: { twice: number }) => ({ more: twice + 1 }), 'More'],
      ]),
    ]);
    const run = await testFlow(Loop, { list: [1, 2, 3] });
    expect(run.result?.given).toEqual([1, 2, 3].map((item) => ({ twice: item * 2, more: item * 2 + 1 })));
    expect(most).toBe(2);
    expect((await testFlow(Loop, { list: [] })).result).toEqual({ list: [], given: [] });
    const none = await testFlow(Loop, { list: 'abc' } as never);
    expect(none.error?.code).toBe('STEP_RESULT_INVALID');
  });

  test('a loop begins no further item once a step has failed, and ends what is under way', async () => {
    ledger.length = 0;
    const work = async ({ item }: { item: string }): Promise<void> => {
      ledger.push(item);
      if (item === 'bad') throw new Error('bad item');
      await new Promise((resolve) => setTimeout(resolve, 1));
      ledger.push(`${item} ended`);
    };
    const Failing = pipeline<{ list: readonly string[] }>('failing').steps([
      forEach('list', { as: 'item', into: 'all', concurrency: 2 }, [
        [work, 'Work'],
        [noted('next'), 'Next'],
      ]),
    ]);
    const run = await testFlow(Failing, { list: ['bad', 'slow', 'never'] });
    expect(run.error?.message).toBe('bad item');
    expect(ledger).toEqual(['bad', 'slow', 'slow ended', 'next']);
  });

  test('items of a loop are what steps gave, whatever they hold', async () => {
    const Maps = pipeline('maps').steps([
      [() => ({ list: [new Map([['a', 1]]), new Map([['b', 2]])], bytes: new Uint8Array([1, 2]), at: new Date(0) }), 'Read'],
      forEach('list', { as: 'map', into: 'sizes' }, [[({ map }: { map: Map<string, number> }) => ({ keys: [...map.keys()] }), 'Keys']]),
      [(data: { list: Map<string, number>[]; bytes: Uint8Array }) => ({ again: data.list[0], sum: data.bytes.length }), 'Again'],
    ]);
    const run = await testFlow(Maps, {});
    expect(run.error).toBeNull();
    expect(run.result).toMatchObject({ sizes: [{ keys: ['a'] }, { keys: ['b'] }], again: new Map([['a', 1]]), sum: 2, at: new Date(0) });
  });

  test('steps in the background hold nothing up, give nothing, and fail the run when they fail', async () => {
    ledger.length = 0;
    const late = async (): Promise<never> => {
      await new Promise((resolve) => setImmediate(resolve));
      ledger.push('late');
      throw new Error('too bad');
    };
    const Beside = pipeline('beside').steps([background([[late, 'Late']]), [noted('next', { next: 1 }), 'Next']]);
    const run = await testFlow(Beside, {});
    expect(ledger).toEqual(['next', 'late']);
    expect([run.state.name, run.error?.message]).toEqual(['Failed', 'too bad']);
  });

  test('a pipeline within it runs its steps under its name, as often as it is named', async () => {
    const Half = pipeline<{ total: number }>('half').steps([[({ total }: { total: number }) => ({ half: total / 2 }), 'Halve']]);
    const Outer = pipeline<{ total: number }>('outer').steps([
      [Half, 'First'],
      [({ half }: { half: number }) => ({ total: half }), 'Take'],
      [Half, 'Second'],
    ]);
    const run = await testFlow(Outer, { total: 8 });
    expect(run.result).toEqual({ total: 4, half: 2 });
    expect(run.tasks.map(({ name }) => name)).toEqual(['First: Halve', 'Take', 'Second: Halve']);
  });

  test('warns of a field that is given twice, and refuses it when it is strict', async () => {
    const steps = [
      [() => ({ a: 1 }), 'One'],
      [() => ({ a: 2 }), 'Two'],
      [(data: { a: number }) => ({ ...data, b: 1 }), 'Three'],
    ] as const;
    const loose = await testFlow(pipeline('loose').steps(steps), {});
    expect(loose.result).toEqual({ a: 2, b: 1 });
    expect(loose.logs.map(({ message }) => message)).toEqual([
      "Step 'Two' returned 'a', already in the data; from here on it holds the newer value.",
    ]);
    const strict = await testFlow(pipeline('strict', { strict: true }).steps(steps), {});
    expect([strict.error?.code, strict.tasks.map(({ state }) => state.name)]).toEqual(['STEP_CLASH', ['Completed', 'Failed']]);
    const beside = pipeline('beside', { strict: true }).steps([
      parallel([
        [() => ({ a: 1 }), 'A'],
        [() => ({ a: 2 }), 'B'],
      ]),
    ]);
    expect((await testFlow(beside, {})).error?.code).toBe('STEP_CLASH');
  });

  test('no step can change what others see', async () => {
    const Changing = pipeline<{ rows: readonly number[] }>('changing').steps([
      [() => ({ map: new Map([['a', 1]]) }), 'Map'],
      [(data: { rows: readonly number[] }) => void (data.rows as number[]).push(4), 'Push'],
    ]);
    const run = await testFlow(Changing, { rows: [1] });
    expect(run.error?.message).toMatch(/not extensible/);
    const Setting = pipeline('setting').steps([
      [() => ({ map: new Map([['a', 1]]) }), 'Map'],
      [(data: { map: Map<string, number> }) => void data.map.set('b', 1), 'Set'],
    ]);
    expect((await testFlow(Setting, {})).error?.message).toMatch(/Cannot change this Map/);
  });

  test('refuses what a step may not give, and an input that is no object', async () => {
    for (const value of [7, 'text', [1], new Date(0)]) {
      const run = await testFlow(pipeline('odd').steps([[() => value, 'Odd']]), {});
      expect(run.error).toMatchObject({ code: 'STEP_RESULT_INVALID', message: expect.stringContaining("Step 'Odd' returned a") });
    }
    await expect(testFlow(pipeline('any').steps([[() => ({}), 'Any']]), [1] as never)).rejects.toMatchObject({ code: 'PARAMS_INVALID' });
  });

  test('verbose logs each step as it begins and ends', async () => {
    const run = await testFlow(pipeline('loud', { verbose: true }).steps([[() => ({ a: 1 }), 'One', 'v1.0']]), {});
    expect(run.logs.map(({ message }) => message.replace(/[\d.]+ ms/, 'N ms'))).toEqual([
      'One v1.0 begins',
      'One v1.0 took N ms and returned a',
    ]);
  });
});

describe('a pipeline that is taken over', () => {
  const asked: string[] = [];
  const steps = (last: () => unknown) =>
    pipeline<{ list: readonly string[] }>('taken').steps([
      [noted('first', { first: new Map([['a', 1]]) }), 'First'],
      forEach('list', { as: 'item', into: 'all' }, [[({ item }: { item: string }) => (ledger.push(item), { said: item }), 'Each']]),
      when(
        () => asked.push('asked') === 1,
        [
          [noted('b', { b: 1 }), 'B'],
          [last, 'Last'],
          [noted('more', { more: 1 }), 'More'],
        ],
      ),
      when(() => false, [[noted('c'), 'C']]),
      [noted('end', { end: 1 }), 'End'],
    ]);

  test('runs only what is not recorded, on the same data, and keeps to what a condition came to', async () => {
    asked.length = 0;
    const { run, result, rows } = await takeOver(steps(hang), steps(noted('last')), { params: { list: ['x', 'y'] } });
    expect(run.state.name).toBe('Completed');
    expect(after()).toEqual(['last', 'more', 'end']);
    expect(asked).toEqual(['asked']);
    expect(result).toEqual({ list: ['x', 'y'], first: new Map([['a', 1]]), all: [{ said: 'x' }, { said: 'y' }], b: 1, more: 1, end: 1 });
    expect(rows.filter(({ state }) => state.name === 'Skipped').map(({ name }) => name)).toEqual(['C']);
  });
});
