/**
 * `npm run screenshots [-- [--to folder] [--width px] [--empty] [--broken] page…]`: makes pictures of every page of the dashboard, dark and light, desktop and
 * phone, into docs/images or another folder; `--width` is that of the desktop (1440), `--empty` shows a place in which nothing has happened, `--broken` one
 * whose database does not answer.
 *
 * Needs a build (`npm run build`) and Chromium, found as the browser tests find it. It seeds a store of its own with believable history,
 * lets a real server and worker work on it, and leaves nothing behind but the pictures.
 */
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { configuration, flows, preparations, runs } from './screenshots/project.js';
import { smallPng } from './small-png.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const main = join(root, 'dist', 'cli', 'main.js');
const { values: wish, positionals: only } = parseArgs({
  allowPositionals: true,
  options: {
    to: { type: 'string' },
    width: { type: 'string', default: '1440' },
    empty: { type: 'boolean', default: false },
    broken: { type: 'boolean', default: false },
  },
});
const target = wish.to === undefined ? join(root, 'docs', 'images', 'dashboard') : resolve(wish.to);

const sizes = { desktop: { width: Number(wish.width), height: 900 }, phone: { width: 390, height: 844 } };
const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'];

const asked = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' };
/** What a server answers whose database does not. */
const broken = {
  status: 503,
  json: { error: { code: 'STORE_UNAVAILABLE', message: 'The database does not answer; the log of the server says why.', details: {} } },
};

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
  ['monitoring', '/monitoring'],
  ['inbox', '/inbox'],
  ['events', '/events'],
  ['alerts', '/alerts'],
  ['alert', ({ alert }) => `/alerts?alert=${alert}`],
  ['alert-errors', '/alerts?tab=errors'],
  ['alert-rules', '/alerts?tab=rules'],
  ['alert-rule', '/alerts?tab=rules&rule=failures'],
  ['limits', '/limits'],
  ['cache', '/cache'],
  ['run-streams', ({ stream }) => `/runs/${stream}?task=plausible`],
  ['run-emitted', ({ stream }) => `/runs/${stream}?tab=streams&stream=samples`],
  ['run-rejects', ({ stream }) => `/runs/${stream}?tab=rejects`],
  ['run-failed', ({ failed }) => `/runs/${failed}`],
  ['artifacts', '/artifacts'],
  ['artifact-versions', '/artifacts/versions?key=rates'],
  ['secrets', '/secrets'],
  ['connections', '/secrets?tab=connections'],
  ['settings', '/settings?tab=values'],
];
/** These are made last: from the first key on, nobody sees anything without one. */
const pagesWithKey = [
  ['keys', '/settings?tab=keys'],
  ['audit', '/settings?tab=audit'],
  ['reporters', '/workers'],
];

const folder = mkdtempSync(join(tmpdir(), 'batuta-screenshots-'));
// Settings of whoever makes the pictures do not belong into them.
const env = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('BATUTA_'))),
  ...{ BATUTA_SECRET_KEY: randomBytes(32).toString('hex'), BATUTA_ALERT_HOSTS: '127.0.0.1', HOOK_KEY: 'shown to nobody' },
};
const children = [];
const hook = createServer((request, response) => request.resume().on('end', () => response.end('ok')));
try {
  await new Promise((done) => hook.listen(0, '127.0.0.1', done));
  prepare(`http://127.0.0.1:${hook.address().port}/alerts`);
  const [url] = await Promise.all([
    start(['server', '--port', '0', '--log-format', 'json'], /http:\/\/127\.0\.0\.1:\d+/),
    ...(wish.empty ? [] : [start(['worker', '--name', 'bold-lynx', '--log-format', 'json'], /"msg"/)]),
  ]);
  const made = wish.empty ? { run: 'none', deployment: 'none', alert: 'none', stream: 'none', failed: 'none' } : await startRuns(url);
  const bytes = await takePictures(url, pages, made);
  let bytesWithKey = 0;
  if (pagesWithKey.some(isWanted)) {
    const { key, reporter } = makeKeys();
    if (!wish.empty) report(url, reporter);
    bytesWithKey = await takePictures(url, pagesWithKey, made, key);
  }
  console.log(`Pictures in ${target}, ${Math.round((bytes + bytesWithKey) / 1000)} kB together.`);
} finally {
  await Promise.all(children.map(end));
  hook.closeAllConnections();
  hook.close();
  rmSync(folder, { recursive: true, force: true });
}

/** @param hookUrl where alerts are posted to */
function prepare(hookUrl) {
  if (!existsSync(join(root, 'dist', 'web', 'index.html'))) throw new Error('The dashboard is not built: npm run build');
  mkdirSync(join(folder, 'flows'));
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(root, join(folder, 'node_modules', 'batuta'));
  writeFileSync(join(folder, 'flows', 'live.ts'), flows);
  writeFileSync(join(folder, 'tsconfig.json'), '{"compilerOptions":{"experimentalDecorators":true}}');
  writeFileSync(join(folder, 'batuta.config.ts'), configuration(hookUrl));
  batuta('db', 'migrate');
  if (wish.empty) return;
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
  for (const command of preparations) batuta(...command);
  batuta('deploy', '--all');
}

