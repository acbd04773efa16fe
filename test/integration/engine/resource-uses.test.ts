/** The record of what runs open. */
import { expect, test } from 'vitest';
import { Flow, resource, Task, type TaskContext } from 'batuta';
import { paintOf } from '../../../src/cli/render/shapes.ts';
import { resourceLines } from '../../../src/cli/render/resource-uses.ts';
import { inspectionJson } from '../../../src/cli/render/json.ts';
import type { ResourceUse } from '../../../src/model/resource-use.ts';
import { ownEngine } from '../../support/own-engine.ts';

const pool = resource('pool', () => 'pool');
const tenant = resource('tenant', (_ctx, key: string) => key, { scope: 'task' });
const process = resource('process', () => 'process', { scope: 'worker' });
const locked = resource('locked', () => Promise.reject(new Error('the door is locked')), { scope: 'task' });
const stuck = resource(
  'stuck',
  async function* () {
    yield 'stuck';
    throw new Error('the door does not close');
  },
  { scope: 'task' },
);

@Flow()
class Opens {
  @Task()
  async plain(): Promise<number> {
    return 1;
  }

  @Task()
  async uses(ctx: TaskContext): Promise<void> {
    for (const one of [process, pool]) await ctx.use(one);
    await ctx.use(tenant, 'acme');
    await ctx.use(tenant, 'acme');
  }
}

@Flow()
class OpensNothing {
  @Task()
  async plain(): Promise<number> {
    return 1;
  }
}

@Flow()
class Fails {
  @Task()
  async opening(ctx: TaskContext): Promise<void> {
    await ctx.use(locked);
  }

  @Task()
  async closing(ctx: TaskContext): Promise<void> {
    await ctx.use(stuck);
  }
}

test('a run shows what it and its tasks have opened, from the beginning of opening to the end of closing', async () => {
  const { client } = await ownEngine();
  const handle = await client.submit(Opens);
  await handle.done();
  const inspection = await client.runs.inspect(handle.id);
  const { resources, taskRuns } = inspection;
  const id = taskRuns.find(({ name }) => name === 'uses')?.id;
  expect(resources.map(({ resource: name, scope, taskRunId, error }) => ({ name, scope, taskRunId, error }))).toEqual([
    { name: "'pool'", scope: 'run', taskRunId: null, error: null },
    { name: "'tenant' (acme)", scope: 'task', taskRunId: id, error: null },
  ]);
  for (const use of resources) expect(isInOrder(use)).toBe(true);
  const lines = resourceLines(inspection, { paint: paintOf(false), width: 200 });
  expect(lines).toHaveLength(3);
  expect(lines[2]).toMatch(/'tenant' \(acme\) +uses /);
  expect(inspectionJson(inspection, null)).toMatchObject({
    resources: [
      { resource: "'pool'", closedAt: expect.stringMatching(/Z$/), openingMs: expect.any(Number), openMs: expect.any(Number) },
      { resource: "'tenant' (acme)", taskRunId: id, closingMs: expect.any(Number) },
    ],
  });
  await client.close();
});

test('what could not be opened or closed says why', async () => {
  const { client } = await ownEngine();
  const handle = await client.submit(Fails);
  await handle.done();
  const inspection = await client.runs.inspect(handle.id);
  const byName = new Map(inspection.resources.map((use) => [use.resource, use]));
  expect(byName.get("'locked'")).toMatchObject({
    openedAt: null,
    closedAt: expect.any(Number),
    error: expect.stringContaining('the door is locked'),
  });
  expect(byName.get("'stuck'")).toMatchObject({
    openedAt: expect.any(Number),
    closedAt: expect.any(Number),
    error: expect.stringContaining('the door does not close'),
  });
  expect(resourceLines(inspection, { paint: paintOf(false), width: 200 }).join('\n')).toContain('the door is locked');
  await client.close();
});

test('a run that opens nothing has no such record', async () => {
  const { client } = await ownEngine();
  const handle = await client.submit(OpensNothing);
  await handle.done();
  const inspection = await client.runs.inspect(handle.id);
  expect(inspection.resources).toEqual([]);
  expect(resourceLines(inspection, { paint: paintOf(false), width: 200 })).toEqual([]);
  await client.close();
});

function isInOrder({ beganAt, openedAt, closingAt, closedAt }: ResourceUse): boolean {
  return (
    openedAt !== null && closingAt !== null && closedAt !== null && beganAt <= openedAt && openedAt <= closingAt && closingAt <= closedAt
  );
}
