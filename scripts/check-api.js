/**
 * `npm run check:api [-- --quick] [--seed N]`: starts the built server over a store of its own and lets schemathesis hold it to the
 * description at /api/openapi.json. Ends with 1 and what failed; the seed repeats a run.
 *
 * schemathesis comes from PyPI into node_modules/.cache. Where Python or the package cannot be had, the check says so and is left out.
 */
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const version = '4.32.5';
const root = fileURLToPath(new URL('..', import.meta.url));
const settings = join(root, 'scripts', 'check-api');
const cli = join(root, 'dist', 'cli', 'main.js');
const bin = process.platform === 'win32' ? 'Scripts' : 'bin';

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false }, seed: { type: 'string' } } });
process.exitCode = await main();

/** Exit status: 0 clean or left out, 1 something differs. */
async function main() {
  const tool = findTool();
  if (tool === null) return 0;
  if (!existsSync(cli)) {
    console.error('There is no dist; make it with: npm run build');
    return 1;
  }
  const folder = mkdtempSync(join(tmpdir(), 'batuta-check-api-'));
  let server;
  try {
    server = await startServer(folder);
    const known = await fill(server);
    const status = await ask(tool, folder, server, known);
    for (const line of server.errors) console.error(`The server logged an error: ${line}`);
    if (server.hasEnded()) console.error('The server ended while it was asked.');
    return status === 0 && server.errors.length === 0 && !server.hasEnded() ? 0 : 1;
  } finally {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Path of schemathesis, installed when it is not yet; null, and says why, where it cannot be had. */
function findTool() {
  const folder = join(root, 'node_modules', '.cache', `batuta-schemathesis-${version}`);
  const tool = join(folder, bin, 'schemathesis');
  const works = () => spawnSync(tool, ['--version'], { stdio: 'ignore' }).status === 0;
  if (works()) return tool;
  const python = ['python3', 'python'].find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0);
  if (python === undefined) return leaveOut('there is no python3 on the PATH');
  rmSync(folder, { recursive: true, force: true });
  const steps = [
    [python, ['-m', 'venv', folder]],
    [join(folder, bin, 'python'), ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', `schemathesis==${version}`]],
  ];
  for (const [command, args] of steps) {
    const { status, stderr } = spawnSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'] });
    if (status !== 0) return leaveOut(`schemathesis ${version} could not be installed (${stderr?.trim().split('\n').at(-1) || command})`);
  }
  return works() ? tool : leaveOut(`schemathesis ${version} does not start`);
}

function leaveOut(why) {
  console.log(`The API was not held to its description: ${why}.`);
  return null;
}

/** A server with an admin key on a free port of this computer, and a run that has ended in its store. */
async function startServer(folder) {
  const key = randomBytes(32).toString('hex');
  const env = {
    ...process.env,
    BATUTA_DATABASE_URL: `sqlite:${join(folder, 'batuta.db')}`,
    BATUTA_RESULTS: join(folder, 'results'),
    BATUTA_FLOWS: join(root, 'flows', 'hello.ts'),
    BATUTA_ADMIN_KEY: key,
    BATUTA_LOG_FORMAT: 'json',
    BATUTA_API_URL: '',
  };
  const made = spawnSync(process.execPath, [cli, 'run', join(root, 'flows', 'hello.ts')], { env, encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`The run that the check looks at failed: ${made.stderr}`);
  const child = spawn(process.execPath, [cli, 'server', '--host', '127.0.0.1', '--port', '0'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise((resolve) => void child.once('exit', resolve));
  process.once('exit', () => child.kill('SIGKILL'));
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
  const errors = [];
  const url = await new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on('line', (line) => {
        const found = /Server at (http:\S+) on /.exec(line);
        if (found) resolve(found[1]);
        if (/"level":[56]0/.test(line)) errors.push(line);
      });
    void ended.then(() => reject(new Error(`The server did not start: ${errors.join('\n')}`)));
  });
  return {
    url,
    key,
    errors,
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** Something of each kind to look at. Gives what the hooks of the tool put into requests. */
async function fill({ url, key }) {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const ask = async (method, path, body) => {
    const answer = await fetch(url + path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return await answer.json();
  };
  const [own] = (await ask('GET', '/api/keys')).items;
  await ask('POST', '/api/keys', { name: 'viewer', role: 'viewer' });
  await ask('POST', '/api/deployments', { flow: 'hello', schedules: [{ cron: '0 9 * * *', timezone: 'Europe/Berlin' }] });
  await ask('POST', '/api/deployments/hello/run', {});
  for (const name of ['one', 'two', 'three']) await ask('POST', '/api/runs', { flow: 'hello', params: { name }, tags: ['db'] });
  await ask('PUT', '/api/limits/tag:db', { slots: 2 });
  const [fromAt, untilAt] = ['2026-01-01T00:00:00Z', '2026-01-04T00:00:00Z'];
  await ask('POST', '/api/backfills', { deployment: 'hello', fromAt, untilAt });
  const [run] = (await ask('GET', '/api/runs?state=COMPLETED')).items;
  const [task] = (await ask('GET', `/api/runs/${run.id}/tasks`)).items;
  const names = { flow: 'hello', deployment: 'hello', cron: '0 9 * * *', interval: '90m', timezone: 'Europe/Berlin' };
  return { key: own.id, body: names, path: { id: run.id, taskRunId: task.id, name: 'hello' } };
}

async function ask(tool, folder, { url, key }, known) {
  const seed = values.seed ?? String(randomInt(2 ** 31));
  const args = [
    ...['--config-file', join(settings, 'schemathesis.toml'), 'run', `${url}/api/openapi.json`],
    ...['--header', `Authorization: Bearer ${key}`, '--checks', 'all', '--seed', seed, '--continue-on-failure', '--workers', '2'],
    ...['--phases', values.quick ? 'examples,coverage' : 'examples,coverage,fuzzing,stateful'],
    ...['--max-examples', values.quick ? '5' : '40', '--request-timeout', '20', '--generation-database', 'none'],
    // Live events do not end, which the tool would wait for.
    ...['--exclude-path', '/api/events'],
  ];
  const env = {
    ...process.env,
    PYTHONPATH: settings,
    PYTHONDONTWRITEBYTECODE: '1',
    SCHEMATHESIS_HOOKS: 'hooks',
    BATUTA_CHECK_KNOWN: JSON.stringify(known),
  };
  const child = spawn(tool, args, { cwd: folder, env, stdio: ['ignore', 'inherit', 'inherit'] });
  process.once('exit', () => child.kill('SIGKILL'));
  return await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}
