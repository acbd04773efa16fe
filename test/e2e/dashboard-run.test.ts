/** A run from its form to its end in a real browser, and the pages of flows and deployments: on one SQLite file, and on a fleet. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { buildDashboard, startBrowser, type TestBrowser, type WatchedPage } from '../support/browser.ts';
import { createDatabase } from '../support/postgres.ts';
import { someRedis } from '../support/redis.ts';
import { type CliProject, makeCliProject, type Started } from './cli-project.ts';

/** `orders` waits for the file `go` before it ships, `fragile` breaks until the file `mended` is there, `asks` waits for a signal. */
const flows = `
import { Flow, Task, type FlowContext, type TaskContext } from 'batuta';
import { existsSync } from 'node:fs';
import { z } from 'zod';

async function until(file: string, ctx: TaskContext): Promise<void> {
  while (!existsSync(file)) { ctx.signal.throwIfAborted(); await new Promise((resolve) => setTimeout(resolve, 20)); }
}

const params = z.object({
  customer: z.string().min(2).describe('Who <b>orders</b>'),
  count: z.number().int().min(1).max(200).default(4),
  mode: z.enum(['all', 'some']).default('all'),
  gift: z.boolean().default(false),
  day: z.iso.date().optional(),
  labels: z.array(z.string()).default(['new']),
});

@Flow({ params, description: 'Packs & <i>ships</i> orders.', tags: ['shop'] })
export class Orders {
  @Task() async list(ctx: TaskContext<z.infer<typeof params>>): Promise<number[]> {
    ctx.log.info('listing <img src=x onerror=alert(1)> for %s', ctx.params.customer);
    return Array.from({ length: ctx.params.count }, (_, at) => at);
  }
  @Task({ each: 'list' }) async pack(item: number, ctx: TaskContext): Promise<number> { ctx.log.warn('packing %d', item); return item * 2; }
  @Task({ needs: ['pack'] }) async ship(packed: number[], ctx: TaskContext<z.infer<typeof params>>) {
    await until('go', ctx);
    await ctx.artifact.markdown('note', '# Shipped\\n\\n<script>alert(1)</script> [bad](javascript:alert(1)) **' + packed.length + '**');
    await ctx.artifact.table('parcels', packed.map((weight) => ({ weight, to: '<b>' + ctx.params.customer + '</b>' })));
    return { shipped: packed.length, at: new Date(0), kinds: new Set(['parcel']) };
  }
}
@Flow() export class Fragile {
  @Task() async first(): Promise<string> { return 'one'; }
  @Task({ needs: ['first'] }) async second(value: string): Promise<string> {
    if (!existsSync('mended')) throw new TypeError('the <b>wire</b> is cut', { cause: new Error('rust') });
    return value + ' two';
  }
  @Task({ needs: ['second'] }) async third(value: string): Promise<string> { return value + ' three'; }
}
@Flow() export class Holds { @Task() async hold(ctx: TaskContext): Promise<void> { await until('never', ctx); } }
@Flow() export class Asks {
  async run(_: unknown, ctx: FlowContext): Promise<string> {
    const draft = await this.draft();
    const answer = (await ctx.waitFor('answer')) as { by: string };
    return this.publish(draft, answer.by);
  }
  @Task() async draft(): Promise<string> { return 'draft'; }
  @Task() async publish(text: string, by: string): Promise<string> { return text + ' by ' + by; }
}`;

const places = {
  'one SQLite file': async (project: CliProject) => {
    const dev = project.start('dev', '--port', '0');
    await dev.sees('Ctrl-C ends it');
    return { url: addressIn(dev), members: [dev], env: {}, end: async () => undefined };
  },
  'PostgreSQL and Redis': async (project: CliProject) => {
    const [database, redis] = await Promise.all([createDatabase(), someRedis()]);
    const env = { BATUTA_DATABASE_URL: database.url, BATUTA_REDIS_URL: redis.url };
    await project.batutaWith(env, 'db', 'migrate');
    const server = project.startWith(env, 'server', '--port', '0');
    const others = [project.startWith(env, 'worker', '--name', 'w-1'), project.startWith(env, 'scheduler')];
    await server.sees('http://127.0.0.1:');
    return { url: addressIn(server), members: [server, ...others], env, end: () => Promise.all([database.drop(), redis.stop()]) };
  },
} as const;

