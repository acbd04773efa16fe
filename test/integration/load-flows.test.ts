import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findFlow, findFlowOfRun } from '../../src/define/find-flow.ts';
import { loadFlows } from '../../src/define/load-flows.ts';
import { legacy, ownProject } from '../support/flow-files.ts';
import type { ProjectFolder } from '../support/project-folder.ts';

const flow = (name: string, options = ''): string =>
  `import { Flow, Task } from 'batuta';\n@Flow(${options})\nexport class ${name} {\n  @Task()\n  a() { return 1; }\n}\n`;

const project = (files: Record<string, string>): ProjectFolder => ownProject({ 'tsconfig.json': legacy, ...files });

const shop = {
  'flows/orders.ts': flow('Orders'),
  'flows/deep/stock.mts': flow('StockCount'),
  'flows/two.ts': `${flow('First')}${flow('Second').replace(/^import.*\n/, '')}`,
};

describe('loading all flows of a project', () => {
  test('folders are searched with their subfolders; tests, declarations, packages and dot folders are not', async () => {
    const { path } = project({
      ...shop,
      'flows/plain.js': `import { Flow, Task } from 'batuta';\nclass Plain { a() {} }\nTask()(Plain.prototype, 'a', Object.getOwnPropertyDescriptor(Plain.prototype, 'a'));\nFlow()(Plain);\nexport { Plain };\n`,
      'flows/orders.test.ts': `throw new Error('a test');`,
      'flows/orders.spec.ts': `throw new Error('a spec');`,
      'flows/orders.d.ts': `export declare const nothing: number;`,
      'flows/.hidden/x.ts': flow('Hidden'),
      'flows/node_modules/x/index.ts': flow('Packaged'),
      'flows/notes.md': '# notes',
    });
    const { flows, broken } = await loadFlows('flows', { cwd: path });
    expect(broken).toEqual([]);
    expect(flows.map(({ name }) => name)).toEqual(['first', 'orders', 'plain', 'second', 'stock-count']);
  });

  test('a file that fails is told, the others are there', async () => {
    const { path } = project({ ...shop, 'flows/broken.ts': 'const x = ;', 'flows/throws.ts': `throw new Error('no');` });
    const { flows, broken } = await loadFlows(join(path, 'flows'));
    expect(flows).toHaveLength(4);
    expect(broken.map(({ file, error }) => [file, error.code])).toEqual([
      [join(path, 'flows/broken.ts'), 'FILE_NOT_COMPILED'],
      [join(path, 'flows/throws.ts'), 'FILE_NOT_LOADED'],
    ]);
  });

  test('two flows of one name are both left out, and the error names both files', async () => {
    const { path } = project({ ...shop, 'flows/more.ts': flow('Others', `{ name: 'orders' }`) });
    const { flows, broken } = await loadFlows(join(path, 'flows'));
    expect(flows.map(({ name }) => name)).not.toContain('orders');
    expect(broken.map(({ error }) => error)).toMatchObject([
      {
        code: 'FLOW_DUPLICATE',
        details: { flow: 'orders', classes: ['Others', 'Orders'], files: [join(path, 'flows/more.ts'), join(path, 'flows/orders.ts')] },
      },
    ]);
    await expect(findFlow('orders', { flowsPath: 'flows', cwd: path })).rejects.toMatchObject({ code: 'FLOW_DUPLICATE' });
  });

  test('an index that only hands flows on is no duplicate', async () => {
    const { path } = project({
      ...shop,
      'flows/index.ts': `export * from './orders.ts';\nexport { StockCount as Stock } from './deep/stock.mts';\n`,
    });
    const { flows, broken } = await loadFlows(join(path, 'flows'));
    expect(broken).toEqual([]);
    expect(flows.find(({ name }) => name === 'orders')?.source?.file).toBe(join(path, 'flows/orders.ts'));
    expect(flows.find(({ name }) => name === 'stock-count')?.source?.file).toBe(join(path, 'flows/deep/stock.mts'));
  });

  test('several folders and files may be named, and a place that is not there is refused', async () => {
    const { path } = project({ ...shop, 'more/x.ts': flow('Extra') });
    const { flows } = await loadFlows(['more', 'flows/orders.ts', 'flows/orders.ts'], { cwd: path });
    expect(flows.map(({ name }) => name)).toEqual(['extra', 'orders']);
    await expect(loadFlows('nowhere', { cwd: path })).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  });
});

