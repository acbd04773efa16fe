import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadFlowFile } from '../../src/define/load.ts';
import { oneFlow, ownProject } from '../support/flow-files.ts';

describe('a file that does not load', () => {
  test('is not there: the nearest names are told', async () => {
    const { path } = ownProject({ 'flows/flight-delays.ts': oneFlow('FlightDelays') });
    await expect(loadFlowFile(join(path, 'flows/flight-delay.ts'))).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
      message: expect.stringMatching(/flight-delay\.ts\. Did you mean .*flight-delays\.ts\?$/),
    });
  });

  test('does not compile: file, line, column and every error', async () => {
    const { write } = ownProject();
    const file = write('bad.ts', `export const here = import.meta.url; const x = ;\nimport './nope.ts';\n`);
    const error = await loadFlowFile(file).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'FILE_NOT_COMPILED',
      message: expect.stringMatching(/bad\.ts:1:48 does not compile: Unexpected ";"$/),
      details: {
        errors: [{ file, line: 1, column: 48, frame: `1 | export const here = import.meta.url; const x = ;\n${' '.repeat(51)}^` }],
      },
    });
    const missing = write('missing.ts', `import { a } from './nope.ts';\nimport { b } from './lib.ts';\nconsole.log(a, b);`);
    write('lib.ts', 'export const c = 1;');
    await expect(loadFlowFile(missing)).rejects.toMatchObject({
      code: 'FILE_NOT_COMPILED',
      message: expect.stringMatching(/missing\.ts:1:19 does not compile: Could not resolve "\.\/nope\.ts"/),
    });
  });

  test('is no code', async () => {
    const { write, path } = ownProject();
    await expect(loadFlowFile(write('notes.md', '# notes'))).rejects.toMatchObject({
      code: 'FILE_NOT_COMPILED',
      message: expect.stringMatching(/no TypeScript/),
    });
    await expect(loadFlowFile(path)).rejects.toMatchObject({ code: 'FILE_NOT_COMPILED' });
  });

  test('throws: message and the original line, also in an imported file', async () => {
    const { path, write } = ownProject({
      'lib/deep.ts': `interface Gone { a: string }\n\nexport function fail(_: Gone | null): never {\n  throw new RangeError('too deep');\n}\n`,
    });
    const file = write('flows/bad.ts', `import { fail } from '../lib/deep.ts';\nfail(null);\n`);
    await expect(loadFlowFile(file)).rejects.toMatchObject({
      code: 'FILE_NOT_LOADED',
      message: expect.stringMatching(/lib\/deep\.ts:4:9 threw while it was loaded: RangeError: too deep$/),
      details: { file: join(path, 'lib/deep.ts'), line: 4 },
      cause: expect.any(RangeError),
    });
    await expect(loadFlowFile(write('odd.ts', `throw 'just text';`))).rejects.toMatchObject({
      code: 'FILE_NOT_LOADED',
      message: expect.stringMatching(/just text$/),
    });
  });

  test('imports a package that is not installed: which one, where, and how to mend it', async () => {
    const { write } = ownProject();
    const file = write('etl.ts', `import x from '@acme/nope/sub';\nconsole.log(x);\n`);
    await expect(loadFlowFile(file)).rejects.toMatchObject({
      code: 'FILE_NOT_LOADED',
      message: expect.stringMatching(/etl\.ts imports '@acme\/nope', which is not installed\. Install it: npm i @acme\/nope$/),
      details: { file, package: '@acme/nope' },
    });
    await expect(loadFlowFile(write('old.cjs', `require('nothing-like-it');`))).rejects.toMatchObject({
      code: 'FILE_NOT_LOADED',
      details: { package: 'nothing-like-it' },
    });
  });

  test('declares a flow wrongly: the code of the mistake, with the file', async () => {
    const { write } = ownProject();
    const file = write('etl.ts', `import { Flow, Task } from 'batuta';\n@Flow()\nexport class Etl {\n  @Task({ retries: -1 }) a() {}\n}`);
    await expect(loadFlowFile(file)).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      message: expect.stringMatching(/etl\.ts.*Etl\.a: retries must be a whole number from 0, not -1/),
    });
    const unknown = write(
      'need.ts',
      `import { Flow, Task } from 'batuta';\n@Flow()\nexport class Etl {\n  @Task({ needs: ['load'] }) a() {}\n  @Task() loads() {}\n}`,
    );
    await expect(loadFlowFile(unknown)).rejects.toMatchObject({
      code: 'NEED_UNKNOWN',
      message: expect.stringMatching(/need\.ts: Etl\.a needs 'load', which is no task of Etl\. Did you mean 'loads'\?/),
    });
  });

  test('exports two flows of one name', async () => {
    const { write } = ownProject();
    const file = write(
      'two.ts',
      `import { Flow, Task } from 'batuta';\n@Flow({ name: 'x' }) export class A { @Task() a() {} }\n@Flow({ name: 'x' }) export class B { @Task() a() {} }`,
    );
    await expect(loadFlowFile(file)).rejects.toMatchObject({
      code: 'FLOW_DUPLICATE',
      message: expect.stringMatching(/'x': A in .*two\.ts and B in .*two\.ts/),
    });
  });
});
