import { expect, onTestFinished, test } from 'vitest';
import { Flow, Inject, resource, Task, type TaskContext } from 'batuta';
import { override, testFlow } from 'batuta/testing';

const warehouse = resource('warehouse', (): { count(): number } => ({ count: () => Number.NaN }), { scope: 'worker' });
const tenantDb = resource('tenant-db', (_ctx, tenant: string) => `real ${tenant}`);
const mailer = resource('mailer', () => 'real mailer');

@Flow()
class Load {
  @Inject(warehouse) readonly pool!: { count(): number };

  @Task()
  async load(ctx: TaskContext): Promise<unknown[]> {
    return [this.pool.count(), await ctx.use(tenantDb, 'acme')];
  }

  @Task({ after: ['load'], when: () => false })
  async mail(ctx: TaskContext): Promise<string> {
    return ctx.use(mailer);
  }
}

/** What the process is warned of meanwhile. */
function warnings(): Error[] {
  const heard: Error[] = [];
  const hear = (warning: Error): number => heard.push(warning);
  process.on('warning', hear);
  onTestFinished(() => void process.off('warning', hear));
  return heard;
}

test('pairs of a resource and its fake stand in its place: a value, or what opens one, with its key', async () => {
  const closed: string[] = [];
  const run = await testFlow(
    Load,
    {},
    {
      resources: [
        override(warehouse, { count: () => 7 }),
        override(tenantDb, function* (_ctx, tenant) {
          yield `fake ${tenant}`;
          closed.push(tenant);
        }),
      ],
    },
  );
  expect(run.task('load').result).toEqual([7, 'fake acme']);
  expect(closed).toEqual(['acme']);
});

test('a name much like that of a resource that was opened for real is refused', async () => {
  const resources = { warehouse: { count: () => 7 }, 'tenant-bd': 'fake' };
  await expect(testFlow(Load, {}, { resources })).rejects.toMatchObject({
    code: 'USAGE',
    message: "No resource 'tenant-bd' was opened in the test of Load, so its replacement was not used. Did you mean 'tenant-db'?",
  });
});

test('a fake that nothing used is warned of, with the resources there were; one of a pair or a field is not', async () => {
  const heard = warnings();
  await testFlow(Load, {}, { resources: [override(mailer, 'fake')] });
  await testFlow(Load, {}, { resources: { warehouse: { count: () => 7 } }, override: { load: [] } });
  await testFlow(Load, {}, { resources: { mailer: 'fake' } });
  await expect.poll(() => heard.length).toBe(1);
  expect(heard[0]).toMatchObject({
    code: 'BATUTA_OVERRIDE_UNUSED',
    message: expect.stringContaining('Opened were: warehouse, tenant-db.'),
  });
});

test('two fakes of one resource, and a pair of no resource, are refused', async () => {
  const resources = [override(mailer, 'one'), override(mailer, 'two')];
  await expect(testFlow(Load, {}, { resources })).rejects.toMatchObject({ code: 'USAGE', message: expect.stringContaining("'mailer'") });
  expect(() => override({ name: 'mailer' } as unknown as typeof mailer, 'fake')).toThrow('override() takes a resource');
});
