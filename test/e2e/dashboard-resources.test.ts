/** What a run has opened, on its timeline in a real browser. */
import { describe, expect, it } from 'vitest';
import { state } from './dashboard-page.ts';
import { useDashboard } from './dashboard-place.ts';

const flows = `
import { Flow, resource, Task, type TaskContext } from 'batuta';
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const warehouse = resource('warehouse', async function* () { await pause(150); try { yield 1; } finally { await pause(60); } });
const session = resource('session', async function* () { await pause(20); yield 1; await pause(20); }, { scope: 'task' });
const mailer = resource('mailer', async (ctx) => {
  await pause(100);
  if (ctx.task.attempt === 1) throw new Error('no <b>answer</b> from the mail server');
  return 1;
}, { scope: 'task' });
const tenantDb = resource('tenant-db', async function* (_ctx, tenant: string) { await pause(30); yield tenant; await pause(10); });

@Flow() export class NightlyLoad {
  @Task() async load(ctx: TaskContext) { await ctx.use(warehouse); await ctx.use(session); await pause(300); return [1, 2, 3, 4]; }
  @Task({ each: 'load', isolate: 'thread' }) async transform(n: number, ctx: TaskContext) { await ctx.use(session); await pause(80 * n); return n; }
  @Task({ needs: ['transform'], retries: 1, retryDelay: 100 }) async report(_: number[], ctx: TaskContext) { await ctx.use(warehouse); await ctx.use(mailer); await pause(200); }
}
@Flow() export class AllTenants {
  @Task() async each(ctx: TaskContext) { for (let at = 1; at <= 12; at++) { await ctx.use(tenantDb, 'tenant ' + at); await pause(20); } }
}
@Flow() export class Plain { @Task() async one() { return 1; } }
`;

describe('the timeline', () => {
  const { open, visit, command, submit, faults, accessFaults } = useDashboard('one SQLite file', flows);

  async function ended(flow: string): Promise<string> {
    const id = await submit(flow);
    await command('runs', 'watch', id);
    return id;
  }

  it('shows what the run has opened: name, key, scope, how long opening took, what failed; many are folded, and none are nothing', async () => {
    const few = await ended('nightly-load');
    const page = await open(`/runs/${few}?tab=timeline`);
    await state(page, 'Completed').waitFor();
    const drawn = page.getByRole('img', { name: /^Resource / });
    await expect.poll(() => drawn.count()).toBe(3);
    const spoken = await Promise.all((await drawn.all()).map((row) => row.getAttribute('aria-label')));
    expect(spoken).toEqual([
      expect.stringMatching(/^Resource warehouse of the run: opening \d+ ms, open [\d.]+ s, closing \d+ ms$/),
      'Resource session of the task: opened 5 times',
      'Resource mailer of the task: opened 2 times, 1 failed',
    ]);
    const told = page.locator('svg title');
    await expect
      .poll(() => told.allTextContents())
      .toContainEqual(expect.stringMatching(/^report: .*no <b>answer<\/b> from the mail server$/));
    expect(await page.locator('rect[data-failed]').count()).toBe(1);
    expect(await accessFaults(page)).toEqual([]);

    await visit(page, `/runs/${await ended('all-tenants')}?tab=timeline`);
    const head = page.getByRole('button', { name: 'Resources · 12' });
    await head.waitFor();
    expect([await head.getAttribute('aria-expanded'), await drawn.count()]).toEqual(['false', 0]);
    await head.press('Enter');
    await page.getByRole('img', { name: /^Resource tenant-db \(tenant 12\) of the run/ }).waitFor();
    expect(await drawn.count()).toBe(12);

    await visit(page, `/runs/${await ended('plain')}?tab=timeline`);
    await page.getByRole('img', { name: /^one: Completed/ }).waitFor();
    expect(await page.getByText('Resources').count()).toBe(0);
    expect(faults()).toEqual([]);
  }, 60_000);
});