describe('finding the flow that is meant', () => {
  test.each([
    ['flows/orders.ts', 'orders'],
    ['./flows/orders.ts', 'orders'],
    ['flows/two.ts:Second', 'second'],
    ['flows/two.ts:second', 'second'],
    ['orders', 'orders'],
    ['Orders', 'orders'],
    ['StockCount', 'stock-count'],
    ['stock-count', 'stock-count'],
    ['flows/deep', 'stock-count'],
    ['flows:Orders', 'orders'],
  ])('%s', async (target, name) => {
    const { path } = project(shop);
    expect((await findFlow(target, { flowsPath: 'flows', cwd: path })).name).toBe(name);
    expect(
      (await findFlow(target.startsWith('./') || /^[oOsS]/.test(target) ? target : join(path, target), { flowsPath: ['flows'], cwd: path }))
        .name,
    ).toBe(name);
  });

  test.each([
    ['flows/two.ts', 'FLOW_AMBIGUOUS', /two\.ts holds 2 flows; choose one: .*two\.ts:First, .*two\.ts:Second$/],
    ['flows/two.ts:Thrid', 'FLOW_NOT_FOUND', /two\.ts exports no flow 'Thrid'\. (Did you mean|It exports)/],
    ['flows/order.ts', 'FILE_NOT_FOUND', /Did you mean .*orders\.ts\?$/],
    ['flows/order.ts:Orders', 'FILE_NOT_FOUND', /order\.ts\./],
    ['order', 'FLOW_NOT_FOUND', /There is no flow 'order'\. Did you mean 'orders'\?$/],
    ['Ordres', 'FLOW_NOT_FOUND', /Did you mean 'Orders'\?$/],
    ['something-else', 'FLOW_NOT_FOUND', /The flows are: first, orders, second, stock-count\.$/],
    ['flows', 'FLOW_NOT_FOUND', /There is no flow 'flows'/],
    ['flows/', 'FLOW_AMBIGUOUS', /choose one/],
  ])('%s is refused: %s', async (target, code, message) => {
    const { path } = project(shop);
    await expect(findFlow(target, { flowsPath: 'flows', cwd: path })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });

  test('a file without flows, a project without flows, and files that hide the flow by being broken', async () => {
    const { path, write } = project({ 'lib/x.ts': 'export const x = 1;' });
    await expect(findFlow('lib/x.ts', { flowsPath: 'flows', cwd: path })).rejects.toMatchObject({
      code: 'FLOW_NOT_FOUND',
      message: expect.stringMatching(/exports no flow\. Put @Flow\(\) on a class/),
    });
    await expect(findFlow('orders', { flowsPath: 'flows', cwd: path })).rejects.toMatchObject({
      code: 'FLOW_NOT_FOUND',
      message: expect.stringMatching(/flows, does not exist/),
    });
    write('flows/orders.ts', 'const x = ;');
    await expect(findFlow('orders', { flowsPath: 'flows', cwd: path })).rejects.toMatchObject({
      code: 'FLOW_NOT_FOUND',
      message: expect.stringMatching(/One file could not be loaded: .*orders\.ts:1:11 does not compile/),
    });
  });

  test('a recorded run finds its flow in its file, and by name once the file is gone or no longer holds it', async () => {
    const { path } = project(shop);
    const file = join(path, 'flows/orders.ts');
    const find = (source: string | null): Promise<string | undefined> =>
      findFlowOfRun({ flow: 'orders', source, flows: 'flows' }, { cwd: path }).then((found) => found.source?.file);
    expect(await find(`${file}#Orders`)).toBe(file);
    expect(await find(`${join(path, 'flows/gone.ts')}#Orders`)).toBe(file);
    expect(await find(`${join(path, 'flows/two.ts')}#Orders`)).toBe(file);
    expect(await find(null)).toBe(file);
    await expect(findFlowOfRun({ flow: 'nothing', source: null, flows: 'flows' }, { cwd: path })).rejects.toMatchObject({
      code: 'FLOW_NOT_FOUND',
    });
  });
});
