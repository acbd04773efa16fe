/** The dashboard in a real browser over a project of its own, on each kind of place Batuta runs in: one SQLite file, and a fleet. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { buildDashboard, startBrowser, type TestBrowser, type WatchedPage } from '../support/browser.ts';
import { createDatabase } from '../support/postgres.ts';
import { someRedis } from '../support/redis.ts';
import { type CliProject, type Finished, makeCliProject, type Started } from './cli-project.ts';

/** What stands behind the dashboard, as `describe.each` takes it. */
export const placeNames = ['one SQLite file', 'PostgreSQL and Redis'] as const;

/** What the tests of a `describe` do with their dashboard; each function holds from its `beforeAll` to its `afterAll`. */
export interface Dashboard {
  /** Where it is, for programs that speak to its server. */
  url(): string;
  /** Opens a path in a session of its own, until the test ends. */
  open(path: string, options?: Parameters<TestBrowser['open']>[1]): Promise<Page>;
  /** Goes to a path in an opened page, and waits until it is drawn: its heading is there and nothing of it is loading. */
  visit(page: Page, path: string): Promise<void>;
  /** All that the pages of this test did that they must not; but for the refusals (e.g. 401) it asked for, which the browser notes. */
  faults(but?: string): readonly string[];
  /** Serious and critical faults of access in what an opened page shows now. */
  accessFaults(page: Page): Promise<readonly string[]>;
  /** Runs a command to its end, which must be a good one; gives its output. */
  command(...args: string[]): Promise<string>;
  /** Submits a run with further arguments of the command; gives its id. */
  submit(flow: string, ...args: string[]): Promise<string>;
  /** Makes a key; gives it as it is shown once. */
  createKey(name: string, role: 'observer' | 'viewer' | 'operator' | 'admin' | 'reporter'): Promise<string>;
  /** Leaves an empty file where flows look for one; it is gone before the next test. */
  leave(file: string): void;
}

/** Where the dashboard is, and what a command needs to speak to the same place. */
interface Place {
  readonly url: string;
  readonly env: Readonly<Record<string, string>>;
}

/** What ends all that was started, the last first; also when the rest did not start. */
type Ends = (() => Promise<unknown>)[];

const places: Record<(typeof placeNames)[number], (project: CliProject, ends: Ends, more: Place['env']) => Promise<Place>> = {
  'one SQLite file': async (project, ends, more) => {
    const dev = project.startWith(more, 'dev', '--port', '0');
    ends.push(() => stop([dev]));
    await dev.sees('Ctrl-C ends it');
    return { url: addressIn(dev), env: more };
  },
  'PostgreSQL and Redis': async (project, ends, more) => {
    const database = await createDatabase();
    ends.push(() => database.drop());
    const redis = await someRedis();
    ends.push(() => redis.stop());
    const env = { ...more, BATUTA_DATABASE_URL: database.url, BATUTA_REDIS_URL: redis.url };
    await project.batutaWith(env, 'db', 'migrate');
    const server = project.startWith(env, 'server', '--port', '0');
    const others = [project.startWith(env, 'worker', '--name', 'w-1'), project.startWith(env, 'scheduler')];
    ends.push(() => stop([server, ...others]));
    await server.sees('http://127.0.0.1:');
    return { url: addressIn(server), env };
  },
};

async function stop(members: readonly Started[]): Promise<void> {
  for (const { child } of members) child.kill('SIGTERM');
  await Promise.all(members.map(({ finished }) => finished));
}

function addressIn(process: Started): string {
  return /http:\/\/127\.0\.0\.1:\d+/.exec(process.output())?.[0] ?? '';
}

/** Gives the `describe` that calls it a dashboard over a project whose flows are this source; `prepare` runs once it is up. All its processes get `env`. */
export function useDashboard(
  on: (typeof placeNames)[number],
  flows: string,
  prepare: (dashboard: Dashboard) => Promise<void> = async () => undefined,
  env: Place['env'] = {},
): Dashboard {
  let project: CliProject;
  let place: Place;
  let browser: TestBrowser;
  const ends: Ends = [];
  const opened: WatchedPage[] = [];
  const left = new Set<string>();

  beforeAll(async () => {
    await buildDashboard();
    project = makeCliProject({ 'flows/all.ts': flows, 'tsconfig.json': '{"compilerOptions":{"experimentalDecorators":true}}' });
    ends.push(async () => project.remove());
    browser = await startBrowser();
    ends.push(() => browser.close());
    place = await places[on](project, ends, env);
    await prepare(dashboard);
  }, 180_000);

  afterEach(async () => {
    await Promise.all(opened.splice(0).map(({ page }) => page.context().close()));
    for (const file of left) rmSync(file, { force: true });
    left.clear();
  });

  afterAll(async () => {
    for (const end of ends.toReversed()) await end();
  });

  const run = (...args: string[]): Promise<Finished> => project.batutaWith(place.env, ...args);

  const dashboard: Dashboard = {
    url: () => place.url,
    async open(path, options = {}) {
      const watched = await browser.open(place.url + path, options);
      opened.push(watched);
      return watched.page;
    },
    async visit(page, path) {
      await page.goto(place.url + path);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.getByLabel('Loading').first().waitFor({ state: 'detached' });
    },
    faults(but) {
      const all = opened.flatMap((page) => page.faults());
      return but === undefined ? all : all.filter((fault) => !fault.includes(but));
    },
    async accessFaults(page) {
      const watched = opened.find((one) => one.page === page);
      if (watched === undefined) throw new Error('This page was not opened by the test.');
      return await watched.accessFaults();
    },
    async command(...args) {
      const { status, stdout, stderr } = await run(...args);
      expect(status, stderr).toBe(0);
      return stdout;
    },
    async submit(flow, ...args) {
      return (JSON.parse(await dashboard.command('runs', 'submit', flow, '--json', ...args)) as { id: string }).id;
    },
    async createKey(name, role) {
      return (JSON.parse(await dashboard.command('key', 'create', '--name', name, '--role', role, '--json')) as { key: string }).key;
    },
    leave(file) {
      const path = join(project.path, file);
      writeFileSync(path, '');
      left.add(path);
    },
  };
  return dashboard;
}
