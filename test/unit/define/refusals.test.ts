import { describe, expect, test } from 'vitest';
import { definitionOf } from '../../../src/define/definition.ts';
import { compilers, defineFlows } from '../../support/compile-flows.ts';

const [, , standard] = compilers;
if (!standard) throw new Error('no compiler');

/** What is thrown for a class called Etl, at its definition or when it is first used. */
async function refusal(code: string): Promise<unknown> {
  try {
    const { Etl } = await defineFlows(standard as (typeof compilers)[number], code);
    definitionOf(Etl as never);
    return 'nothing';
  } catch (error) {
    return error;
  }
}
const withTask = (options: string, more = ''): string =>
  `@Flow() class Etl { @Task(${options}) join() {} @Task() flights() {} @Task() airports() {} ${more} }`;
const withFlow = (options: string): string => `@Flow(${options}) class Etl { @Task() a() {} }`;

describe('a mistake is told with class, method and the mend', () => {
  test.each([
    ['OPTION_INVALID', withFlow(`{ slots: 0 }`), `Etl: slots must be a whole number from 1 to 10000, not 0.`],
    ['OPTION_INVALID', withFlow(`{ slots: 1.5 }`), `Etl: slots must be a whole number from 1 to 10000, not 1.5.`],
    ['OPTION_INVALID', withFlow(`{ slots: '2' }`), `Etl: slots must be a whole number from 1 to 10000, not '2'.`],
    ['OPTION_INVALID', withTask(`{ slots: -1 }`), `Etl.join: slots must be a whole number from 1 to 10000, not -1.`],
    [
      'OPTION_INVALID',
      withTask(`{ slots: 2 }`),
      `Etl.join: slots has no effect here; give the flow maxParallelTasks or the task isolate or spread, or leave it out.`,
    ],
    [
      'OPTION_INVALID',
      `@Flow({ maxParallelTasks: 2 }) class Etl { @Task({ slots: 3 }) join() {} }`,
      `Etl.join: slots is 3, but the flow has maxParallelTasks: 2, so it could never begin.`,
    ],
    ['NEED_UNKNOWN', withTask(`{ needs: ['flight'] }`), `Etl.join needs 'flight', which is no task of Etl. Did you mean 'flights'?`],
    [
      'NEED_UNKNOWN',
      withTask(`{ needs: ['zzz'] }`),
      `Etl.join needs 'zzz', which is no task of Etl. The tasks are: join, flights, airports.`,
    ],
    [
      'NEED_UNKNOWN',
      withTask(`{ after: ['airport'] }`),
      `Etl.join comes after 'airport', which is no task of Etl. Did you mean 'airports'?`,
    ],
    [
      'NEED_UNKNOWN',
      withTask(`{ each: 'airport' }`),
      `Etl.join runs for each item of 'airport', which is no task of Etl. Did you mean 'airports'?`,
    ],
    [
      'NEED_UNKNOWN',
      withTask(`{ needs: ['plain'] }`, 'plain() {}'),
      `Etl.join needs 'plain', which is a method without @Task(); put @Task() on Etl.plain.`,
    ],
    [
      'NEED_UNKNOWN',
      withTask(`{ needs: ['constructor'] }`),
      `Etl.join needs 'constructor', which is no task of Etl. The tasks are: join, flights, airports.`,
    ],
    [
      'NEED_UNKNOWN',
      `@Flow() class Etl { static result = 'b'; @Task() a() {} }`,
      `Etl returns the result of 'b', which is no task of Etl. Did you mean 'a'?`,
    ],
    [
      'OPTION_INVALID',
      `@Flow({ result: 'a' }) class Etl { static result = 'a'; @Task() a() {} }`,
      `Etl: result is given as an option and as a static member; keep the static one.`,
    ],
    [
      'OPTION_INVALID',
      `@Flow() class Etl { static params = 1; @Task() a() {} }`,
      `Etl: static params must be a Standard Schema, e.g. z.object({ … }) of zod, not 1.`,
    ],
    [
      'OPTION_INVALID',
      `@Flow() class Etl { static result = 'b'; @Task() a() {} @Task({ each: 'a' }) b() {} }`,
      `Etl: static result names 'b', which runs once for each item; name a task that needs it, or use the option result of @Flow.`,
    ],
    ['NEED_UNKNOWN', withFlow(`{ result: 'b' }`), `Etl returns the result of 'b', which is no task of Etl. Did you mean 'a'?`],
    [
      'GRAPH_CYCLE',
      `@Flow() class Etl { @Task({ needs: ['c'] }) a() {} @Task({ needs: ['a'] }) b() {} @Task({ after: ['b'] }) c() {} @Task() d() {} }`,
      /circle: (a → b → c → a|b → c → a → b|c → a → b → c)\. Take one of these needs away\.$/,
    ],
    ['GRAPH_CYCLE', `@Flow() class Etl { @Task({ needs: ['a'] }) a() {} }`, /circle: a → a\./],
    ['FLOW_EMPTY', `@Flow() class Etl { a() {} }`, 'Etl has neither a method with @Task() nor a method run(); add one.'],
    ['OPTION_INVALID', withTask(`{ needs: ['flights', 'flights'] }`), `Etl.join needs 'flights' twice; name it once.`],
    ['OPTION_INVALID', withTask(`{ after: ['flights', 'flights'] }`), `Etl.join comes after 'flights' twice; name it once.`],
    [
      'OPTION_INVALID',
      withTask(`{ needs: ['flights'], after: ['flights'] }`),
      `Etl.join: 'flights' is in needs and in after; needs alone is enough.`,
    ],
    ['OPTION_INVALID', withTask(`{ needs: 'flights' }`), `Etl.join: needs must be a list of texts, e.g. ['a', 'b'], not 'flights'.`],
    ['OPTION_INVALID', withTask(`{ retries: -1 }`), 'Etl.join: retries must be a whole number from 0, not -1.'],
    ['OPTION_INVALID', withTask(`{ retries: 1.5 }`), 'Etl.join: retries must be a whole number from 0, not 1.5.'],
    ['OPTION_INVALID', withTask(`{ retries: '3' }`), `Etl.join: retries must be a whole number from 0, not '3'.`],
    ['OPTION_INVALID', withTask(`{ jitter: 2 }`), 'Etl.join: jitter must be a number from 0 to 1, not 2.'],
    ['OPTION_INVALID', withTask(`{ jitter: NaN }`), 'Etl.join: jitter must be a number from 0 to 1, not NaN.'],
    ['OPTION_INVALID', withTask(`{ backoff: 'linear' }`), `Etl.join: backoff must be 'fixed' or 'exponential', not 'linear'.`],
    [
      'OPTION_INVALID',
      withTask(`{ retryDelay: [] }`),
      'Etl.join: retryDelay must be a list with at least one duration, not an empty list.',
    ],
    ['OPTION_INVALID', withTask(`{ retryIf: true }`), 'Etl.join: retryIf must be a function, not true.'],
    ['DURATION_INVALID', withTask(`{ retryDelay: ['1s', 'soon'] }`), /^Etl\.join: retryDelay 'soon' is not a duration\. Write '250ms', /],
    ['DURATION_INVALID', withTask(`{ timeout: '-1s' }`), /^Etl\.join: timeout '-1s' is not a duration/],
    ['DURATION_INVALID', withFlow(`{ timeout: 'P1Y' }`), /^Etl: timeout 'P1Y' is not a duration/],
    ['OPTION_INVALID', withTask(`{ timeout: 0 }`), 'Etl.join: timeout must be longer than 0; leave it out for no limit, not 0.'],
    ['OPTION_INVALID', withTask(`{ eachLimit: 2 }`), 'Etl.join: eachLimit has no effect without each; add each or leave it out.'],
    ['OPTION_INVALID', withTask(`{ each: 'flights', eachLimit: 0 }`), 'Etl.join: eachLimit must be a whole number from 1, not 0.'],
    ['OPTION_INVALID', withTask(`{ trigger: 'always' }`), /^Etl\.join: trigger must be 'allSucceeded' or .*, not 'always'\.$/],
    ['OPTION_INVALID', withTask(`{ when: true }`), 'Etl.join: when must be a function, not true.'],
    [
      'OPTION_INVALID',
      withTask(`{ memory: '1 GB' }`),
      `Etl.join: memory has no effect without isolate: 'thread' or 'process'; add it or leave memory out.`,
    ],
    [
      'OPTION_INVALID',
      withTask(`{ isolate: 'thread', memory: '8 MB' }`),
      `Etl.join: memory must be a size such as '512 MB', at least 64.0 MiB, not '8 MB'.`,
    ],
    ['OPTION_INVALID', withTask(`{ isolate: 'fork' }`), `Etl.join: isolate must be 'thread' or 'process', not 'fork'.`],
    ['OPTION_INVALID', withTask(`{ persist: 'no' }`), `Etl.join: persist must be true or false, not 'no'.`],
    ['OPTION_INVALID', withTask(`{ spread: 'yes' }`), `Etl.join: spread must be true or false, not 'yes'.`],
    ['OPTION_INVALID', withTask(`{ queue: 'a b' }`), /^Etl\.join: queue must be 1 to 100 letters, .*, not 'a b'\.$/],
    ['OPTION_INVALID', withTask(`{ queue: 'gpu', spread: false }`), /^Etl\.join: queue has no effect with spread: false/],
    ['OPTION_INVALID', withTask(`{ spread: true, persist: false }`), /^Etl\.join: persist: false does not go with spread, /],
    ['OPTION_INVALID', withTask(`{ queue: 'gpu', persist: false }`), /^Etl\.join: persist: false does not go with queue, /],
    ['OPTION_INVALID', withFlow(`{ spread: 1 }`), 'Etl: spread must be true or false, not 1.'],
    ['OPTION_INVALID', withTask(`{ tags: [1] }`), /^Etl\.join: tags must be a list of texts/],
    ['OPTION_INVALID', withTask(`'join'`), '@Task() takes an object with options, not "join".'],
    ['OPTION_INVALID', withFlow(`{ maxParallelTasks: 0 }`), 'Etl: maxParallelTasks must be a whole number from 1, not 0.'],
    [
      'OPTION_INVALID',
      withFlow(`{ concurrency: '3' }`),
      /^Etl: concurrency must be \{ limit, key, onConflict \} \(runs of the flow\); for the tasks of one run write maxParallelTasks/,
    ],
    ['OPTION_INVALID', withFlow(`{ concurrency: 3, maxParallelTasks: 3 }`), /old name of maxParallelTasks; keep that one\.$/],
    ['OPTION_INVALID', withFlow(`{ concurrency: [3] }`), /^Etl: concurrency must be .* not a list\.$/],
    ['OPTION_INVALID', withFlow(`{ concurrency: {} }`), /^Etl: concurrency\.limit is missing; give the number of runs/],
    ['OPTION_INVALID', withFlow(`{ concurrency: { limit: 0 } }`), 'Etl: concurrency.limit must be a whole number from 1, not 0.'],
    ['OPTION_INVALID', withFlow(`{ concurrency: { limit: 1, key: 5 } }`), /^Etl: concurrency\.key must be a template over the parameters/],
    [
      'OPTION_INVALID',
      withFlow(`{ concurrency: { limit: 1, onConflict: 'wait' } }`),
      "Etl: concurrency.onConflict must be 'queue' or 'skip' or 'cancel-running', not 'wait'.",
    ],
    [
      'OPTION_UNKNOWN',
      withFlow(`{ concurrency: { limit: 1, by: 'x' } }`),
      "Etl: concurrency has no option 'by'. It takes limit, key and onConflict.",
    ],
    ['OPTION_INVALID', withFlow(`{ params: { month: 'string' } }`), /^Etl: params must be a Standard Schema/],
    ['OPTION_INVALID', withFlow(`{ runName: 5 }`), 'Etl: runName must be text that is not empty, not 5.'],
    [
      'OPTION_INVALID',
      withTask(`{ cache: true }`),
      `Etl.join: cache must be a duration such as '1 hour', or an object { ttl, key, scope, refresh }, not true.`,
    ],
    ['DURATION_INVALID', withTask(`{ cache: 'soon' }`), /Etl.join: cache.ttl 'soon' is not a duration/],
    ['OPTION_INVALID', withTask(`{ cache: { ttl: 0 } }`), /cache.ttl must be longer than 0/],
    ['OPTION_UNKNOWN', withTask(`{ cache: { tll: '1h' } }`), `Etl.join: cache has no option 'tll'. It takes ttl, key, scope and refresh.`],
    ['OPTION_INVALID', withTask(`{ cache: { scope: 'flow' } }`), /cache.scope must be 'global' or 'run', not 'flow'/],
    ['OPTION_INVALID', withTask(`{ cache: { key: 7 } }`), /cache.key must be/],
    ['OPTION_INVALID', withTask(`{ cache: { refresh: 'yes' } }`), /cache.refresh must be/],
    ['OPTION_INVALID', withTask(`{ cache: '1h', persist: false }`), /cache does not go with persist: false/],
    ['NEED_UNKNOWN', withTask(`{ rollback: 'x' }`), /Etl.join: rollback names 'x', which is no method of Etl that could undo it/],
    ['NEED_UNKNOWN', withTask(`{ rollback: 'join' }`), /rollback names 'join', the task itself/],
    ['OPTION_INVALID', withTask(`{ rollback: 7 }`), /rollback must be text that is not empty/],
    ['OPTION_INVALID', withTask(`{ rollback: 'undo', persist: false }`), /rollback does not go with persist: false/],
    ['OPTION_UNKNOWN', withTask(`{ need: ['flights'] }`), `Etl.join: there is no option 'need'. Did you mean 'needs'?`],
    ['OPTION_UNKNOWN', withFlow(`{ retires: 3 }`), `Etl: there is no option 'retires'. Did you mean 'retries'?`],
    [
      'NAME_INVALID',
      withFlow(`{ name: 'a/b' }`),
      `Etl: the flow's name "a/b" holds "/"; names have none of / % < > & and no control characters.`,
    ],
    ['NAME_INVALID', withFlow(`{ name: '' }`), `Etl: the flow's name "" is empty; give it at least one letter.`],
    ['NAME_INVALID', withFlow(`{ name: 'x'.repeat(201) }`), /has 201 characters; at most 200 are allowed\.$/],
    ['NAME_INVALID', withFlow(`{ name: ' x' }`), /begins or ends with a blank/],
    [
      'NAME_INVALID',
      `@Flow() class Etl { @Task() 'a&b'() {} }`,
      `Etl: the task "a&b" holds "&"; names have none of / % < > & and no control characters.`,
    ],
    ['NAME_INVALID', `@Flow() class Etl { @Task() 'a<b'() {} }`, /holds "<"/],
    [
      'OPTION_INVALID',
      `@Flow() class Etl { @On('done') a() {} @Task() b() {} }`,
      /^a listens to 'done', which is no event\. (Did you mean|The events are)/,
    ],
    [
      'DECORATOR_MISPLACED',
      `@Flow() class Etl { @On('failed') @Task() a() {} }`,
      'Etl.a is a task and a hook; make the hook a separate method.',
    ],
    [
      'DECORATOR_MISPLACED',
      `@Flow() class Etl { @Task() run() {} }`,
      'Etl.run is the body of the flow and no task; take @Task() away or name the method differently.',
    ],
    [
      'OPTION_INVALID',
      `@Flow() class Etl { run() {} @Task() a() {} @Task({ needs: ['a'] }) b() {} }`,
      `Etl.b: 'needs' has no effect in a class with run(), where the calls in run() wire the tasks; leave it out or remove run().`,
    ],
    ['OPTION_INVALID', `@Flow() class Etl { run() {} @Task({ trigger: 'allDone' }) b() {} }`, /'trigger' has no effect/],
    ['OPTION_INVALID', `@Flow({ result: 'b' }) class Etl { run() {} @Task() b() {} }`, /'result' has no effect in a class with run\(\)/],
  ])('%s %s', async (code, source, message) => {
    expect(await refusal(source)).toMatchObject({
      name: 'BatutaError',
      code,
      message: typeof message === 'string' ? message : expect.stringMatching(message),
    });
  });

  test('a bad option is told when the class is defined, an unknown need when the flow is first used', async () => {
    await expect(defineFlows(standard, withTask('{ retries: -1 }'))).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    await expect(defineFlows(standard, withTask(`{ needs: ['nope'] }`))).resolves.toBeDefined();
  });

  test('options that are there but undefined count as left out', async () => {
    expect(await refusal(withTask(`{ timeout: undefined, retries: undefined, needs: undefined, when: undefined }`))).toBe('nothing');
  });
});

