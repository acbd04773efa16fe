/** What stands around and beside the pages: the way out of an address that leads nowhere, the page of the API, a phone, a connection gone mute. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildDashboard, startBrowser, type TestBrowser } from '../support/browser.ts';
import { type CliProject, makeCliProject, type Started } from './cli-project.ts';
import { goToTab, row } from './dashboard-page.ts';

const flows = `
import { Flow, Task } from 'batuta';
@Flow() export class Says { @Task() async say(): Promise<number> { return 1; } }`;

let project: CliProject;
let dev: Started;
let url: string;
let browser: TestBrowser;
let line: MuteLine;

beforeAll(async () => {
  await buildDashboard();
  project = makeCliProject({ 'flows/all.ts': flows, 'tsconfig.json': '{"compilerOptions":{"experimentalDecorators":true}}' });
  dev = project.start('dev', '--port', '0');
  browser = await startBrowser();
  await dev.sees('Ctrl-C ends it');
  url = /http:\/\/127\.0\.0\.1:\d+/.exec(dev.output())?.[0] ?? '';
  line = await openLine(Number(new URL(url).port));
});

afterAll(async () => {
  await browser?.close();
  await line?.close();
  dev?.child.kill('SIGTERM');
  await dev?.finished;
  project?.remove();
});

/** A connection to a server that can go mute: it stays open, and what either side says is dropped. */
interface MuteLine {
  readonly url: string;
  mute(isMute: boolean): void;
  close(): Promise<void>;
}

async function openLine(port: number): Promise<MuteLine> {
  let muted = false;
  const sockets = new Set<Socket>();
  const server: Server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('data', (data) => void (muted || to.write(data)));
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    mute: (isMute) => void (muted = isMute),
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function right(box: { readonly x: number; readonly width: number } | null): number {
  return box === null ? Number.POSITIVE_INFINITY : Math.floor(box.x + box.width);
}

async function submit(name: string): Promise<string> {
  const { stdout, stderr } = await project.batuta('runs', 'submit', 'says', '--name', name, '--watch', '--json');
  expect(stderr).toBe('');
  return (JSON.parse(stdout) as { id: string }).id;
}

it('an address that leads nowhere says so, and the way out stands beside it', async () => {
  const { page, faults } = await browser.open(`${url}/no/such/page`);
  await page.getByText('No page has this address').waitFor();
  await page.getByRole('link', { name: 'Runs', exact: true }).click();
  await page.getByRole('heading', { name: 'Runs', level: 1 }).waitFor();
  expect(faults()).toEqual([]);
});

it('the page of the API says what each address is for, under the same policy as the dashboard', async () => {
  const { page, faults } = await browser.open(`${url}/api/docs`);
  await page.getByText('Hands a run to the workers', { exact: true }).waitFor();
  expect(await page.title()).toBe('Batuta API');
  await page.getByText('/api/runs/{id}/signal').click();
  await page.getByText('Role: operator.').first().waitFor();
  expect(faults()).toEqual([]);
});

it('on a phone both ends of a backfill can be read whole', async () => {
  const { stderr, status } = await project.batuta('deploy', 'says', '--name', 'nightly', '--cron', '0 2 * * *');
  expect([status, stderr.includes('error')]).toEqual([0, false]);
  const { page, faults } = await browser.open(`${url}/deployments/nightly`, { viewport: { width: 390, height: 844 } });
  await page.getByRole('button', { name: 'Backfill' }).click();
  const boxes = await Promise.all(['From', 'Until'].map((label) => page.getByRole('dialog').getByLabel(label).boundingBox()));
  expect(boxes.map((box) => (box?.width ?? 0) > 220)).toEqual([true, true]);
  expect(faults()).toEqual([]);
});

it('on a phone the tab that is open is in sight, and a history can be read whole', async () => {
  const id = await submit('small-one');
  const { page, faults } = await browser.open(`${url}/runs/${id}?tab=history`, { viewport: { width: 390, height: 844 } });
  await row(page, 'Completed').waitFor();
  await expect.poll(async () => right(await page.getByRole('tab', { name: 'History' }).boundingBox())).toBeLessThanOrEqual(390);
  for (const cell of await page.getByRole('cell').all()) expect(right(await cell.boundingBox())).toBeLessThanOrEqual(390);
  expect(faults()).toEqual([]);
});

it('a tick that no scheduler takes is said to be due, not to be the next', async () => {
  const { status, stderr } = await project.batuta('deploy', 'says', '--name', 'hourly', '--cron', '0 * * * *');
  expect(status, stderr).toBe(0);
  const { page, faults } = await browser.open(`${url}/settings`);
  await page.clock.setFixedTime(Date.now() + 2 * 3_600_000);
  await page.goto(`${url}/deployments`);
  await row(page, 'hourly')
    .getByText(/due .*ago/)
    .waitFor();
  expect(await row(page, 'hourly').locator('[data-state="Late"]').count()).toBe(1);
  expect(faults()).toEqual([]);
});

it('a run names the worker that had it, and so does each change of its history', async () => {
  const id = await submit('calm-one');
  const { page, faults } = await browser.open(`${url}/runs/${id}`);
  const { stdout } = await project.batuta('worker', 'ls', '--json');
  const [worker] = JSON.parse(stdout) as readonly { readonly name: string }[];
  await page.getByRole('link', { name: worker?.name ?? '', exact: true }).waitFor();
  await goToTab(page, 'History');
  await row(page, 'Running')
    .getByRole('link', { name: worker?.name ?? '', exact: true })
    .waitFor();
  expect(await row(page, 'Completed').locator('time').innerText()).toMatch(/^\d\d:\d\d:\d\d$/);
  expect(faults()).toEqual([]);
});

it('a connection that has gone mute without ending is noticed, said, and soon replaced once there is one', async () => {
  const { page, faults } = await browser.open(line.url);
  await page.clock.install();
  await page.goto(`${line.url}/runs`);
  await row(page, 'calm-one').waitFor();
  line.mute(true);
  await page.clock.fastForward(36_000);
  await page.getByText(/^Not live since/).waitFor();
  await submit('unseen-one');
  line.mute(false);
  // What was opened when the silence was noticed is mute too; it is not waited for as long as a first one.
  await page.clock.fastForward(6_000);
  await page.getByText(/^Not live since/).waitFor({ state: 'detached' });
  await page.getByRole('button', { name: '1 new' }).click();
  await row(page, 'unseen-one').waitFor();
  expect(faults()).toEqual([]);
});
