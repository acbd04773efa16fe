/** The containers of the guide, as they make the flows of a project: in a worker, in threads, and in tests of flows. */
import { symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { readBlocks } from '../support/documents.ts';
import { type CliProject, makeCliProject, type Started } from './cli-project.ts';

const blocks = readBlocks('docs/guides/dependency-injection.md').filter(({ language }) => language === 'ts');
const inTest = `import { testFlow } from 'batuta/testing';
import config from './batuta.config.ts';
import { Invoice } from './flows/invoice.ts';
const { state, result, error } = await testFlow(Invoice, {}, { instantiate: config.instantiate! });
console.log(state.name, result, error?.code);
`;
const registered = { NODE_OPTIONS: '--import batuta/register' };
/** A container that cannot be made, or lacks what the flow asks for. */
const breakIn = (config: string): string =>
  config.replace('@Module({', '@Module({ imports: [undefined as never],').replace('rates: as', 'other: as');

let project: CliProject;
let worker: Started | null = null;
afterEach(async () => {
  worker?.child.kill('SIGTERM');
  await worker?.finished;
  project.remove();
});

test.each([
  ['NestJS, with legacy decorators', '@nestjs/core', ['@nestjs', 'reflect-metadata', 'rxjs'], true],
  ['awilix, with standard decorators', 'awilix', ['awilix'], false],
])(
  '%s gives flows what their constructors take, in a worker, a thread and a test',
  { timeout: 120_000 },
  async (_name, from, packages, legacy) => {
    const at = blocks.findIndex(({ code }) => code.includes(`from '${from}'`));
    project = makeCliProject({
      'batuta.config.ts': blocks[at]?.code ?? '',
      'flows/invoice.ts': blocks[at + 1]?.code ?? '',
      'tsconfig.json': JSON.stringify({ compilerOptions: { experimentalDecorators: legacy } }),
      'package.json': '{"type":"module"}',
      'in-test.ts': inTest,
    });
    for (const name of packages) symlinkSync(resolve('node_modules', name), join(project.path, 'node_modules', name));
    worker = project.start('worker', '--flows', 'flows');
    await worker.sees('serves default');
    const submitted = await project.batuta('runs', 'submit', 'invoice', '--watch', '--json');
    expect(submitted.status, submitted.stdout + submitted.stderr).toBe(0);
    expect(JSON.parse(submitted.stdout)).toMatchObject({ state: { name: 'Completed' }, result: 1100 });
    expect(await project.startNode('in-test.ts', registered).finished).toMatchObject({ status: 0, stdout: 'Completed 1100 undefined\n' });

    // What cannot be made fails its run, and nothing else.
    project.write('batuta.config.ts', breakIn(blocks[at]?.code ?? ''));
    const broken = await project.startNode('in-test.ts', registered).finished;
    expect(broken, broken.stderr).toMatchObject({ status: 0, stdout: 'Failed undefined INSTANTIATE_FAILED\n' });
  },
);
