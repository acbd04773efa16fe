import { describe, expect, test } from 'vitest';
import { type AnyResource, type FlowClass, Inject, resource } from 'batuta';
import { testFlow } from 'batuta/testing';
import { definitionOf } from '../../../src/define/definition.ts';
import { compilers, defineFlows } from '../../support/compile-flows.ts';

const told: string[] = [];

function counting(name: string, scope: 'worker' | 'run' | 'task'): AnyResource {
  let opened = 0;
  return resource(
    name,
    async function* () {
      const value = `${name} ${++opened}`;
      told.push(`open ${value}`);
      yield value;
      told.push(`close ${value}`);
    },
    { scope },
  );
}

const fields = `
  @Inject(pool) private readonly pool!: string;
  @Inject(folder) folder!: string;
  @Inject(unit) unit!: string;`;

const graph = `
  @Flow()
  class Graph {
    ${fields}
    @Task() list() { return [1, 2]; }
    @Task({ each: 'list', timeout: '5s' }) async item(n: number) { const before = this.unit; await undefined; return [n, before === this.unit, this.pool, this.folder].join(); }
    @Task({ needs: ['item'] }) *all(items: string[]) { yield* items; yield this.unit.split(' ')[0]; }
    @Task({ isolate: 'thread', needs: ['all'] }) apart(items: string[]) { return [...items, this.pool]; }
    @On('completed') done() { told.push('hook ' + this.pool); }
  }`;

const code = `
  @Flow()
  class Code {
    ${fields}
    @Task() async work(n: number) { return [n, this.pool, this.folder, this.unit.split(' ')[0]].join(); }
    async run() { const own = this.folder; return [own, ...(await Promise.all([this.work(1), this.work(2)]))]; }
  }`;

describe.each(compilers)('fields, $name', (compiler) => {
  const given = () => ({ told, pool: counting('pool', 'worker'), folder: counting('folder', 'run'), unit: counting('unit', 'task') });

  async function defineFlow(name: string, source: string, names: Readonly<Record<string, unknown>>): Promise<FlowClass> {
    const { [name]: flow } = await defineFlows(compiler, source, names);
    if (!flow) throw new Error(`The source defines no ${name}.`);
    return flow;
  }

  test('hold what is open in graphs: in mapped tasks, generators, threads and hooks', async () => {
    told.length = 0;
    const flow = await defineFlow('Graph', graph, given());
    const run = await testFlow(flow);
    expect(run.expectState('Completed').result).toEqual(['1,true,pool 1,folder 1', '2,true,pool 1,folder 1', 'unit', 'pool 1']);
    expect(told.at(-2)).toBe('hook pool 1');
    expect(told.filter((line) => line.startsWith('open')).length).toBe(told.filter((line) => line.startsWith('close')).length);
  });

  test('hold what is open in code flows, in the body what lasts as long as the run', async () => {
    const run = await testFlow(await defineFlow('Code', code, given()));
    expect(run.expectState('Completed').result).toEqual(['folder 1', '1,pool 1,folder 1,unit', '2,pool 1,folder 1,unit']);
  });

  test('are like any other outside a run: to be assigned, and a clear error without', async () => {
    const Code = await defineFlow('Code', code, given());
    const flow = new Code() as { pool: string; folder: string; unit: string; work(n: number): Promise<string> };
    await expect(flow.work(1)).rejects.toMatchObject({
      code: 'RESOURCE_CLOSED',
      message: expect.stringContaining("'pool' is not open here"),
    });
    Object.assign(flow, { pool: 'p', folder: 'f', unit: 'u' });
    expect(await flow.work(1)).toBe('1,p,f,u');
  });

  test('of a base class are those of the derived one, which may put another resource there', async () => {
    const derived = `${code}\n@Flow() class Derived extends Code { @Inject(other) override folder!: string; }`;
    const Derived = await defineFlow('Derived', derived, { ...given(), other: counting('other', 'run') });
    expect((await testFlow(Derived)).expectState('Completed').result).toEqual([
      'other 1',
      '1,pool 1,other 1,unit',
      '2,pool 1,other 1,unit',
    ]);
  });

  test('two resources of one name are refused at the class', async () => {
    const twice = `@Flow() class Twice { @Inject(a) a!: string; @Inject(b) b!: string; @Task() work() {} }`;
    const Twice = await defineFlow('Twice', twice, { a: counting('db', 'run'), b: counting('db', 'run') });
    expect(() => definitionOf(Twice)).toThrow(expect.objectContaining({ code: 'RESOURCE_DUPLICATE' }));
  });

  test.each([
    ['a method', '@Inject(a) work() {}'],
    ['a static field', '@Inject(a) static pool: string;'],
    ['a field twice', '@Inject(a) @Inject(a) pool!: string;'],
  ])('a decorator on %s is refused', async (_what, member) => {
    const defining = defineFlows(compiler, `class Wrong { ${member} }`, { a: counting('a', 'run') });
    await expect(defining).rejects.toMatchObject({ code: 'DECORATOR_MISPLACED' });
  });
});

test('what is no resource is refused where the decorator stands', () => {
  expect(() => Inject({} as never)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
});
