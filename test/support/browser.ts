/** A real browser on the dashboard: finds Chromium, opens pages, and keeps note of all that a page must not do. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { makeFresh } from './fresh-build.ts';

/** A page in a session of its own: cookies and what it stores belong to it alone. */
export interface WatchedPage {
  readonly page: Page;
  /**
   * Sentences about what it did that it must not: errors on the console, refusals of its policy, exceptions, requests beyond its origin,
   * answers of the server from 500 on. Empty when all is well.
   */
  faults(): readonly string[];
  /** Serious and critical faults that axe-core finds in what is shown now, each with the elements that have it. */
  accessFaults(): Promise<readonly string[]>;
}

/** One browser with a fresh profile. */
export interface TestBrowser {
  /** Opens an address, by default in a window of 1440 by 900. */
  open(url: string, options?: BrowserContextOptions): Promise<WatchedPage>;
  close(): Promise<void>;
}

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Makes the built dashboard as new as its sources. */
export async function buildDashboard(): Promise<void> {
  await makeFresh('--web');
}

/** Starts Chromium. @throws Error with one sentence when there is none and none can be installed. */
export async function startBrowser(): Promise<TestBrowser> {
  const browser: Browser = await chromium.launch({ executablePath: findChromium(), args: flags });
  return {
    async open(url, options = {}) {
      const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
      const page = await context.newPage();
      const watched = watch(page, new URL(url).origin);
      await page.goto(url);
      return watched;
    },
    close: () => browser.close(),
  };
}

/**
 * Path of Chromium: `BATUTA_TEST_CHROMIUM`, else on PATH, else installed by apt where that is allowed.
 *
 * @throws Error with one sentence that says what to do
 */
export function findChromium(): string {
  const given = process.env['BATUTA_TEST_CHROMIUM'];
  if (given !== undefined && given !== '') {
    if (isExecutable(given)) return given;
    throw new Error(`BATUTA_TEST_CHROMIUM names ${given}, which cannot be executed.`);
  }
  const found = lookOnPath() ?? (installByApt() ? lookOnPath() : undefined);
  if (found !== undefined) return found;
  throw new Error('The browser tests need Chromium: install it, or give its path in BATUTA_TEST_CHROMIUM.');
}

function lookOnPath(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function installByApt(): boolean {
  if (process.getuid?.() !== 0) return false;
  const apt = (...args: string[]): boolean =>
    spawnSync('apt-get', ['-q', '-y', '-o', 'DPkg::Lock::Timeout=300', ...args], {
      stdio: 'ignore',
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    }).status === 0;
  return apt('update') && apt('install', '--no-install-recommends', 'chromium');
}

function watch(page: Page, origin: string): WatchedPage {
  const faults: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') faults.push(`console ${message.type()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => faults.push(`exception: ${error.message}`));
  page.on('response', (response) => {
    if (response.status() >= 500) faults.push(`answer ${response.status()}: ${response.url()}`);
  });
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.origin !== origin && url.protocol !== 'blob:') faults.push(`request beyond the origin: ${request.url()}`);
  });
  return { page, faults: () => faults, accessFaults: () => findAccessFaults(page) };
}

interface AxeReport {
  readonly violations: readonly {
    readonly id: string;
    readonly impact: string | null;
    readonly nodes: readonly { readonly target: readonly unknown[]; readonly failureSummary?: string }[];
  }[];
}

async function findAccessFaults(page: Page): Promise<readonly string[]> {
  // By the debugger, for a script element of ours would be refused by the policy of the page.
  await page.evaluate(readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'));
  const { violations } = await page.evaluate<AxeReport>('axe.run(document, { resultTypes: ["violations"] })');
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')} (${failureSummary ?? ''})`));
}
