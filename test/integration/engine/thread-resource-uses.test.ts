/** The record of what tasks open in their threads. */
import { symlinkSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openLog } from '../../../src/base/log.ts';
import type { LocalClient } from '../../../src/client/local-client.ts';
import { openLocalClient } from '../../../src/client/open-local-client.ts';
import { loadFlowFile } from '../../../src/define/load.ts';
import type { ResourceUse } from '../../../src/model/resource-use.ts';
import { makeProject, type ProjectFolder } from '../../support/project-folder.ts';

const flows = `
import { Flow, Inject, resource, Task, type TaskContext } from 'batuta';
import { z } from 'zod';
const worker = resource('worker-wide', () => 1, { scope: 'worker' });
const tenant = resource('tenant', async (_ctx, key: string) => key);
const locked = resource('locked', async (_ctx, pin: string) => { throw new Error('refused ' + pin); }, { scope: 'task' });
const params = z.object({ pin: z.string().meta({ sensitive: true }) });
@Flow()
export class Opens {
  @Inject(worker) readonly one!: number;
  @Task({ isolate: 'thread' }) async uses(ctx: TaskContext) { await ctx.use(tenant, 'acme'); return this.one; }
}
@Flow({ params })
export class Fails {
  @Task({ isolate: 'thread' }) async opening(ctx: TaskContext<{ pin: string }>) { await ctx.use(locked, ctx.params.pin); }
}
@Flow()
export class Spins {
  @Task({ isolate: 'thread', timeout: '1s' }) async spin(ctx: TaskContext) { await ctx.use(tenant, 'acme'); for (;;); }
}
`;

let project: ProjectFolder;
let client: LocalClient;
beforeAll(async () => {
  project = makeProject({ 'tsconfig.json': '{ "compilerOptions": { "experimentalDecorators": true } }', 'flows.ts': flows });
  symlinkSync(resolve('node_modules/zod'), `${project.path}/node_modules/zod`);
  const log = await openLog({ level: 'silent', format: 'json' });
  client = await openLocalClient({ databaseUrl: 'sqlite::memory:', log });
});
afterAll(async () => {
  await client.close();
  project.remove();
});

/** What the run of a flow has opened, and the task that did. */
async function usesOf(
  flow: string,
  params: unknown = {},
): Promise<{ readonly uses: readonly ResourceUse[]; readonly taskRunId: string | undefined }> {
  const loaded = (await loadFlowFile(`${project.path}/flows.ts`)).find(({ definition }) => definition.className === flow);
  if (!loaded) throw new Error(`There is no flow ${flow}.`);
  const handle = await client.submit(loaded.flowClass, params);
  await handle.done();
  const { resources, taskRuns } = await client.runs.inspect(handle.id);
  return { uses: resources, taskRunId: taskRuns[0]?.id };
}

test('what a task opens in its thread is recorded as its own, from the beginning of opening to the end of closing; one of scope worker belongs to its thread', async () => {
  const { uses, taskRunId } = await usesOf('Opens');
  const own = { taskRunId, scope: 'task', error: null };
  expect(uses).toMatchObject([{ ...own, resource: "'tenant' (acme)" }]);
  for (const { beganAt, openedAt, closingAt, closedAt } of uses) {
    const steps = [beganAt, openedAt ?? NaN, closingAt ?? NaN, closedAt ?? NaN];
    expect(steps).toEqual(steps.toSorted((a, b) => a - b));
  }
});

test('what could not be opened in a thread says why, without what is hidden', async () => {
  const { uses } = await usesOf('Fails', { pin: 'planted' });
  expect(uses).toMatchObject([{ resource: "'locked' ([redacted])", openedAt: null, closedAt: expect.any(Number) }]);
  expect(uses[0]?.error).toContain('refused');
  expect(JSON.stringify(uses)).not.toContain('planted');
});

test('what was open in a thread that had to be ended is recorded as ended with it', async () => {
  const { uses } = await usesOf('Spins');
  expect(uses).toMatchObject([
    { openedAt: expect.any(Number), closingAt: null, closedAt: expect.any(Number), error: 'Its thread was ended, so nothing closed it.' },
  ]);
});
