import { describe, expect, test, vi } from 'vitest';
import { definitionOf, isFlowClass } from '../../../src/define/definition.ts';
import { runScope } from '../../../src/model/run-context.ts';
import { compilers, defineFlows } from '../../support/compile-flows.ts';

describe.each(compilers)('$name', (compiler) => {
  const define = (code: string) => defineFlows(compiler, code);

  test('a class becomes a definition', async () => {
    const { FlightDelays } = await define(`
      @Flow({ retries: 1, retryDelay: ['1s', 'PT1M'], maxParallelTasks: 3, timeout: '1h30m', tags: ['x'], result: 'join' })
      class FlightDelays {
        @Task({ needs: ['flights', 'airports'], after: ['early'], timeout: '1m', when: () => true })
        join(flights, airports, ctx) { return [...flights, ...airports]; }
        @Task({ retries: 3, retryDelay: '5s', backoff: 'exponential', maxRetryDelay: '1m', jitter: 0.5 })
        async flights() { return ['f']; }
        @Task({ isolate: 'thread', persist: false, priority: 5 }) airports() { return ['a']; }
        @Task() early() {}
        @Task({ each: 'flights', eachLimit: 2, trigger: 'allDone' }) one(flight) {}
        @On('failed') @On('crashed') tell() {}
        helper() {}
      }`);
    if (!FlightDelays) throw new Error('not defined');
    const definition = definitionOf(FlightDelays);
    expect(definitionOf(FlightDelays)).toBe(definition);
    expect(definition).toMatchObject({
      name: 'flight-delays',
      className: 'FlightDelays',
      kind: 'graph',
      retry: { retries: 1, delayMs: [1_000, 60_000] },
      timeoutMs: 5_400_000,
      maxParallelTasks: 3,
      tags: ['x'],
      result: 'join',
      run: null,
    });
    expect([...definition.tasks.keys()]).toEqual(['join', 'flights', 'airports', 'early', 'one']);
    expect(definition.tasks.get('join')).toMatchObject({
      needs: ['flights', 'airports'],
      after: ['early'],
      timeoutMs: 60_000,
      trigger: 'allSucceeded',
      persist: true,
    });
    expect(definition.tasks.get('flights')?.retry).toEqual({
      retries: 3,
      delayMs: 5_000,
      backoff: 'exponential',
      maxDelayMs: 60_000,
      jitter: 0.5,
      retryIf: null,
    });
    expect(definition.tasks.get('airports')).toMatchObject({ isolate: 'thread', persist: false, priority: 5 });
    expect(definition.tasks.get('one')).toMatchObject({ each: 'flights', eachLimit: 2, trigger: 'allDone' });
    expect(definition.graph.sinks.toSorted()).toEqual(['join', 'one']);
    expect(definition.hooks.map(({ event, name }) => `${event} ${name}`).toSorted()).toEqual(['crashed tell', 'failed tell']);
    expect(definition.version).toMatch(/^[0-9a-f]{12}$/);
    expect(definition.create()).toBeInstanceOf(FlightDelays);
  });

  test('static params and result are those of the flow, its own or inherited', async () => {
    const { Base, Derived } = await define(`
      const schema = (name) => ({ '~standard': { version: 1, vendor: name, validate: (value) => ({ value }) } });
      @Flow() class Base {
        static params = schema('base');
        static result = 'b';
        @Task() a() {}
        @Task() b() {}
      }
      @Flow() class Derived extends Base { static result = 'a'; }`);
    if (!Base || !Derived) throw new Error('not defined');
    const told = (flow: typeof Base) => [definitionOf(flow).params?.['~standard'].vendor, definitionOf(flow).result];
    expect([told(Base), told(Derived)]).toEqual([
      ['base', 'b'],
      ['base', 'a'],
    ]);
  });

  test('a mistake in a static member is refused where the class is defined', async () => {
    for (const code of [
      `@Flow() class Etl { static params = { month: 'string' }; @Task() a() {} }`,
      `@Flow({ result: 'a' }) class Etl { static result = 'a'; @Task() a() {} }`,
    ])
      await expect(define(code)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });

  test('a task is spread by its own word, by its queue or by its flow; one that keeps its result in memory stays', async () => {
    const { Etl } = await define(`
      @Flow({ spread: true }) class Etl {
        @Task() a() {}
        @Task({ spread: false }) b() {}
        @Task({ persist: false }) c() {}
        @Task({ queue: 'gpu' }) d() {}
      }`);
    const { Plain } = await define(
      `@Flow() class Plain { @Task({ spread: true, isolate: 'thread' }) a() {} @Task() b() {} async run() {} }`,
    );
    const spreadOf = (flow: typeof Etl) =>
      flow ? [...definitionOf(flow).tasks.values()].map(({ name, spread, queue }) => [name, spread, queue]) : [];
    expect(spreadOf(Etl)).toEqual([
      ['a', true, null],
      ['b', false, null],
      ['c', false, null],
      ['d', true, 'gpu'],
    ]);
    expect(spreadOf(Plain)).toEqual([
      ['a', true, null],
      ['b', false, null],
    ]);
  });

  test('a flow pins its runs when it says so, and continues them with other versions otherwise', async () => {
    const pinned = async (options: string): Promise<unknown> => {
      const { Etl } = await define(`@Flow(${options}) class Etl { @Task() a() {} }`);
      return Etl && (definitionOf(Etl).isPinned ?? false);
    };
    expect(await Promise.all(['{}', "{ versioning: 'continue' }", "{ versioning: 'pin' }"].map(pinned))).toEqual([false, false, true]);
    await expect(pinned("{ versioning: 'pinned' }")).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });

  test('outside a run a task is a plain method: this, arguments, value, sync stays sync', async () => {
    const { Etl } = await define(`
      @Flow() class Etl {
        factor = 2;
        @Task() double(n) { return n * this.factor; }
        @Task() async later(n) { return this.double(n); }
        @Task() named(a, b) {}
      }`);
    const etl = new (
      Etl as new () => { double(n: number): number; later(n: number): Promise<number>; named(a: number, b: number): void }
    )();
    expect(etl.double(4)).toBe(8);
    await expect(etl.later(5)).resolves.toBe(10);
    expect([etl.named.name, etl.named.length]).toEqual(['named', 2]);
  });

  test('in the body of a code flow a call asks the engine, inside a task it is plain', async () => {
    const { Code } = await define(`@Flow() class Code { async run() { return this.a(1); } @Task() a(n) { return n + 1; } }`);
    if (!Code) throw new Error('not defined');
    const { run, tasks, create, kind } = definitionOf(Code);
    expect(kind).toBe('code');
    const instance = create();
    const callTask = vi.fn(async () => 'from the engine');
    const scope = {
      runId: 'r',
      taskRunId: null,
      flow: 'code',
      task: null,
      attempt: 1,
      context: null,
      callTask,
      logger: () => ({}) as never,
    };
    await expect(runScope.run(scope, async () => run?.call(instance, {}, {}))).resolves.toBe('from the engine');
    expect(callTask).toHaveBeenCalledExactlyOnceWith(instance, 'a', [1]);
    expect(runScope.run(scope, () => tasks.get('a')?.method.call(instance, 1))).toBe(2);
    expect(runScope.run({ ...scope, callTask: null }, () => (instance as { a(n: number): number }).a(1))).toBe(2);
  });

  test('tasks of base classes are inherited, overridden and called with super', async () => {
    const { Derived, Base } = await define(`
      @Flow({ name: 'base' }) class Base {
        @Task() a() { return 'a'; }
        @Task({ needs: ['a'], retries: 1 }) b(a) { return a + 'b'; }
        @Task({ retries: 9 }) plain() { return 'base'; }
        @On('failed') tell() { return 'base'; }
      }
      @Flow() class Derived extends Base {
        @Task({ needs: ['a'], retries: 2 }) b(a) { return super.b(a) + '!'; }
        @Task({ needs: ['b'] }) c(b) { return b + 'c'; }
        plain() { return 'derived'; }
        tell() { return 'derived'; }
      }
      class Undecorated extends Base {}`);
    if (!Derived || !Base) throw new Error('not defined');
    const { tasks, create, hooks } = definitionOf(Derived);
    const call = (name: string, ...args: unknown[]): unknown => tasks.get(name)?.method.call(create(), ...args);
    expect([...tasks.keys()]).toEqual(['a', 'b', 'plain', 'c']);
    expect(tasks.get('b')?.retry.retries).toBe(2);
    expect(call('b', 'a')).toBe('ab!');
    // An override without the decorator keeps the options of the base's.
    expect([call('plain'), tasks.get('plain')?.retry.retries]).toEqual(['derived', 9]);
    expect(hooks.map(({ method }) => method.call(create()))).toEqual(['derived']);
    expect([...definitionOf(Base).tasks.keys()]).toEqual(['a', 'b', 'plain']);
    expect(definitionOf(Base).tasks.get('b')?.retry.retries).toBe(1);
  });

  test('an undecorated override in a code flow becomes a task run too', async () => {
    const { Derived } = await define(`
      class Base { @Task({ retries: 3 }) a() { return 'base'; } }
      @Flow() class Derived extends Base { async run() { return this.a(); } a() { return super.a() + '!'; } }`);
    if (!Derived) throw new Error('not defined');
    const { run, tasks, create } = definitionOf(Derived);
    const callTask = vi.fn(async (instance: object, name: string) =>
      runScope.run({ ...scope, callTask: null }, () => tasks.get(name)?.method.call(instance)),
    );
    const scope = {
      runId: 'r',
      taskRunId: null,
      flow: 'code',
      task: null,
      attempt: 1,
      context: null,
      callTask,
      logger: () => ({}) as never,
    };
    await expect(runScope.run(scope, async () => run?.call(create(), {}, {}))).resolves.toBe('base!');
    expect(callTask).toHaveBeenCalledTimes(1);
  });

  test('only a class with @Flow on itself is a flow', async () => {
    const { Base, Derived } = await define(`@Flow() class Base { @Task() a() {} }  class Derived extends Base { @Task() b() {} }`);
    expect([isFlowClass(Base), isFlowClass(Derived), isFlowClass({}), isFlowClass(null), isFlowClass(() => 1)]).toEqual([
      true,
      false,
      false,
      false,
      false,
    ]);
    expect(() => definitionOf(Derived as never)).toThrow(
      expect.objectContaining({ code: 'FLOW_NOT_FOUND', message: 'Derived is no flow: put @Flow() on the class.' }),
    );
  });

  test.each([
    ['a field', `@Flow() class Etl { @Task() a = 1; }`],
    ['a static method', `@Flow() class Etl { @Task() static a() {} }`],
    ['a getter', `@Flow() class Etl { @Task() get a() { return 1; } }`],
    ['a setter', `@Flow() class Etl { @Task() set a(x) {} }`],
    ['a class', `@Task() class Etl { a() {} }`],
    ['a symbol', `@Flow() class Etl { @Task() [Symbol.iterator]() {} }`],
    ['a hook on a field', `@Flow() class Etl { @On('failed') a = 1; }`],
    ['no parentheses', `@Flow() class Etl { @Task a() {} }`],
    ['no parentheses on the class', `@Flow class Etl { @Task() a() {} }`],
  ])('misplaced: %s', async (_, code) => {
    await expect(define(code)).rejects.toMatchObject({ code: 'DECORATOR_MISPLACED' });
  });

  test('two @Task() on one method, and one hook twice', async () => {
    await expect(define(`@Flow() class Etl { @Task() @Task() a() {} }`)).rejects.toMatchObject({
      code: 'TASK_DUPLICATE',
      message: expect.stringMatching(/a is a task already; keep one @Task\(\) on it\.$/),
    });
    await expect(define(`@Flow() class Etl { @On('failed') @On('failed') a() {} }`)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
  });

  test('a number as concurrency is taken as maxParallelTasks, and warns once', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockReturnValue();
    try {
      const name = `Old${compiler.name.replace(/\W/g, '')}`;
      const { [name]: Old } = await define(`@Flow({ concurrency: 3 }) class ${name} { @Task() a() {} }`);
      if (!Old) throw new Error('not defined');
      expect(definitionOf(Old)).toMatchObject({ maxParallelTasks: 3, runConcurrency: null });
      const told = warn.mock.calls.filter(([text]) => String(text).startsWith(`${name}: `));
      expect(told).toEqual([
        [expect.stringContaining('@Flow({ maxParallelTasks: 3 })'), expect.objectContaining({ code: 'BATUTA_CONCURRENCY' })],
      ]);
    } finally {
      warn.mockRestore();
    }
  });

  test('other decorators around a task of a graph run with it', async () => {
    const loud =
      compiler.decorators === 'legacy'
        ? `(t, k, d) => ({ ...d, value(...args) { return d.value.apply(this, args) + '!'; } })`
        : `(f) => function (...args) { return f.apply(this, args) + '!'; }`;
    const { Etl } = await define(
      `const loud = ${loud};\n@Flow() class Etl { @loud @Task() a() { return 'a'; } @Task() @loud b() { return 'b'; } }`,
    );
    if (!Etl) throw new Error('not defined');
    const { tasks, create } = definitionOf(Etl);
    expect(['a', 'b'].map((name) => tasks.get(name)?.method.call(create()))).toEqual(['a!', 'b!']);
  });
});
