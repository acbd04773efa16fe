/** `batuta export` over a store with a history, by the store and by a server alike. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeCliProject, type Started } from './cli-project.ts';

const root = resolve(import.meta.dirname, '../..');
const main = join(root, 'dist/cli/main.js');
const project = makeCliProject();
let server: Started;
let url = '';
let made = { runs: 0, taskRuns: 0 };

beforeAll(async () => {
  const database = `sqlite:${join(project.path, '.batuta/batuta.db')}`;
  const seed = ['scripts/seed.js', '--json', '--runs', '1000', '--tasks', '3', '--database-url', database];
  made = JSON.parse(
    execFileSync(process.execPath, seed, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
  ) as typeof made;
  server = project.start('server', '--port', '0');
  await server.sees('Server at http://');
  url = /Server at (http:\/\/[^ ",]+)/.exec(server.output())?.[1] ?? '';
}, 120_000);
afterAll(async () => {
  server.child.kill('SIGKILL');
  await server.finished;
  project.remove();
});

const ways = { 'the store': () => ({}), 'a server': () => ({ BATUTA_API_URL: url }) };

/** What the command writes to standard output, as it is. */
function bytesOf(env: Readonly<Record<string, string>>, ...args: readonly string[]): Buffer {
  const { PATH = '', HOME = '' } = process.env;
  const ended = spawnSync(process.execPath, [main, 'export', ...args], {
    cwd: project.path,
    env: { PATH, HOME, TZ: 'UTC', ...env },
    maxBuffer: 1 << 30,
  });
  expect([ended.status, ended.signal], ended.stderr.toString()).toEqual([0, null]);
  return ended.stdout;
}

/** Files of the project that are an export, or half of one. */
const files = (): readonly string[] => readdirSync(project.path).filter((name) => name.startsWith('out.'));

