/** What one keeps, narrows and compares in a real browser: saved views, the brush over time, both clocks, the versions of a deployment. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildDashboard, startBrowser, type TestBrowser } from '../support/browser.ts';
import { type CliProject, makeCliProject, type Started } from './cli-project.ts';
import { card, row } from './dashboard-page.ts';

const flow = (tasks: string): string => `
import { Flow, Task } from 'batuta';
@Flow() export class Says {
  @Task() async say(): Promise<number> { return 1; }
  ${tasks}
}`;

let project: CliProject;
let dev: Started;
let url: string;
let browser: TestBrowser;

beforeAll(async () => {
  await buildDashboard();
  project = makeCliProject({ 'flows/all.ts': flow(''), 'tsconfig.json': '{"compilerOptions":{"experimentalDecorators":true}}' });
  dev = project.start('dev', '--port', '0');
  browser = await startBrowser();
  await dev.sees('Ctrl-C ends it');
  url = /http:\/\/127\.0\.0\.1:\d+/.exec(dev.output())?.[0] ?? '';
  await project.batuta('runs', 'submit', 'says', '--name', 'calm-one', '--watch');
});

afterAll(async () => {
  await browser?.close();
  dev?.child.kill('SIGTERM');
  await dev?.finished;
  project?.remove();
});

it('filters are kept under a name, found again after a reload, and forgotten', async () => {
  const { page, faults } = await browser.open(`${url}/runs?flow=says&last=7d`);
  const views = page.locator('main').getByRole('button', { name: /^(Saved views|says)/ });
  const dialog = page.getByRole('dialog');
  await row(page, 'calm-one').waitFor();
  await views.click();
  await dialog.getByLabel('Name of the view').fill('says <b>all</b>');
  await page.keyboard.press('Enter');
  await expect.poll(() => views.innerText()).toBe('says <b>all</b>');
  await page.goto(`${url}/runs`);
  await views.click();
  await dialog.getByRole('button', { name: 'says <b>all</b>', exact: true }).click();
  await expect.poll(() => new URL(page.url()).search).toBe('?flow=says&last=7d');
  await views.click();
  await dialog.getByRole('button', { name: 'Forget the view says <b>all</b>' }).click();
  await expect.poll(() => views.innerText()).toBe('Saved views');
  expect(faults()).toEqual([]);
});

it('dragging over the runs of a day leads to those of that time range, and hovering over a time shows it in UTC', async () => {
  const { page, faults } = await browser.open(url, { timezoneId: 'Asia/Tokyo' });
  const plot = page.getByRole('slider', { name: /^Runs over time/ });
  await plot.waitFor();
  const { x = 0, y = 0, width = 0, height = 0 } = (await plot.boundingBox()) ?? {};
  await page.mouse.move(x + width * 0.7, y + height / 2);
  await page.mouse.down();
  await page.mouse.move(x + width - 1, y + height / 2, { steps: 4 });
  await page.mouse.up();
  await page.waitForURL(/\/runs\?since=.*&until=/);
  await page.goto(`${url}/runs`);
  const time = row(page, 'calm-one').locator('time').first();
  const at = (await time.getAttribute('datetime'))?.slice(0, 19).replace('T', ' ');
  await time.hover();
  await page.getByText(`${at} UTC`).waitFor();
  await page.getByText(/Asia\/Tokyo/).waitFor();
  expect(faults()).toEqual([]);
});

it('the versions of a deployment tell in words and as a graph what changed', async () => {
  const deploy = (...args: string[]) => project.batuta('deploy', 'says', '--name', 'nightly', ...args);
  expect((await deploy('--cron', '0 2 * * *')).status).toBe(0);
  writeFileSync(
    join(project.path, 'flows/all.ts'),
    flow("@Task({ needs: ['say'] }) async tell(one: number): Promise<number> { return one; }"),
  );
  expect((await deploy('--cron', '0 3 * * *')).status).toBe(0);
  const { page, faults } = await browser.open(`${url}/deployments/nightly`);
  await page.getByText('schedule cron: 0 2 * * * → 0 3 * * *').waitFor();
  await page.getByRole('button', { name: 'The graph changed' }).click();
  await card(page, 'tell').getByText('added').waitFor();
  expect(faults()).toEqual([]);
});
