/**
 * `npm run screenshots [-- page…]`: makes pictures of every page of the dashboard, dark and light, desktop and phone, into docs/images.
 *
 * Needs a build (`npm run build`) and Chromium, found as the browser tests find it. It seeds a store of its own with believable history,
 * lets a real server and worker work on it, and leaves nothing behind but the pictures.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { smallPng } from './small-png.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const main = join(root, 'dist', 'cli', 'main.js');
const target = join(root, 'docs', 'images', 'dashboard');
const only = process.argv.slice(2);

const sizes = { desktop: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } };
const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'];

/** What runs while the pictures are made: it holds on until it is cancelled. */
const flows = `
import { Flow, Task, type TaskContext } from 'batuta';
const pause = (ms: number, { signal }: TaskContext) =>
  new Promise<void>((done, fail) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', () => { clearTimeout(timer); fail(signal.reason); });
  });
@Flow({ description: 'Loads the measurements of every station into the warehouse.', tags: ['warehouse'] })
export class StationLoad {
  @Task() async stations(ctx: TaskContext) { ctx.log.info('asking for the list of stations'); await pause(300, ctx); return Array.from({ length: 48 }, (_, id) => id); }
  @Task({ isolate: 'thread', memory: '256 MB' }) async calibration(ctx: TaskContext) {
    ctx.log.info('reading calibration tables');
    const table = new Float64Array(400_000).map((_, at) => Math.sqrt(at));
    for (let turn = 0; turn < 6; turn++) table.sort((a, b) => Math.sin(a) - Math.sin(b));
    return 1.02;
  }
  @Task({ each: 'stations', eachLimit: 6, retries: 2 })
  async measure(station: number, ctx: TaskContext) { ctx.log.info('station ' + station + ': 1440 values'); await pause(station < 30 ? 500 : 600_000, ctx); return station; }
  @Task({ needs: ['measure', 'calibration'] }) async correct(values: number[], factor: number) { return values.length * factor; }
  @Task({ needs: ['correct'] }) async quality(sum: number) { return sum > 0; }
  @Task({ needs: ['correct'] }) async write(sum: number) { return sum; }
  @Task({ needs: ['quality', 'write'] }) async report(fine: boolean, sum: number) { return fine ? sum : 0; }
}
@Flow({ description: 'Draws the map of the coming days.' })
export class ForecastMap {
  @Task() async grid(ctx: TaskContext) { await pause(800, ctx); return 1; }
  @Task({ needs: ['grid'], tags: ['maps'] }) async render(grid: number, ctx: TaskContext) { await ctx.progress(37, 90); await pause(600_000, ctx); return grid; }
  @Task({ needs: ['render'] }) async publish(map: number) { return map; }
}
`;

const pages = [
  ['home', '/'],
  ['runs', '/runs?last=7d'],
  ['runs-failed', '/runs?last=7d&state=FAILED&state=CRASHED'],
  ['run-graph', ({ run }) => `/runs/${run}`],
  ['run-timeline', ({ run }) => `/runs/${run}?tab=timeline`],
  ['run-usage', ({ run }) => `/runs/${run}?task=calibration`],
  ['run-logs', ({ run }) => `/runs/${run}?tab=logs`],
  ['flows', '/flows'],
  ['flow', '/flows/nightly-report'],
  ['deployments', '/deployments'],
  ['deployment', ({ deployment }) => `/deployments/${deployment}`],
  ['workers', '/workers'],
  ['limits', '/limits'],
  ['artifacts', '/artifacts'],
  ['settings', '/settings?tab=values'],
];
/** These are made last: from the first key on, nobody sees anything without one. */
const pagesWithKey = [['keys', '/settings?tab=keys']];

const folder = mkdtempSync(join(tmpdir(), 'batuta-screenshots-'));
// Settings of whoever makes the pictures do not belong into them.
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('BATUTA_')));
const children = [];
try {
  prepare();
  const [url] = await Promise.all([startServer(), startWorker()]);
  const made = await startRuns(url);
  const bytes = await takePictures(url, pages, made);
  const bytesWithKey = isWanted(pagesWithKey[0]) ? await takePictures(url, pagesWithKey, made, makeKeys()) : 0;
  console.log(`Pictures in ${target}, ${Math.round((bytes + bytesWithKey) / 1000)} kB together.`);
} finally {
  await Promise.all(children.map(end));
  rmSync(folder, { recursive: true, force: true });
}