describe.each(Object.keys(ways) as (keyof typeof ways)[])('from %s', (way) => {
  const env = ways[way];

  test.each(['runs', 'task-runs'] as const)('all %s in every format', async (kind) => {
    const wanted = kind === 'runs' ? made.runs : made.taskRuns;
    const csv = bytesOf(env(), kind, '--format', 'csv').toString();
    expect(csv.split('\n', 1)[0]).toMatch(/^id,/);
    const ids = JSON.parse(bytesOf(env(), kind, '--format', 'json').toString()) as { readonly id: string }[];
    expect(new Set(ids.map(({ id }) => id)).size).toBe(wanted);
    const lines = bytesOf(env(), kind, '--format', 'ndjson').toString().trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { readonly id: string }).id)).toEqual(ids.map(({ id }) => id));
    const parquet = bytesOf(env(), kind, '--format', 'parquet');
    const file = parquet.buffer.slice(parquet.byteOffset, parquet.byteOffset + parquet.byteLength) as ArrayBuffer;
    const rows = (await parquetReadObjects({ file, compressors })) as { readonly id: string }[];
    expect(rows.map(({ id }) => id)).toEqual(ids.map(({ id }) => id));
  });

  test('what fits the filters alone, and statistics by their own', () => {
    const all = JSON.parse(bytesOf(env(), 'runs', '--format', 'json').toString()) as { flow: string; stateType: string }[];
    const { flow } = all.find(({ stateType }) => stateType === 'FAILED') ?? { flow: '' };
    const failed = JSON.parse(bytesOf(env(), 'runs', '--format', 'json', '--flow', flow, '--state', 'failed').toString()) as typeof all;
    expect(failed.length).toBeGreaterThan(0);
    expect(failed).toEqual(all.filter((run) => run.flow === flow && run.stateType === 'FAILED'));
    const sums = JSON.parse(bytesOf(env(), 'statistics', '--format', 'json', '--flow', flow).toString()) as { name: string }[];
    expect(new Set(sums.map(({ name }) => name))).toEqual(new Set([flow]));
  });

  test('into a file by its ending, which is refused where it is there already, and replaced by --force', async () => {
    const path = join(project.path, 'out.csv');
    const first = await project.batutaWith(env(), 'export', 'runs', '-o', 'out.csv');
    expect([first.status, first.stdout]).toEqual([0, '']);
    expect(first.stderr).toMatch(/^Exported .* of runs to .*out\.csv\.\n$/);
    expect(readFileSync(path)).toEqual(bytesOf(env(), 'runs', '--format', 'csv'));
    writeFileSync(path, 'mine');
    const second = await project.batutaWith(env(), 'export', 'runs', '-o', 'out.csv');
    expect([second.status, second.stdout, readFileSync(path, 'utf8')]).toEqual([2, '', 'mine']);
    expect(second.stderr).toContain('is there already; --force replaces it');
    expect((await project.batutaWith(env(), 'export', 'runs', '-o', 'out.csv', '--force')).status).toBe(0);
    expect(readFileSync(path, 'utf8')).toMatch(/^id,/);
    expect(files()).toEqual(['out.csv']);
    rmSync(path);
  });

  test('to a reader that leaves early without a word', () => {
    const variables = Object.entries(env()).map(([name, value]) => `${name}=${value}`);
    const script = `env ${variables.join(' ')} "$0" "$1" export task-runs --format ndjson | head -1; echo "\${PIPESTATUS[0]}"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', script, process.execPath, main], { cwd: project.path, encoding: 'utf8' });
    const [line = '', status] = stdout.split('\n');
    expect([typeof (JSON.parse(line) as { id: unknown }).id, status, stderr]).toEqual(['string', '0', '']);
  });

  test.each([
    [['export', 'run', '--format', 'csv'], "command-argument value 'run' is invalid"],
    [['export', 'runs', '--format', 'xml'], "argument 'xml' is invalid"],
    [['export', 'runs'], 'Say in which format'],
    [['export', 'runs', '-o', 'out.txt'], 'Say in which format'],
    [['export', 'runs', '--format', 'csv', '--by', 'hour'], "no filter 'by'"],
    [['export', 'statistics', '--format', 'csv', '--tag', 'a'], "no filter 'tag'"],
    [['export', 'runs', '-o', 'none/out.csv'], 'cannot be written'],
  ])('not %j, which is wrong usage', async (args, why) => {
    const { status, stdout, stderr } = await project.batutaWith(env(), ...args);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(why);
    expect(files()).toEqual([]);
  });
});

describe('Ctrl-C', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)('leaves nothing where a server has sent half of it: %s', async (signal) => {
    const stalls = createServer((_request, response) => void response.writeHead(200, { 'content-type': 'text/csv' }).write('id,flow\n'));
    stalls.listen(0, '127.0.0.1');
    await once(stalls, 'listening');
    try {
      const api = `http://127.0.0.1:${(stalls.address() as AddressInfo).port}`;
      const command = project.startWith({ BATUTA_API_URL: api }, 'export', 'runs', '-o', 'out.csv');
      const half = join(project.path, `out.csv.${command.child.pid}.part`);
      await expect.poll(() => existsSync(half) && readFileSync(half, 'utf8'), { timeout: 60_000 }).toBe('id,flow\n');
      command.child.kill(signal);
      expect((await command.finished).status).toBe(signal === 'SIGINT' ? 130 : 143);
      expect(files()).toEqual([]);
    } finally {
      stalls.closeAllConnections();
      await new Promise((done) => stalls.close(done));
    }
  });

  test('leaves nothing of what it reads from the store', async () => {
    // On a busy machine it may have ended before it is seen.
    for (let status: number | null = 0; status === 0; ) {
      const command = project.start('export', 'task-runs', '-o', 'out.json');
      const half = join(project.path, `out.json.${command.child.pid}.part`);
      await Promise.race([command.finished, expect.poll(() => existsSync(half), { timeout: 60_000, interval: 2 }).toBe(true)]);
      command.child.kill('SIGINT');
      ({ status } = await command.finished);
      expect(files()).toEqual(status === 0 ? ['out.json'] : []);
      if (status === 0) rmSync(join(project.path, 'out.json'));
      else expect(status).toBe(130);
    }
  });

  test('ends an export whose reader takes nothing', async () => {
    const { PATH = '', HOME = '' } = process.env;
    const command = spawn(process.execPath, [main, 'export', 'task-runs', '--format', 'json'], { cwd: project.path, env: { PATH, HOME } });
    const ended = once(command, 'close');
    await once(command.stdout, 'readable');
    command.kill('SIGINT');
    // Far more was to come than a pipe holds.
    let bytes = 0;
    command.stdout.on('data', (piece: Buffer) => (bytes += piece.length));
    expect((await ended)[0]).toBe(130);
    expect(bytes).toBeLessThan(bytesOf({}, 'task-runs', '--format', 'json').length);
  });
});
