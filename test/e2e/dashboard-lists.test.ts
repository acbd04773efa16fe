/** Home and the list of runs in a real browser, on a real `batuta dev`: server, scheduler and worker on one SQLite file. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { buildDashboard, startBrowser, type TestBrowser, type WatchedPage } from '../support/browser.ts';
import { type CliProject, makeCliProject, type Started } from './cli-project.ts';

/** `holds` waits for the file `go`, `breaks` fails at once, `says` is done at once. */
const flows = `
import { Flow, Task, type TaskContext } from 'batuta';
import { existsSync } from 'node:fs';
@Flow({ tags: ['quick'] }) export class Says {
  @Task() async say(ctx: TaskContext) { await ctx.artifact.markdown('greeting', '# Hello <b>there</b>'); return 1; }
}
@Flow() export class Breaks { @Task() async bad() { throw new TypeError('no <i>carrier</i> there'); } }
@Flow() export class Holds {
  @Task() async hold(ctx: TaskContext) {
    while (!existsSync('go')) { ctx.signal.throwIfAborted(); await new Promise((resolve) => setTimeout(resolve, 20)); }
  }
}`;
const config = `
import { defineConfig } from 'batuta';
export default defineConfig({ deployments: [{ flow: 'says', name: 'yearly', schedules: [{ cron: '0 0 1 1 *' }] }] });`;

let project: CliProject;
let dev: Started;
let url: string;
let browser: TestBrowser;
const opened: WatchedPage[] = [];

beforeAll(async () => {
  await buildDashboard();
  project = makeCliProject({
    'flows/all.ts': flows,
    'batuta.config.ts': config,
    'tsconfig.json': '{"compilerOptions":{"experimentalDecorators":true}}',
  });
  dev = project.start('dev', '--port', '0');
  browser = await startBrowser();
  await dev.sees('Ctrl-C ends it');
  url = /http:\/\/127\.0\.0\.1:\d+/.exec(dev.output())?.[0] ?? '';
  await Promise.all([submit('says', 'calm-one'), submit('breaks', 'sad-one'), submit('breaks', 'sad-two')]);
});

afterAll(async () => {
  await browser?.close();
  dev?.child.kill('SIGTERM');
  await dev?.finished;
  project?.remove();
});

beforeEach(() => {
  opened.length = 0;
});

async function open(path: string, options: Parameters<TestBrowser['open']>[1] = {}): Promise<Page> {
  const watched = await browser.open(url + path, options);
  opened.push(watched);
  return watched.page;
}

/** Everything the pages of this test did that they must not. */
function allFaults(): readonly string[] {
  return opened.flatMap((page) => page.faults());
}

async function submit(flow: string, name: string): Promise<string> {
  const { stdout, stderr } = await project.batuta('runs', 'submit', flow, '--name', name, '--json');
  expect(stderr).toBe('');
  return (JSON.parse(stdout) as { id: string }).id;
}

const row = (page: Page, name: string) => page.getByRole('row').filter({ hasText: name });

describe('home', () => {
  it('says in one line what is wrong, names what needs attention, and leads to the runs it counts', async () => {
    const page = await open('/');
    await page.getByRole('heading', { name: 'Needs attention' }).waitFor();
    await expect.poll(() => page.getByRole('link', { name: /2 failed/ }).count()).toBe(1);
    expect(await page.getByText('Its last 2 runs failed').count()).toBe(1);
    expect(await page.getByRole('link', { name: /yearly/ }).count()).toBeGreaterThan(0);
    await page.getByRole('link', { name: /2 failed/ }).click();
    await row(page, 'sad-one').waitFor();
    expect(new URL(page.url()).search).toBe('?state=FAILED&state=CRASHED&last=24h');
    expect(await row(page, 'calm-one').count()).toBe(0);
    expect(allFaults()).toEqual([]);
  });

  it('shows a run that begins and its end, without being asked for it', async () => {
    const page = await open('/');
    await page.getByText('Nothing runs at this moment.').waitFor();
    await submit('holds', 'patient-one');
    await page.getByRole('link', { name: /patient-one/ }).waitFor();
    writeFileSync(join(project.path, 'go'), '');
    await page.getByText('Nothing runs at this moment.').waitFor();
    expect(allFaults()).toEqual([]);
  });
});