describe('names that flows get', () => {
  test.each([
    ['FlightDelays', 'flight-delays'],
    ['HTTPFetch', 'http-fetch'],
    ['Etl2Load', 'etl2-load'],
    ['ETL', 'etl'],
    ['My_flow', 'my-flow'],
    ['$Odd', 'odd'],
    ['ÄrgerÜbung', 'ärger-übung'],
  ])('%s is called %s', async (className, name) => {
    const { [className]: flow } = await defineFlows(standard, `@Flow() class ${className} { @Task() a() {} }`);
    expect(flow && definitionOf(flow).name).toBe(name);
  });
});

describe('a large class', () => {
  test('ten thousand tasks, each after the one before and the last after all, become a definition', async () => {
    const count = 10_000;
    const { Flow } = await import('../../../src/define/flow.ts');
    const { Task } = await import('../../../src/define/task.ts');
    class Large {}
    const names = Array.from({ length: count }, (_, at) => `task${at}`);
    const apply = (name: string, needs: readonly string[]): void => {
      const descriptor = { value: () => name, configurable: true, writable: true };
      Object.defineProperty(Large.prototype, name, descriptor);
      const replaced = (Task({ needs }) as (...args: unknown[]) => PropertyDescriptor)(Large.prototype, name, descriptor);
      Object.defineProperty(Large.prototype, name, replaced);
    };
    for (const [at, name] of names.entries()) apply(name, at === 0 ? [] : [`task${at - 1}`]);
    apply('last', names);
    Flow()(Large as never);
    const { graph, tasks } = definitionOf(Large);
    expect([tasks.size, graph.edges.length, graph.sinks]).toEqual([count + 1, 2 * count - 1, ['last']]);
    expect(graph.nodes.at(-1)).toBe('last');
  });
});