function addressIn(process: Started): string {
  return /http:\/\/127\.0\.0\.1:\d+/.exec(process.output())?.[0] ?? '';
}

describe.each(Object.keys(places) as (keyof typeof places)[])('the dashboard on %s', (on) => {
  let project: CliProject;
  let place: Awaited<ReturnType<(typeof places)[typeof on]>>;
  let browser: TestBrowser;
  const opened: WatchedPage[] = [];

  beforeAll(async () => {
    await buildDashboard();
    project = makeCliProject({ 'flows/all.ts': flows, 'tsconfig.json': '{"compilerOptions":{"experimentalDecorators":true}}' });
    [place, browser] = await Promise.all([places[on](project), startBrowser()]);
    const deployed = await command(
      'deploy',
      'orders',
      '--name',
      'nightly',
      '--cron',
      '30 2 * * *',
      '--timezone',
      'Europe/Lisbon',
      '-p',
      'customer=Ann',
    );
    expect(deployed).toBe('');
  }, 90_000);

  afterAll(async () => {
    await browser?.close();
    for (const { child } of place?.members ?? []) child.kill('SIGTERM');
    await Promise.all(place?.members.map(({ finished }) => finished) ?? []);
    await place?.end();
    project?.remove();
  });

  beforeEach(() => {
    opened.length = 0;
    for (const file of ['go', 'mended']) rmSync(join(project.path, file), { force: true });
  });

  /** Runs a command; gives what it complained of. */
  async function command(...args: string[]): Promise<string> {
    const { status, stderr } = await project.batutaWith(place.env, ...args);
    return status === 0 ? '' : stderr;
  }

  async function submit(flow: string, ...args: string[]): Promise<string> {
    const { stdout, stderr } = await project.batutaWith(place.env, 'runs', 'submit', flow, '--json', ...args);
    expect(stderr).toBe('');
    return (JSON.parse(stdout) as { id: string }).id;
  }

  async function open(path: string, options: Parameters<TestBrowser['open']>[1] = {}): Promise<Page> {
    const watched = await browser.open(place.url + path, options);
    opened.push(watched);
    return watched.page;
  }

  /** All that the pages of this test did that they must not. */
  const allFaults = (): readonly string[] => opened.flatMap((page) => page.faults());
  const state = (page: Page, name: string) => page.locator(`header [data-state="${name}"]`);
  const tab = (page: Page, name: string) => page.getByRole('tab', { name, exact: true }).click();
  const card = (page: Page, name: string) => page.locator('.react-flow__node').filter({ has: page.getByText(name, { exact: true }) });

  it('runs a flow from its form and watches it live to the end: graph, timeline, log, tasks, values and artifacts', async () => {
    const page = await open('/flows');
    await page.getByRole('link', { name: 'orders', exact: true }).click();
    await page.getByText('Packs & <i>ships</i> orders.').waitFor();
    await page.locator('.react-flow__node').nth(2).waitFor();
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Who <b>orders</b>').waitFor();
    await dialog.getByRole('button', { name: 'Run now' }).click();
    await dialog.getByText('This is needed.').waitFor();
    await dialog.getByRole('textbox', { name: 'customer' }).fill('<script>alert(1)</script>');
    await dialog.getByRole('textbox', { name: 'count' }).fill('40');
    await dialog.getByRole('textbox', { name: 'Name of the run' }).fill('<i>odd</i> name');
    await dialog.getByRole('button', { name: 'Run now' }).click();

    await page.waitForURL(/\/runs\/[0-9a-f-]{36}/);
    await page.getByRole('heading', { name: 'orders <i>odd</i> name' }).waitFor();
    await state(page, 'Running').waitFor();
    await card(page, 'pack').getByText('40/40').waitFor();
    await card(page, 'ship').getByText('Running').waitFor();
    writeFileSync(join(project.path, 'go'), '');
    await state(page, 'Completed').waitFor();
    await card(page, 'ship').getByText('Completed').waitFor();

    await card(page, 'ship').getByRole('button').click();
    const panel = page.getByRole('complementary');
    await panel.getByText('shipped').waitFor();
    expect(new URL(page.url()).searchParams.get('task')).toBe('ship');
    await tab(page, 'Timeline');
    await expect.poll(() => page.locator('svg rect[data-kind="executing"]').count()).toBeGreaterThan(10);
    await tab(page, 'Tasks');
    await page.getByText('42 task runs').waitFor();
    await page.getByRole('textbox', { name: 'Part of the name' }).fill('pack [39]');
    await page.getByText(/1 of 42/).waitFor();
    await tab(page, 'Inputs & result');
    await page.getByText('"<script>alert(1)</script>"').waitFor();
    await page.getByText('Set, 1 item').waitFor();
    await tab(page, 'Artifacts');
    await page.getByRole('heading', { name: 'Shipped' }).waitFor();
    await page.getByText('javascript:alert(1)').waitFor();
    await page.getByText('<b><script>alert(1)</script></b>').first().waitFor();
    await tab(page, 'History');
    await page.getByRole('cell', { name: 'Completed' }).waitFor();
    await page.goBack();
    await page.getByRole('heading', { name: 'Shipped' }).waitFor();
    expect(await page.locator('main :is(script, i, b, img)').count()).toBe(0);
    expect(await page.locator('a[href^="javascript"]').count()).toBe(0);
    expect(allFaults()).toEqual([]);
  });

  it('shows the log by level, by task and by hit, with markup as text', async () => {
    writeFileSync(join(project.path, 'go'), '');
    const id = await submit('orders', '-p', 'customer=Bob', '-p', 'count=30');
    const page = await open(`/runs/${id}?tab=logs`);
    const log = page.getByRole('log');
    await log.getByText('listing <img src=x onerror=alert(1)> for Bob').waitFor();
    await log.getByText('packing 29').waitFor();
    await page.getByRole('button', { name: 'warn', exact: true }).click();
    await expect.poll(() => log.getByText('listing').count()).toBe(0);
    await page.getByRole('textbox', { name: 'Search in the log' }).fill('packing 1');
    await page.keyboard.press('Enter');
    await page.getByText('1 of 11 hits').waitFor();
    await page.getByRole('button', { name: 'Next hit' }).click();
    await page.getByText('2 of 11 hits').waitFor();
    expect(new URL(page.url()).searchParams.get('line')).not.toBeNull();
    expect(await log.locator('mark').first().textContent()).toBe('packing 1');
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download' }).click()]);
    expect(download.suggestedFilename()).toBe(`${id}.log`);
    expect(await page.locator('main img').count()).toBe(0);
    expect(allFaults()).toEqual([]);
  });

  it('says at the field what the server refuses, and keeps what was written', async () => {
    const page = await open('/flows/orders');
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox', { name: 'customer' }).fill('x');
    await dialog.getByRole('button', { name: 'Run now' }).click();
    await expect.poll(() => dialog.getByRole('textbox', { name: 'customer' }).getAttribute('aria-invalid')).toBe('true');
    await dialog.getByText('JSON', { exact: true }).first().click();
    expect(await dialog.getByRole('textbox', { name: 'Parameters' }).inputValue()).toContain('"customer": "x"');
    // The browser itself notes the refusal.
    expect(allFaults().filter((fault) => !fault.includes('status of 400'))).toEqual([]);
  });

  it('cancels a run, saying what follows', async () => {
    const id = await submit('holds');
    const page = await open(`/runs/${id}`);
    await state(page, 'Running').waitFor();
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.getByRole('dialog').getByText('the run can be retried from there').waitFor();
    await page
      .getByRole('dialog')
      .getByRole('button', { name: /^Cancel / })
      .click();
    await state(page, 'Cancelled').waitFor();
    expect(allFaults()).toEqual([]);
  });

  it('tells why a run failed, and retries it from a chosen task', async () => {
    const id = await submit('fragile');
    const page = await open(`/runs/${id}`);
    await state(page, 'Failed').waitFor();
    await page.getByText('the <b>wire</b> is cut').first().waitFor();
    await card(page, 'second').getByRole('button').click();
    await page.getByRole('complementary').getByText('rust').waitFor();
    writeFileSync(join(project.path, 'mended'), '');
    await page.getByRole('button', { name: 'Retry', exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('combobox', { name: 'From task' }).click();
    await page.getByRole('option', { name: 'first' }).click();
    await dialog.getByText('except first and all that comes after it').waitFor();
    await dialog.getByRole('button', { name: 'Retry', exact: true }).click();
    await state(page, 'Completed').waitFor();
    await page.getByText('attempt').first().waitFor();
    await tab(page, 'Inputs & result');
    await page.getByText('"one two three"').waitFor();
    await tab(page, 'History');
    await page.getByRole('cell', { name: '2', exact: true }).first().waitFor();
    expect(allFaults()).toEqual([]);
  });

  it('answers a run that waits for a signal', async () => {
    const id = await submit('asks');
    const page = await open(`/runs/${id}`);
    await page.getByRole('button', { name: 'Answer answer' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox', { name: 'Data' }).fill('{ "by": "Ann" ');
    await dialog.getByText('This is no JSON').waitFor();
    await dialog.getByRole('textbox', { name: 'Data' }).fill('{ "by": "Ann" }');
    await dialog.getByRole('button', { name: 'Send', exact: true }).click();
    await state(page, 'Completed').waitFor();
    await card(page, 'publish').getByText('Completed').waitFor();
    await tab(page, 'Inputs & result');
    await page.getByText('"draft by Ann"').waitFor();
    expect(allFaults()).toEqual([]);
  });

  it('says what a deployment runs and when, pauses and resumes it, and runs it now', async () => {
    writeFileSync(join(project.path, 'go'), '');
    const page = await open('/deployments');
    await page.getByRole('link', { name: 'nightly' }).click();
    await page.getByText('Every day at 02:30 Lisbon, runs may overlap.').waitFor();
    await expect.poll(() => page.getByRole('listitem').filter({ hasText: '02:30' }).count()).toBe(10);
    await page.getByRole('button', { name: 'Pause', exact: true }).click();
    await page.getByRole('dialog').getByText('make no runs until it is resumed').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Pause nightly' }).click();
    await page.getByText('Paused since').waitFor();
    expect(await command('deployment', 'inspect', 'nightly', '--json')).toBe('');
    await page.getByRole('button', { name: 'Resume', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Resume nightly' }).click();
    await expect.poll(() => page.getByText('Paused since').count()).toBe(0);
    await page.getByRole('button', { name: 'Pause cron' }).click();
    await page.getByRole('button', { name: 'Resume cron' }).click();
    await page.getByRole('button', { name: 'Pause cron' }).waitFor();

    await page.getByRole('button', { name: 'Run now' }).click();
    const dialog = page.getByRole('dialog');
    expect(await dialog.getByRole('textbox', { name: 'customer' }).inputValue()).toBe('Ann');
    await dialog.getByRole('button', { name: 'Run now' }).click();
    await page.waitForURL(/\/runs\/[0-9a-f-]{36}/);
    await state(page, 'Completed').waitFor();
    await page.getByRole('link', { name: 'nightly' }).waitFor();
    expect(allFaults()).toEqual([]);
  });

  it('shows how many runs a backfill makes before it makes them, and how far it is', async () => {
    writeFileSync(join(project.path, 'go'), '');
    const page = await open('/deployments/nightly');
    await page.getByRole('button', { name: 'Backfill' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('7 runs, the first for').waitFor();
    await dialog.getByRole('button', { name: 'Make 7 runs' }).click();
    await page.getByText('7 of 7 runs, done').waitFor({ timeout: 30_000 });
    await page.getByRole('link', { name: 'Runs', exact: true }).last().click();
    await page.waitForURL(/backfill=/);
    expect(allFaults()).toEqual([]);
  });

  // What follows is the same page whatever stands behind the server.
  if (on !== 'one SQLite file') return;

  it('works by keyboard: a card is chosen and let go, the timeline zooms, the log is searched', async () => {
    writeFileSync(join(project.path, 'go'), '');
    const id = await submit('orders', '-p', 'customer=Cat');
    const page = await open(`/runs/${id}`);
    await state(page, 'Completed').waitFor();
    await card(page, 'list').getByRole('button').focus();
    await page.keyboard.press('Enter');
    await page.getByRole('complementary', { name: 'Task list' }).getByRole('button', { name: 'Close' }).focus();
    await page.keyboard.press('Escape');
    await expect.poll(() => page.getByRole('complementary', { name: 'Task list' }).count()).toBe(0);
    await tab(page, 'Timeline');
    await page.getByRole('region', { name: /^Timeline/ }).focus();
    await page.keyboard.press('+');
    await expect.poll(() => page.getByRole('button', { name: 'Whole' }).isEnabled()).toBe(true);
    await page.keyboard.press('0');
    await expect.poll(() => page.getByRole('button', { name: 'Whole' }).isEnabled()).toBe(false);
    await tab(page, 'Logs');
    await page.getByRole('log').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('packing 3');
    await page.keyboard.press('Enter');
    await page.getByText('1 of 1 hit').waitFor();
    expect(allFaults()).toEqual([]);
  });

  it.each(['light', 'dark'] as const)(
    'has no serious fault of access in %s',
    async (colorScheme) => {
      writeFileSync(join(project.path, 'go'), '');
      const [id, failed] = await Promise.all([submit('orders', '-p', 'customer=Dan'), submit('fragile')]);
      const page = await open(`/runs/${failed}`, { colorScheme, reducedMotion: 'reduce' });
      await state(page, 'Failed').waitFor();
      const paths = [
        `/runs/${failed}?task=second`,
        ...['timeline', 'logs', 'tasks', 'values', 'artifacts', 'history'].map((name) => `/runs/${id}?tab=${name}`),
        `/runs/${id}?task=pack`,
        '/flows',
        '/flows/orders',
        '/deployments',
        '/deployments/nightly',
      ];
      for (const path of paths) {
        await page.goto(place.url + path);
        await page.getByRole('heading', { level: 1 }).waitFor();
        await page.getByLabel('Loading').first().waitFor({ state: 'detached' });
        expect([path, await opened[0]?.accessFaults()]).toEqual([path, []]);
      }
      await page.getByRole('button', { name: 'Run now' }).click();
      await page.getByRole('dialog').getByRole('textbox', { name: 'customer' }).waitFor();
      expect(await opened[0]?.accessFaults()).toEqual([]);
      expect(allFaults()).toEqual([]);
    },
    120_000,
  );

  it('fits a phone: nothing is wider than the screen', async () => {
    writeFileSync(join(project.path, 'go'), '');
    const id = await submit('orders', '-p', 'customer=Eve', '-p', 'count=200');
    const page = await open(`/runs/${id}`, { viewport: { width: 390, height: 844 } });
    await state(page, 'Completed').waitFor();
    const paths = ['graph', 'timeline', 'logs', 'tasks', 'values', 'artifacts', 'history'].map((name) => `/runs/${id}?tab=${name}`);
    for (const path of [...paths, `/runs/${id}?task=pack`, '/flows', '/flows/orders', '/deployments', '/deployments/nightly']) {
      await page.goto(place.url + path);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.getByLabel('Loading').first().waitFor({ state: 'detached' });
      expect([path, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([path, 390]);
    }
    expect(allFaults()).toEqual([]);
  });

  it('shows a viewer every page, with no action enabled and each saying why', async () => {
    const id = await submit('holds');
    const { stdout } = await project.batutaWith(place.env, 'key', 'create', '--name', 'looker', '--role', 'viewer', '--json');
    const { key } = JSON.parse(stdout) as { key: string };
    const page = await open('/deployments/nightly');
    await page.getByLabel('API key').fill(key);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('heading', { name: 'nightly' }).waitFor();
    const isOff = (name: string): Promise<string | null> =>
      page.getByRole('button', { name, exact: true }).first().getAttribute('aria-disabled');
    for (const name of ['Run now', 'Pause', 'Backfill', 'Pause cron']) await expect.poll(() => isOff(name)).toBe('true');
    await page.getByRole('button', { name: 'Run now' }).hover();
    await page.getByText('You look with a viewer key; this needs an operator or admin key.').waitFor();
    await page.goto(`${place.url}/flows/orders`);
    await expect.poll(() => isOff('Run')).toBe('true');
    await page.goto(`${place.url}/runs/${id}`);
    await expect.poll(() => isOff('Cancel')).toBe('true');
    await page.getByRole('button', { name: 'More actions' }).click();
    const items = page.getByRole('menuitem');
    await items.first().waitFor();
    expect(await items.count()).toBe(4);
    for (const item of await items.all()) expect(await item.getAttribute('data-disabled')).toBe('true');
    // The browser itself notes that the first question was refused.
    expect(allFaults().filter((fault) => !fault.includes('status of 401'))).toEqual([]);
  });
});