describe('the list of runs', () => {
  it('keeps its filters in the address, and goes back through them', async () => {
    const page = await open('/runs');
    await row(page, 'calm-one').waitFor();
    await page.getByRole('button', { name: 'State: any' }).click();
    await page.getByRole('checkbox', { name: 'Failed' }).check();
    await page.keyboard.press('Escape');
    await expect.poll(() => row(page, 'calm-one').count()).toBe(0);
    expect(new URL(page.url()).search).toBe('?state=FAILED');
    await page.keyboard.press('/');
    await page.keyboard.type('sad-two');
    await expect.poll(() => row(page, 'sad-one').count()).toBe(0);
    expect(new URL(page.url()).search).toBe('?state=FAILED&search=sad-two');
    await page.goBack();
    await row(page, 'sad-one').waitFor();
    expect(new URL(page.url()).search).toBe('?state=FAILED');
    await page.goBack();
    await row(page, 'calm-one').waitFor();
    expect(new URL(page.url()).search).toBe('');
    await page.reload();
    await row(page, 'calm-one').waitFor();
    expect(allFaults()).toEqual([]);
  });

  it('says under a failed run what it failed of, as text and not as markup', async () => {
    const page = await open('/runs?flow=breaks');
    await row(page, 'sad-one').getByText('TypeError: no <i>carrier</i> there').waitFor();
    expect(await page.locator('i').count()).toBe(0);
    expect(allFaults()).toEqual([]);
  });

  it('changes a row in place, and gathers new runs behind a button instead of pushing rows down', async () => {
    const page = await open('/runs');
    await row(page, 'calm-one').waitFor();
    const before = await row(page, 'calm-one').boundingBox();
    await submit('says', 'late-comer');
    await page.getByRole('button', { name: '1 new' }).waitFor();
    expect(await row(page, 'late-comer').count()).toBe(0);
    expect(await row(page, 'calm-one').boundingBox()).toEqual(before);
    await page.getByRole('button', { name: '1 new' }).click();
    await row(page, 'late-comer').getByText('Completed').waitFor();
    expect(allFaults()).toEqual([]);
  });

  it('cancels the chosen runs, saying exactly how many beforehand and that the others are left alone', async () => {
    const held = ['held-one', 'held-two', 'held-three'];
    rmSync(join(project.path, 'go'), { force: true });
    for (const name of held) await submit('holds', name);
    const page = await open('/runs');
    for (const name of held) {
      await row(page, name).getByText('Running').waitFor();
      await page.getByRole('checkbox', { name: `Choose ${name}` }).check();
    }
    await page.getByRole('checkbox', { name: 'Choose calm-one' }).check();
    await page.getByText('4 runs chosen').waitFor();
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Cancel 3 runs of the 4 chosen.').waitFor();
    await dialog.getByText('1 run is left alone').waitFor();
    await dialog.getByRole('button', { name: 'Cancel 3 runs' }).click();
    await page.getByText('3 runs cancelled.').waitFor();
    for (const name of held) await row(page, name).getByText('Cancelled', { exact: true }).waitFor();
    expect(await row(page, 'calm-one').getByText('Completed').count()).toBe(1);
    expect(allFaults()).toEqual([]);
  });

  it('works by keyboard: goes to places, lists its keys, opens a run', async () => {
    const page = await open('/');
    await page.getByRole('heading', { name: 'Home' }).waitFor();
    await page.keyboard.press('g');
    await page.keyboard.press('r');
    await row(page, 'calm-one').waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog').getByText('Deployments').waitFor();
    await page.keyboard.press('Escape');
    await row(page, 'calm-one').getByRole('link').focus();
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/runs\/[0-9a-f-]{36}/);
    expect(allFaults()).toEqual([]);
  });
});

