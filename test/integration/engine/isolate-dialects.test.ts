/** Tasks in threads and processes of flows that are written in each way: legacy and standard decorators, and CommonJS. */
import { afterEach, expect, test } from 'vitest';
import { openLog } from '../../../src/base/log.ts';
import { openLocalClient } from '../../../src/client/open-local-client.ts';
import { loadFlowFile } from '../../../src/define/load.ts';
import { makeProject, type ProjectFolder } from '../../support/project-folder.ts';

let project: ProjectFolder;
afterEach(() => project.remove());

const typescript = `
import { Flow, Inject, resource, Task, type TaskContext } from 'batuta';
import { own } from './own.ts';
const greeting = resource('greeting', async function* () { yield 'hello'; });
@Flow()
export class Apart {
  @Inject(greeting) GREETING!: string;
  @Task({ isolate: 'thread' }) thread() { return [own(), this.greeting, process.pid] as const; }
  @Task({ isolate: 'process', memory: '512 MB' }) process(ctx: TaskContext) { ctx.log.info('apart'); return [own(), this.greeting, process.pid] as const; }
  @Task({ isolate: 'process', needs: ['thread', 'process'], retries: 1, retryDelay: 1 }) both(a: readonly unknown[], b: readonly unknown[], ctx: TaskContext) {
    if (ctx.task.attempt === 1) throw new Error('once more');
    return [a[0], b[0], a[2] === b[2]];
  }
}`;
const commonjs = `
const { Flow, Task, resource, Inject } = require('batuta');
const { own } = require('./own.cjs');
const greeting = resource('greeting', async function* () { yield 'hello'; });
class Apart {
  thread() { return [own(), this.greeting, process.pid]; }
  process(ctx) { ctx.log.info('apart'); return [own(), this.greeting, process.pid]; }
  both(a, b, ctx) {
    if (ctx.task.attempt === 1) throw new Error('once more');
    return [a[0], b[0], a[2] === b[2]];
  }
}
const decorate = (name, options) => Task(options)(Apart.prototype, name, Object.getOwnPropertyDescriptor(Apart.prototype, name));
Inject(greeting)(Apart.prototype, 'greeting');
decorate('thread', { isolate: 'thread' });
decorate('process', { isolate: 'process', memory: '512 MB' });
decorate('both', { isolate: 'process', needs: ['thread', 'process'], retries: 1, retryDelay: 1 });
Flow()(Apart);
exports.Apart = Apart;`;
const own = { 'own.ts': `export const own = (): string => 'own';\n`, 'own.cjs': `exports.own = () => 'own';\n` };

test.each([
  ['legacy decorators', 'flow.ts', typescript.replace('GREETING', 'readonly greeting'), { experimentalDecorators: true }, 'module'],
  ['standard decorators', 'flow.ts', typescript.replace('GREETING', 'greeting'), {}, 'module'],
  ['CommonJS', 'flow.cjs', commonjs, {}, 'commonjs'],
  ['CommonJS by the type of its package', 'flow.js', commonjs, {}, 'commonjs'],
] as const)('a flow with %s runs its tasks in threads and processes', async (_what, name, text, compilerOptions, type) => {
  project = makeProject({ 'tsconfig.json': JSON.stringify({ compilerOptions }), 'package.json': JSON.stringify({ type }), ...own });
  const [loaded] = await loadFlowFile(project.write(name, text));
  if (!loaded) throw new Error('There is no flow.');
  const client = await openLocalClient({
    databaseUrl: 'sqlite::memory:',
    log: await openLog({ level: 'info', format: 'json', write: () => undefined }),
  });
  try {
    const handle = await client.submit(loaded.flowClass, {});
    const run = await handle.done();
    const { taskRuns } = await client.runs.inspect(handle.id);
    expect(
      taskRuns.map(({ name: task, state, attempt, usageScope, error }) => [task, state.name, attempt, usageScope, error?.message]),
    ).toEqual([
      ['thread', 'Completed', 1, 'thread', undefined],
      ['process', 'Completed', 1, 'process', undefined],
      ['both', 'Completed', 2, 'process', undefined],
    ]);
    expect(run.state.name).toBe('Completed');
    expect(await handle.result()).toEqual(['own', 'own', false]);
    expect((await client.runs.logs(handle.id)).map(({ message }) => message)).toContain('apart');
  } finally {
    await client.close();
  }
});
