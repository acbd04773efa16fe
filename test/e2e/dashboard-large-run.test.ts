/** The page of a run with very many task runs in a real browser. */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { card, goToTab, state } from './dashboard-page.ts';
import { placeNames, useDashboard } from './dashboard-place.ts';

const flows = `
import { Flow, Task, type TaskContext } from 'batuta';
import { existsSync } from 'node:fs';

async function until(file: string, ctx: TaskContext): Promise<void> {
  while (!existsSync(file)) { ctx.signal.throwIfAborted(); await new Promise((resolve) => setTimeout(resolve, 20)); }
}
@Flow()
export class Parcels {
  @Task() async list(): Promise<number[]> { return Array.from({ length: 10_000 }, (_, at) => at); }
  @Task({ each: 'list' }) async pack(item: number): Promise<number> {
    if (item === 7_777) throw new Error('parcel 7777 is torn');
    return item;
  }
  @Task({ needs: ['pack'], trigger: 'allDone' }) async ship(_packed: unknown, ctx: TaskContext): Promise<string> { await until('go', ctx); return 'gone'; }
}
@Flow()
export class Calls {
  async run(): Promise<number> {
    const first = this.first();
    const all = await Promise.all(Array.from({ length: 3_000 }, (_, at) => this.double(first, at)));
    return await this.sum(all.length);
  }
  @Task() async first(): Promise<number> { return 1; }
  @Task() async double(base: number, at: number): Promise<number> { return base + at * 2; }
  @Task() async sum(count: number): Promise<number> { return count; }
}`;

/** Notes what a page asks the API for, and how large the answers are. */
function watchAsks(page: Page): { readonly paths: string[]; bytes: number } {
  const asked = { paths: [] as string[], bytes: 0 };
  page.on('response', (response) => {
    const { pathname, search } = new URL(response.url());
    if (!pathname.startsWith('/api/runs/')) return;
    asked.paths.push(pathname.replace(/[0-9a-f-]{36}/, ':id') + search);
    void response.body().then(
      (body) => (asked.bytes += body.length),
      () => undefined,
    );
  });
  return asked;
}

describe.each(placeNames)('a run of ten thousand on %s', (on) => {
  const { open, submit, leave, faults } = useDashboard(on, flows);

  it('is drawn, looked into and followed to its end without asking for its task runs', async () => {
    const id = await submit('parcels');
    const page = await open('/flows');
    const asked = watchAsks(page);
    await page.goto(new URL(`/runs/${id}`, page.url()).href);
    await card(page, 'pack')
      .getByText(/10.000\/10.000/)
      .waitFor({ timeout: 60_000 });
    await card(page, 'ship').getByText('Running').waitFor();
    asked.paths.length = asked.bytes = 0;
    await page.reload();
    await card(page, 'pack')
      .getByText(/10.000\/10.000/)
      .waitFor();
    expect(asked.paths.filter((path) => path.includes('/tasks'))).toEqual([]);
    expect(asked.bytes).toBeLessThan(64 * 1024);

    await card(page, 'pack').getByRole('button').click();
    const panel = page.getByRole('complementary', { name: /^Task / });
    await panel.getByText('parcel 7777 is torn').waitFor();
    expect(await panel.getByRole('button', { name: /pack \[/ }).count()).toBe(100);
    await panel.getByText('pack [7777]').click();
    await panel.getByText('Error', { exact: true }).first().waitFor();
    await page.getByRole('button', { name: 'all of pack' }).click();
    await panel.getByText(/9.900 more of 10.000/).waitFor();

    leave('go');
    await state(page, 'Failed').waitFor();
    await card(page, 'ship').getByText('Completed').waitFor();
    expect(asked.paths.filter((path) => path.includes('limit=1000'))).toEqual([]);
    await goToTab(page, 'Tasks');
    await page.getByText(/10.002 task runs/).waitFor();
    expect(faults()).toEqual([]);
  }, 180_000);

  it('of a code flow is drawn by its tasks, with what each was given', async () => {
    const id = await submit('calls');
    const page = await open(`/runs/${id}`);
    await state(page, 'Completed').waitFor({ timeout: 60_000 });
    const asked = watchAsks(page);
    await page.reload();
    await card(page, 'double')
      .getByText(/3.000\/3.000/)
      .waitFor();
    await page.getByText(/3.002 task runs, one card per task/).waitFor();
    await expect.poll(() => page.locator('.react-flow__edge').count()).toBe(2);
    expect(asked.paths.filter((path) => path.includes('/tasks'))).toEqual([]);
    await card(page, 'sum').getByRole('button').click();
    await page.getByRole('complementary').getByText('3000').first().waitFor();
    expect(faults()).toEqual([]);
  }, 180_000);
});
