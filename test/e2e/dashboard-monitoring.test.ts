/** The page Monitoring in a real browser: what it says of a fleet, that it goes on by itself, and that it names what is wrong. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildDashboard, startBrowser, type TestBrowser } from '../support/browser.ts';
import { type CliProject, makeCliProject, type Started } from './cli-project.ts';

let project: CliProject;
let dev: Started;
let url: string;
let browser: TestBrowser;

beforeAll(async () => {
  await buildDashboard();
  project = makeCliProject({
    'flows/all.ts': `
      import { Flow, Task } from 'batuta';
      @Flow() export class Says { @Task() async say(): Promise<number> { return 1; } }`,
    'tsconfig.json': '{"compilerOptions":{"experimentalDecorators":true}}',
    'batuta.config.ts': `
      export default { health: { warehouse: () => ({ status: 'degraded', found: 'replica <b>behind</b>', mend: 'Wait for it.' }) } };`,
  });
  dev = project.start('dev', '--port', '0');
  browser = await startBrowser();
  await dev.sees('Ctrl-C ends it');
  url = /http:\/\/127\.0\.0\.1:\d+/.exec(dev.output())?.[0] ?? '';
});

afterAll(async () => {
  await browser?.close();
  dev?.child.kill('SIGTERM');
  await dev?.finished;
  project?.remove();
});

it('shows checks with what they found, those of the project as text, and figures that change by themselves', async () => {
  const { page, faults } = await browser.open(url);
  await page.getByRole('link', { name: 'Monitoring' }).first().click();
  const check = page.getByRole('row', { name: /^warehouse/ });
  await check.waitFor();
  expect(await check.innerText()).toMatch(/Degraded[\s\S]*replica <b>behind<\/b>[\s\S]*Wait for it\./);
  expect(await page.getByRole('row', { name: /^database/ }).innerText()).toContain('Healthy');
  const health = await (await fetch(`${url}/health`)).json();
  expect(health).toMatchObject({ status: 'degraded', checks: expect.arrayContaining([{ name: 'warehouse', status: 'degraded' }]) });
  const { checks } = JSON.parse((await project.batuta('doctor', '--json')).stdout);
  expect(checks).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ name: 'warehouse', verdict: 'odd', found: 'replica <b>behind</b>', mend: 'Wait for it.' }),
    ]),
  );
  const tile = page.getByRole('heading', { name: 'Ended, last minute' }).locator('..');
  await tile.waitFor();
  await project.batuta('runs', 'submit', 'says', '--watch');
  await expect.poll(() => tile.locator('strong').innerText(), { timeout: 20_000 }).toBe('1');
  expect(faults()).toEqual([]);
  const metrics = await (await fetch(`${url}/metrics`)).text();
  expect(metrics).toContain('batuta_runs_total{flow="says",state="Completed"} 1');
  expect(metrics).toContain('batuta_worker_places 16');
});