describe('every list page', () => {
  const pages = ['/', '/runs', '/workers', '/limits', '/artifacts', '/settings', '/settings?tab=audit', '/settings?tab=values'];

  for (const colorScheme of ['light', 'dark'] as const) {
    it(`has no serious fault of access, and asks nothing beyond its origin, in ${colorScheme}`, async () => {
      const page = await open('/', { colorScheme, reducedMotion: 'reduce' });
      const watched = opened[0];
      for (const path of pages) {
        await page.goto(url + path);
        await page.getByRole('heading', { level: 1 }).waitFor();
        await page.getByLabel('Loading').first().waitFor({ state: 'detached' });
        expect([path, await watched?.accessFaults()]).toEqual([path, []]);
      }
      expect(allFaults()).toEqual([]);
    });
  }

  it('fits a phone: nothing is wider than the screen', async () => {
    const page = await open('/', { viewport: { width: 390, height: 844 } });
    for (const path of pages) {
      await page.goto(url + path);
      await page.getByRole('heading', { level: 1 }).waitFor();
      expect([path, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([path, 390]);
    }
    expect(allFaults()).toEqual([]);
  });
});

describe('the stream of events', () => {
  it('is said to be lost while it is, and what happened meanwhile is there once it is back', async () => {
    const page = await open('/runs');
    await row(page, 'calm-one').waitFor();
    await page.context().setOffline(true);
    await page.getByText(/^Not live since/).waitFor();
    await submit('says', 'unseen-one');
    await page.context().setOffline(false);
    await page.getByText(/^Not live since/).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: /^\d+ new$/ }).click();
    await row(page, 'unseen-one').waitFor();
    expect(allFaults().filter((fault) => !fault.includes('ERR_INTERNET_DISCONNECTED'))).toEqual([]);
  });
});

describe('the first key', () => {
  it('is shown once, and whoever made it goes on with it as admin', async () => {
    const page = await open('/settings');
    await page.getByRole('button', { name: 'Make a key' }).click();
    await page.getByLabel('Name').fill('boss');
    await page.getByRole('button', { name: 'Make the key' }).click();
    await page
      .getByRole('dialog')
      .getByText(/^batuta_/)
      .waitFor();
    await page.getByRole('button', { name: 'I have copied it' }).click();
    await row(page, 'boss').getByRole('button', { name: 'Revoke' }).waitFor();
    expect(await page.getByText(/^batuta_/).count()).toBe(0);
    await page.getByRole('button', { name: 'Make a key' }).click();
    await page.getByLabel('Name').fill('short-lived');
    await page.getByRole('button', { name: 'Make the key' }).click();
    await page.getByRole('button', { name: 'I have copied it' }).click();
    await row(page, 'short-lived').getByRole('button', { name: 'Revoke' }).click();
    await page.getByRole('button', { name: 'Revoke the key short-lived' }).click();
    await row(page, 'short-lived')
      .getByText(/revoked/)
      .waitFor();
    await page.getByRole('tab', { name: 'Audit' }).click();
    await row(page, 'keys.revoke').first().waitFor();
    expect(allFaults()).toEqual([]);
  });
});

describe('a viewer', () => {
  it('logs in with a key, comes to where they wanted to go, and finds no action enabled', async () => {
    const { stdout } = await project.batuta('key', 'create', '--name', 'onlooker', '--role', 'viewer', '--json');
    const { key } = JSON.parse(stdout) as { key: string };
    const page = await open('/runs?flow=breaks');
    await page.getByLabel('API key').fill('not-a-key');
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByText('That is no key of this server').waitFor();
    await page.getByLabel('API key').fill(key);
    await page.getByRole('button', { name: 'Log in' }).click();
    await row(page, 'sad-one').waitFor();
    expect(new URL(page.url()).search).toBe('?flow=breaks');

    await page.getByRole('checkbox', { name: 'Choose sad-one' }).check();
    for (const name of ['Cancel', 'Retry', 'Delete']) {
      expect(await page.getByRole('button', { name, exact: true }).getAttribute('aria-disabled')).toBe('true');
    }
    await page.getByRole('button', { name: 'Retry', exact: true }).hover();
    await page.getByText('You look with a viewer key').first().waitFor();
    await page.goto(`${url}/limits`);
    expect(await page.getByRole('button', { name: 'Add a limit' }).getAttribute('aria-disabled')).toBe('true');
    await page.goto(`${url}/settings?tab=keys`);
    await page.getByText('The list of keys is not for your role').waitFor();

    await page.getByRole('button', { name: /Logged in as onlooker/ }).click();
    await page.getByRole('menuitem', { name: 'Log out' }).click();
    await page.getByLabel('API key').waitFor();
    const faults = allFaults().filter((fault) => !fault.includes('401'));
    expect(faults).toEqual([]);
  });
});
