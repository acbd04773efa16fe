/**
 * Real PgBouncer for tests: the program of `BATUTA_TEST_PGBOUNCER`, else `pgbouncer` on the PATH, else it is installed (apt, as root), else from Docker.
 *
 * It listens on a free port of 127.0.0.1, and ends with the process that started it, however that ends.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './redis.ts';

export interface PgBouncer {
  /** The same database through the pooler. */
  readonly url: string;
  stop(): Promise<void>;
}

export type PoolMode = 'transaction' | 'session' | 'statement';

/** Runs a command that ends when its input ends, and so does this process; and ends when the command does. */
const guard = 'exec 3<&0; "$@" > /dev/null & server=$!; (cat <&3 > /dev/null; kill -9 $server 2> /dev/null) & wait $server';
const image = 'edoburu/pgbouncer:v1.23.1-p2';
const debianPath = '/usr/sbin/pgbouncer';
const firstLookMs = 20;

/** A pooler in front of a database, with `poolSize` connections to it. */
export async function startPgBouncer(databaseUrl: string, mode: PoolMode, poolSize = 3): Promise<PgBouncer> {
  const [program = '', ...leading] = findPgBouncer();
  const { hostname, port, username, password, pathname } = new URL(databaseUrl);
  const own = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'batuta-pgbouncer-'));
  const file = join(folder, 'pgbouncer.ini');
  writeFileSync(
    file,
    `[databases]
* = host=${hostname} port=${port} user=${decodeURIComponent(username)} password=${decodeURIComponent(password)}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${own}
auth_type = any
pool_mode = ${mode}
max_client_conn = 200
default_pool_size = ${poolSize}
unix_socket_dir =
`,
  );
  // It refuses to run as root, and the other user must be able to read its file.
  chmodSync(folder, 0o755);
  chmodSync(file, 0o644);
  const isRoot = process.getuid?.() === 0 && program !== 'docker';
  const mounted = leading.map((part) => part.replace('FOLDER', folder));
  const line = [program, ...mounted, '-q', ...(isRoot ? ['-u', 'nobody'] : []), program === 'docker' ? '/batuta/pgbouncer.ini' : file];
  const child = spawn('sh', ['-c', guard, 'sh', ...line], { stdio: ['pipe', 'ignore', 'ignore'] });
  const exited = once(child, 'exit');
  const failed = exited.then(() => {
    throw new Error(`${line.join(' ')} did not start.`);
  });
  failed.catch(() => undefined);
  await Promise.race([answers(own), failed]);
  return {
    url: `postgres://${username}@127.0.0.1:${own}${pathname}`,
    async stop() {
      child.stdin.end();
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The command line that starts it. @throws Error that says what to install */
function findPgBouncer(): string[] {
  const given = process.env['BATUTA_TEST_PGBOUNCER'];
  if (given !== undefined && given !== '') return [given];
  const found = ['pgbouncer', debianPath].find((program) => works(program, '--version'));
  if (found !== undefined) return [found];
  if (process.getuid?.() === 0 && installed()) return [debianPath];
  if (works('docker', 'info'))
    return ['docker', 'run', '--rm', '-i', '--init', '--network', 'host', '-v', 'FOLDER:/batuta:ro', '--entrypoint', 'pgbouncer', image];
  throw new Error('These tests need PgBouncer: install pgbouncer or Docker, or name the program in BATUTA_TEST_PGBOUNCER.');
}

function installed(): boolean {
  const apt = ['-q', '-o', 'DPkg::Lock::Timeout=180'];
  works('apt-get', ...apt, 'update');
  return works('apt-get', ...apt, 'install', '-y', '--no-install-recommends', 'pgbouncer') && existsSync(debianPath);
}

function works(program: string, ...args: string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Once somebody listens on the port. */
async function answers(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, firstLookMs));
    } finally {
      socket.destroy();
    }
  }
}