function prepare() {
  if (!existsSync(join(root, 'dist', 'web', 'index.html'))) throw new Error('The dashboard is not built: npm run build');
  mkdirSync(join(folder, 'flows'));
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(root, join(folder, 'node_modules', 'batuta'));
  writeFileSync(join(folder, 'flows', 'live.ts'), flows);
  writeFileSync(join(folder, 'tsconfig.json'), '{"compilerOptions":{"experimentalDecorators":true}}');
  batuta('db', 'migrate');
  const seed = [
    join(root, 'scripts', 'seed.js'),
    '--runs',
    '20000',
    '--days',
    '200',
    '--database-url',
    `sqlite:${join(folder, '.batuta', 'batuta.db')}`,
  ];
  const { status } = spawnSync(process.execPath, seed, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error('The store could not be seeded.');
  batuta('limit', 'set', 'tag:warehouse', '4');
  batuta('limit', 'set', 'tag:maps', '1');
}

function batuta(...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { cwd: folder, env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`batuta ${args.join(' ')} failed:\n${stderr}`);
  return stdout;
}

async function startServer() {
  const url = await start(['server', '--port', '0', '--log-format', 'json'], /http:\/\/127\.0\.0\.1:\d+/);
  return url;
}

async function startWorker() {
  await start(['worker', '--log-format', 'json'], /"msg"/);
}

/** Starts a command and gives what it says of itself. */
function start(args, sign) {
  const child = spawn(process.execPath, [main, ...args], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  return new Promise((done, fail) => {
    let said = '';
    const look = (text) => {
      said += text;
      const found = sign.exec(said);
      if (found) done(found[0]);
    };
    child.stdout.on('data', look);
    child.stderr.on('data', look);
    child.once('exit', () => fail(new Error(`batuta ${args[0]} ended:\n${said}`)));
  });
}

async function startRuns(url) {
  const run = JSON.parse(batuta('runs', 'submit', 'station-load', '--json')).id;
  batuta('runs', 'submit', 'forecast-map', '--json');
  batuta('runs', 'submit', 'forecast-map', '--json');
  for (let looks = 0; ; looks += 1) {
    const { run: now, counts } = await (await fetch(`${url}/api/runs/${run}`)).json();
    if (counts.some(({ name, state, count }) => name === 'measure' && /^completed$/i.test(state) && count >= 30)) break;
    if (looks > 300 || now.state.type === 'FAILED')
      throw new Error(`The run that is to be seen came to nothing: ${JSON.stringify(counts)}`);
    await new Promise((next) => setTimeout(next, 200));
  }
  const { items } = await (await fetch(`${url}/api/deployments?limit=50`)).json();
  return { run, deployment: (items.find(({ name }) => name === 'report-sales') ?? items[0]).name };
}

/** Two keys; gives the one to log in with. */
function makeKeys() {
  const { key } = JSON.parse(batuta('key', 'create', '--name', 'ada', '--role', 'admin', '--json'));
  batuta('key', 'create', '--name', 'ci', '--role', 'operator', '--expires', '90d');
  return key;
}

function isWanted([name]) {
  return only.length === 0 || only.includes(name);
}

/** Gives the bytes of all pictures. With a key it logs in first. */
async function takePictures(url, pages, made, key = null) {
  mkdirSync(target, { recursive: true });
  const browser = await chromium.launch({ executablePath: findChromium(), args: flags });
  let bytes = 0;
  for (const colorScheme of ['light', 'dark']) {
    for (const [size, viewport] of Object.entries(sizes)) {
      const context = await browser.newContext({ colorScheme, viewport, reducedMotion: 'reduce' });
      const page = await context.newPage();
      if (key !== null) await context.request.post(`${url}/api/login`, { data: { key }, headers: { origin: url } });
      for (const [name, path] of pages.filter(isWanted)) {
        await page.goto(url + (typeof path === 'string' ? path : path(made)));
        await page.getByRole('heading', { level: 1 }).waitFor();
        await page.getByLabel('Loading').first().waitFor({ state: 'detached' });
        // Graphs lay themselves out in a thread of their own, and say nothing when they are done.
        await page.waitForTimeout(600);
        const picture = smallPng(await page.screenshot());
        bytes += picture.length;
        writeFileSync(join(target, `${name}-${colorScheme}-${size}.png`), picture);
      }
      await context.close();
    }
  }
  await browser.close();
  return bytes;
}

function findChromium() {
  const given = process.env.BATUTA_TEST_CHROMIUM;
  const places = (process.env.PATH ?? '')
    .split(delimiter)
    .flatMap((place) => ['chromium', 'google-chrome'].map((name) => join(place, name)));
  const found = given ? resolve(given) : places.find((place) => existsSync(place));
  if (found === undefined) throw new Error('Pictures need Chromium: install it, or give its path in BATUTA_TEST_CHROMIUM.');
  return found;
}

async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.removeAllListeners('exit');
  child.kill('SIGKILL');
  await once(child, 'exit');
}
