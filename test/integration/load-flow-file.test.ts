import { describe, expect, test } from 'vitest';
import { isFlowClass } from '../../src/define/definition.ts';
import { loadFlowFile } from '../../src/define/load.ts';
import { legacy, oneFlow, ownProject, standard } from '../support/flow-files.ts';

describe('loading a flow file', () => {
  test.each([
    ['legacy decorators', legacy],
    ['standard decorators', standard],
    ['no tsconfig', null],
  ])('gives the flows it exports, with file, export and version: %s', async (_, tsconfig) => {
    const { write } = ownProject(tsconfig === null ? {} : { 'tsconfig.json': tsconfig });
    const file = write(
      'flows/etl.ts',
      `import { Flow, Task, On } from 'batuta';
       @Flow({ retries: 2 }) export class Etl {
         @Task() async a(): Promise<number> { return 1; }
         @Task({ needs: ['a'], retryDelay: '5s' }) b(x: number) { return x + 1; }
         @On('failed') told() {}
       }
       export class NoFlow {}
       export const number = 1;`,
    );
    const [loaded, ...more] = await loadFlowFile(file);
    expect(more).toEqual([]);
    expect(isFlowClass(loaded?.flowClass)).toBe(true);
    expect(loaded?.definition).toMatchObject({
      name: 'etl',
      className: 'Etl',
      retry: { retries: 2 },
      source: { file, exportName: 'Etl' },
      hooks: [{ event: 'failed', name: 'told' }],
    });
    expect(loaded?.definition.version).toMatch(/^[0-9a-f]{12}$/);
    expect(loaded?.definition.graph.edges).toEqual([{ from: 'a', to: 'b', kind: 'data' }]);
    expect(loaded?.definition.tasks.get('b')?.retry.delayMs).toBe(5000);
  });

  test('a class exported under two names counts once, under its own name', async () => {
    const { write } = ownProject();
    const file = write('two.ts', `${oneFlow('Etl')}export { Etl as Other };\nexport default Etl;\n`);
    const loaded = await loadFlowFile(file);
    expect(loaded.map(({ definition }) => definition.source?.exportName)).toEqual(['Etl']);
  });

  test('an anonymous default export is loaded when it has a name, and refused when it has none', async () => {
    const { write } = ownProject({ 'tsconfig.json': legacy });
    const named = write(
      'named.ts',
      `import { Flow, Task } from 'batuta';\n@Flow({ name: 'nightly' }) export default class { @Task() a() {} }`,
    );
    expect((await loadFlowFile(named))[0]?.definition).toMatchObject({ name: 'nightly', source: { exportName: 'default' } });
    const nameless = write('nameless.ts', `import { Flow, Task } from 'batuta';\n@Flow() export default class { @Task() a() {} }`);
    await expect(loadFlowFile(nameless)).rejects.toMatchObject({ code: 'NAME_INVALID' });
  });

  test('classes of one name in two files keep their names', async () => {
    const { write } = ownProject({ 'lib/etl.ts': `export class Etl {}` });
    const file = write('etl.ts', `import { Etl as Base } from './lib/etl.ts';\n${oneFlow('Etl')}export const base = new Base();`);
    expect((await loadFlowFile(file))[0]?.definition).toMatchObject({ className: 'Etl', name: 'etl' });
  });
});
