/** What tasks give out and nobody awaits, in threads and processes: it fails its task as it does in the thread of the engine. */
import { symlinkSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openLog } from '../../../src/base/log.ts';
import type { LocalClient } from '../../../src/client/local-client.ts';
import { openLocalClient } from '../../../src/client/open-local-client.ts';
import { loadFlowFile } from '../../../src/define/load.ts';
import { makeProject, type ProjectFolder } from '../../support/project-folder.ts';

const flowOf = (className: string, where: string): string => `
@Flow()
export class ${className} {
  static readonly emits = { n: z.number() };
  @Task(${where}) named(ctx: TaskContext) { void ctx.emit('a b', 1); return 'named'; }
  @Task(${where}) async refused(ctx: TaskContext) { void ctx.emit('n', 'seven'); return 'refused'; }
  @Task(${where}) async late(ctx: TaskContext) { void ctx.emit('n', 'seven'); await sleep(300); return 'late'; }
  @Task(${where}) async unsent(ctx: TaskContext) { void ctx.emit('n', () => 1); return 'unsent'; }
  @Task(${where}) async shown(ctx: TaskContext) { void ctx.artifact.link(5 as unknown as string, 'x'); return 'shown'; }
  @Task(${where}) async taken(ctx: TaskContext) { ctx.emit('n', 'seven').catch(() => undefined); return 'taken'; }
  @Task(${where}) async recorded(ctx: TaskContext) { for (let n = 1; n <= 3; n++) void ctx.emit('n', n); return 'recorded'; }
  @Task(${where.replace('}', ', retries: 1, retryDelay: 1 }')}) async again(ctx: TaskContext) {
    if (ctx.task.attempt === 1) void ctx.emit('n', 'seven');
    return 'again';
  }
}
@Flow()
export class Books${className} {
  static readonly emits = { late: z.string().refine(async () => { await sleep(300); return false; }) };
  @Task(${where.replace('}', ', transaction: ledger }')}) async booked(ctx: TransactionContext<typeof ledger>) {
    await ctx.tx.query('create table if not exists t (a)');
    void (ctx as unknown as TaskContext).emit('late', 'refused once it is committed');
    return 'booked';
  }
}`;

const flows = `
import { setTimeout as sleep } from 'node:timers/promises';
import { Flow, Task, type TaskContext, type TransactionContext } from 'batuta';
import { sqlite } from 'batuta/resources';
import { z } from 'zod';
const ledger = sqlite('ledger', { file: ':memory:' });
${flowOf('Here', "{ timeout: '1m' }")}
${flowOf('InThreads', "{ isolate: 'thread' }")}
${flowOf('InProcesses', "{ isolate: 'process' }")}
`;

let project: ProjectFolder;
let client: LocalClient;
beforeAll(async () => {
  project = makeProject({ 'tsconfig.json': '{ "compilerOptions": { "experimentalDecorators": true } }', 'flows.ts': flows });
  symlinkSync(resolve('node_modules/zod'), `${project.path}/node_modules/zod`);
  client = await openLocalClient({ databaseUrl: 'sqlite::memory:', log: await openLog({ level: 'silent', format: 'json' }) });
});
afterAll(async () => {
  await client.close();
  project.remove();
});

/** The run of a flow once it has ended, and its task runs. */
async function endOf(className: string) {
  const loaded = (await loadFlowFile(`${project.path}/flows.ts`)).find(({ definition }) => definition.className === className);
  if (!loaded) throw new Error(`There is no flow ${className}.`);
  const handle = await client.submit(loaded.flowClass, {});
  const run = await handle.done();
  return { run, taskRuns: (await client.runs.inspect(handle.id)).taskRuns };
}

describe.each(['Here', 'InThreads', 'InProcesses'])('of the flow %s', (className) => {
  test('a refusal that nobody takes fails its task, and nothing else does', async () => {
    const { run, taskRuns } = await endOf(className);
    const ends = Object.fromEntries(taskRuns.map(({ name, state, error }) => [name, error?.code ?? state.name]));
    expect(ends).toEqual({
      ...{ named: 'ERROR_ESCAPED', refused: 'ERROR_ESCAPED', late: 'ERROR_ESCAPED', unsent: 'ERROR_ESCAPED' },
      // Beside what it gives out, an error that comes with the end of a task is its run's in the thread of the engine.
      shown: className === 'Here' ? 'Completed' : 'ERROR_ESCAPED',
      ...{ taken: 'Completed', recorded: 'Completed', again: 'Completed' },
    });
    const messages = taskRuns.flatMap(({ error }) => error?.message ?? []);
    expect(messages.every((message) => message.includes('did not await was rejected'))).toBe(true);
    expect(run.state.name).toBe('Failed');
    const given: unknown[] = [];
    for await (const { value } of client.runs.emitted(run.id, 'n')) given.push(value);
    expect(given).toEqual([1, 2, 3]);
  });

  test('one that comes when its transaction is committed fails its run, and the task stands', async () => {
    const { run, taskRuns } = await endOf(`Books${className}`);
    expect(taskRuns.map(({ state, attempt }) => [state.name, attempt])).toEqual([['Completed', 1]]);
    expect([run.state.name, run.error?.code]).toEqual(['Failed', 'ERROR_ESCAPED']);
    expect(run.error?.message).toContain('task booked did not await was rejected');
  });
});