function batuta(...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { cwd: folder, env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`batuta ${args.join(' ')} failed:\n${stderr}`);
  return stdout;
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
  const ask = async (path) => await (await fetch(`${url}/api${path}`)).json();
  // Flows of the seeded history are nobody's: a scheduler is at work only while their schedules are paused.
  const seeded = (await ask('/deployments?limit=200')).items.filter(
    ({ name, pausedAt }) => pausedAt === null && name !== 'orders-on-event',
  );
  const all = async (verb) => {
    for (const { name } of seeded) await fetch(`${url}/api/deployments/${name}/${verb}`, asked);
  };
  await all('pause');
  const scheduler = await start(['scheduler', '--log-format', 'json'], /"msg"/).then(() => children.at(-1));
  const ids = runs.map((given) => JSON.parse(batuta('runs', 'submit', ...given, '--json')).id);
  batuta('runs', 'submit', 'bulletin', '--json');
  for (const id of [1001, 1002, 1003]) batuta('event', 'emit', 'order.created', JSON.stringify({ id, total: 59.9 }));
  await until('the runs have ended and alerts are there', async () => {
    const { items } = await ask('/alerts');
    const open = await Promise.all(ids.map((id) => ask(`/runs/${id}`)));
    const started = (await ask('/runs?deployment=orders-on-event')).items;
    const { checks } = await ask('/health');
    return (
      items.length > 0 &&
      checks.some(({ name, found }) => name === 'alerts' && found === 'all are sent') &&
      started.length >= 3 &&
      open.every(({ run: { endedAt } }) => endedAt !== null)
    );
  });
  await end(scheduler);
  await all('resume');
  const run = JSON.parse(batuta('runs', 'submit', 'station-load', '--json')).id;
  batuta('runs', 'submit', 'forecast-map', '--json');
  batuta('runs', 'submit', 'forecast-map', '--json');
  await until('30 stations are measured', async () => {
    const { counts } = await ask(`/runs/${run}`);
    return counts.some(({ name, state, count }) => name === 'measure' && /^completed$/i.test(state) && count >= 30);
  });
  const { items } = await ask('/deployments?limit=50');
  const [alert] = (await ask('/alerts')).items;
  const [stream, failed] = [ids[2], ids[3]];
  return { run, deployment: (items.find(({ name }) => name === 'report-sales') ?? items[0]).name, alert: alert.id, stream, failed };
}

/** Waits a minute at the most. */
async function until(what, look) {
  for (let looks = 0; looks < 300; looks++) {
    if (await look()) return;
    await new Promise((next) => setTimeout(next, 200));
  }
  throw new Error(`It did not come about that ${what}.`);
}

/** Has a program report from elsewhere. */
function report(url, key) {
  const elsewhere = mkdtempSync(join(tmpdir(), 'batuta-screenshots-'));
  const own = { ...env, BATUTA_REPORT_URL: url, BATUTA_REPORT_KEY: key, BATUTA_DATABASE_URL: `sqlite:${join(elsewhere, 'edge.db')}` };
  const { status, stderr } = spawnSync(process.execPath, [main, 'run', 'exchange-rates'], { cwd: folder, env: own, encoding: 'utf8' });
  rmSync(elsewhere, { recursive: true, force: true });
  if (status !== 0) throw new Error(`The run elsewhere failed:\n${stderr}`);
}

/** Keys; gives the one to log in with, and that of who reports. */
function makeKeys() {
  const { key } = JSON.parse(batuta('key', 'create', '--name', 'ada', '--role', 'admin', '--json'));
  batuta('key', 'create', '--name', 'ci', '--role', 'operator', '--expires', '90d');
  const reporter = JSON.parse(batuta('key', 'create', '--name', 'edge', '--role', 'reporter', '--json')).key;
  return { key, reporter };
}

function isWanted([name]) {
  return only.length === 0 || only.includes(name);
}

/** In the page: where this project lies is nothing for a picture. */
function sayPlace(folder) {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode())
    if (texts.currentNode.data.includes(folder)) texts.currentNode.data = texts.currentNode.data.replaceAll(folder, '/srv/weather');
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
      if (wish.broken) await context.route(/\/api\/(?!me$)/, (route) => route.fulfill(broken));
      if (key !== null) await context.request.post(`${url}/api/login`, { data: { key }, headers: { origin: url } });
      for (const [name, path] of pages.filter(isWanted)) {
        await page.goto(url + (typeof path === 'string' ? path : path(made)));
        await page.getByRole('heading', { level: 1 }).waitFor();
        await page.getByLabel('Loading').first().waitFor({ state: 'detached' });
        // Graphs lay themselves out in a thread of their own, and say nothing when they are done.
        await page.waitForTimeout(600);
        await page.evaluate(sayPlace, folder);
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
