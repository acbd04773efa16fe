import { describe, expect, test } from 'vitest';
import { forEach, parallel, pipeline, when } from 'batuta/steps';
import { testFlow } from 'batuta/testing';

describe('a list of steps that is wrong', () => {
  const ok = () => ({});
  const build = (steps: unknown, options: object = {}) => {
    try {
      return pipeline('wrong', options).steps(steps as never) && 'accepted';
    } catch (error) {
      return `${(error as { code: string }).code} ${(error as Error).message}`;
    }
  };
  test.each<[unknown, string]>([
    [[], "PIPELINE_INVALID Pipeline 'wrong': steps has no step"],
    ['steps', "PIPELINE_INVALID Pipeline 'wrong': steps is no list of steps"],
    [[[ok]], "PIPELINE_INVALID Pipeline 'wrong': steps[0] has no name"],
    [[['ok', 'One']], "steps[0] ('One') is neither a function nor an object with a method run(data) or call(data)"],
    [[[class Step {}, 'One']], "steps[0] ('One') is neither a function nor an object"],
    [[null], 'steps[0] is no step'],
    [
      [
        [ok, 'One'],
        [ok, 'One'],
      ],
      "TASK_DUPLICATE Pipeline 'wrong': two steps are named 'One', at steps[0] and at steps[1]",
    ],
    [[[ok, 'run']], "steps[0] cannot be named 'run'"],
    [[[ok, 'a/b']], 'NAME_INVALID'],
    [
      [[ok, 'One', 'v1', { retrys: 2 }]],
      "OPTION_UNKNOWN Pipeline 'wrong': steps[0] ('One') has no option 'retrys'. Did you mean 'retries'?",
    ],
    [[[ok, 'One', 'v1', { retries: -1 }]], 'OPTION_INVALID Wrong.One: retries'],
    [[[ok, 'One', 'v1', { timeout: 'soon' }]], 'DURATION_INVALID'],
    [[when(ok as never, [])], 'steps[0].steps has no step'],
    [[when('x' as never, [[ok, 'One']])], 'steps[0] has a condition that is no function'],
    [[forEach('list', { as: '', into: 'all' }, [[ok, 'One']])], 'steps[0] needs the names of two fields'],
    [[forEach('list', { as: 'a', into: 'b', concurrency: 0 }, [[ok, 'One']])], 'steps[0] has concurrency 0'],
    [[parallel([])], 'steps[0] has no step'],
    [
      [
        parallel([
          [
            [ok, 'A'],
            [7, 'B'],
          ],
        ] as never),
      ],
      "steps[0].steps[0][1] ('B') is neither a function",
    ],
  ])('%j is refused with its place', (steps, message) => {
    expect(build(steps)).toContain(message);
  });

  test('pipelines that run each other in their code without an end are refused with the circle, those that end are not', async () => {
    const made: { A?: ReturnType<typeof make>; B?: ReturnType<typeof make> } = {};
    const make = (name: string, next: () => unknown) =>
      pipeline<{ depth?: number }>(name).steps([[next, 'Next']] as never) as never as new () => { run(data: object): Promise<object> };
    made.A = make('a', () => made.B && new made.B().run({}));
    made.B = make('b', () => made.A && new made.A().run({}));
    const { A } = made;
    await expect(new A().run({})).rejects.toMatchObject({
      code: 'PIPELINE_CYCLE',
      message: 'Pipelines run each other in their code without an end: a → b → a, 100 levels deep. Let one of them stop.',
    });
    const flow = await testFlow(A as never);
    expect(flow.task('Next').error).toMatchObject({ code: 'PIPELINE_CYCLE' });
    const Down: ReturnType<typeof make> = make('down', (({ depth }: { depth: number }) =>
      depth === 0 ? { end: true } : new Down().run({ depth: depth - 1 })) as never);
    expect(await new Down().run({ depth: 90 })).toMatchObject({ end: true });
  });

  test('pipelines and lists that stand in each other are refused with the circle', () => {
    const inner: unknown[] = [[ok, 'One']];
    const Inner = pipeline('inner').steps(inner as never);
    const Outer = pipeline('outer').steps([[Inner, 'Inner']] as never);
    inner.push([Outer, 'Outer']);
    expect(build([[Outer, 'All']])).toBe(
      "PIPELINE_CYCLE Pipeline 'wrong': steps[0] ('All')[0] ('Inner')[1] ('Outer') leads back to steps[0] ('All'), in a circle. Take one of them out.",
    );
    for (const group of [(list: never) => when(ok as never, list), (list: never) => parallel(list)]) {
      const list: unknown[] = [[ok, 'One']];
      list.push(group(list as never));
      expect(build(list)).toContain("PIPELINE_CYCLE Pipeline 'wrong': steps[1].steps leads back to steps, in a circle");
    }
    const Twice = pipeline('twice').steps([[ok, 'One']]);
    expect(
      build([
        [Twice, 'A'],
        [Twice, 'B'],
      ]),
    ).toBe('accepted');
  });

  test('options that do not exist are refused with the nearest', () => {
    expect(build([[ok, 'One']], { strickt: true })).toBe(
      "OPTION_UNKNOWN Pipeline 'wrong': there is no option 'strickt'. Did you mean 'strict'?",
    );
    expect(build([[ok, 'One']], { spread: true })).toContain("there is no option 'spread'");
    expect(build([[ok, 'One']], { strict: 'yes' })).toContain('strict must be true or false');
  });
});

test.each<[string, () => unknown, string]>([
  ['a generator', function* () {}, "Step 'One' returned a Generator."],
  ['an async generator', async function* () {}, "Step 'One' returned an AsyncGenerator."],
  ['an error', () => new Error('x'), "Step 'One' returned an Error."],
])('%s is refused as what a step returns, by its name', async (_what, step, message) => {
  const { error } = await testFlow(pipeline('one').steps([[step as never, 'One']]));
  expect(error?.message).toContain(message);
});

test('input that is no object is refused in one sentence', async () => {
  await expect(testFlow(pipeline('one').steps([[() => ({}), 'One']]), [1] as never)).rejects.toMatchObject({
    code: 'PARAMS_INVALID',
    message: 'The parameters do not fit flow one: A pipeline takes an object, not a list.',
  });
});
