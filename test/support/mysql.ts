/**
 * Real MySQL or MariaDB for tests: `BATUTA_TEST_MYSQL_URL` where any server will do, else one of their own.
 *
 * A server of its own comes from `mariadbd` on the PATH, else from Docker, else it is installed (apt, as root). It listens on a free port of
 * 127.0.0.1 with its data in a folder of its own, and ends with the process that started it, however that ends.
 */
import { execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { freePort } from './redis.ts';

export interface TestMysql {
  /** Of a database that is empty. */
  readonly url: string;
  /** Runs one statement beside what is tested. */
  query<Row extends object>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  stop(): Promise<void>;
}

/** Runs a command that ends when its input ends, and so does this process; and ends when the command does. */
const guard = 'exec 3<&0; "$@" > /dev/null 2>&1 & server=$!; (cat <&3 > /dev/null; kill -9 $server 2> /dev/null) & wait $server';
const image = 'mariadb:10.11';
const debianPath = '/usr/sbin/mariadbd';

/** A server, or the tests' own part of the one that is given. */
export async function startMysql(): Promise<TestMysql> {
  const given = process.env['BATUTA_TEST_MYSQL_URL'];
  const server = given === undefined || given === '' ? await startServer() : { url: given, stop: async () => undefined };
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await ask(server.url, `create database ${name}`, []);
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    query: (text, values = []) => ask(url.href, text, values),
    async stop() {
      await ask(server.url, `drop database ${name}`, []);
      await server.stop();
    },
  };
}

async function startServer(): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const program = findServer();
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'batuta-mysql-'));
  const line = program === 'docker' ? dockerLine(port) : ownLine(program, port, folder);
  const child = spawn('sh', ['-c', guard, 'sh', ...line], { stdio: ['pipe', 'ignore', 'ignore'] });
  const exited = once(child, 'exit');
  const failed = exited.then(() => {
    throw new Error(`${line.join(' ')} did not start.`);
  });
  failed.catch(() => undefined);
  const url = `mysql://root@127.0.0.1:${port}/mysql`;
  await Promise.race([answers(url), failed]);
  return {
    url,
    async stop() {
      child.stdin.end();
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function dockerLine(port: number): string[] {
  return ['docker', 'run', '--rm', '-i', '--init', '-p', `127.0.0.1:${port}:3306`, '-e', 'MARIADB_ALLOW_EMPTY_ROOT_PASSWORD=1', image];
}

/** It refuses to run as root, and the other user must be able to reach its data. */
function ownLine(program: string, port: number, folder: string): string[] {
  const isRoot = process.getuid?.() === 0;
  chmodSync(folder, 0o777);
  const user = isRoot ? ['--user=nobody'] : [];
  const data = join(folder, 'data');
  const made = ['--no-defaults', `--datadir=${data}`, '--auth-root-authentication-method=normal', '--skip-test-db', ...user];
  execFileSync('mariadb-install-db', made, { stdio: ['ignore', 'ignore', 'pipe'] });
  if (isRoot) execFileSync('chown', ['-R', 'nobody', folder]);
  const place = ['--bind-address=127.0.0.1', `--port=${port}`, `--socket=${join(folder, 'socket')}`, `--pid-file=${join(folder, 'pid')}`];
  return [program, '--no-defaults', `--datadir=${data}`, ...place, '--skip-log-bin', '--innodb-buffer-pool-size=32M', ...user];
}

async function answers(url: string): Promise<void> {
  for (;;) {
    try {
      return void (await ask(url, 'select 1', []));
    } catch {
      await sleep(50);
    }
  }
}

async function ask<Row extends object>(url: string, text: string, values: readonly unknown[]): Promise<Row[]> {
  const connection = await createConnection(url);
  try {
    const [rows] = await connection.query<RowDataPacket[]>(text, [...values]);
    return (Array.isArray(rows) ? rows : []) as unknown as Row[];
  } finally {
    await connection.end();
  }
}

/** The program that is a server, or `docker`. @throws Error that says what to install */
function findServer(): string {
  const found = ['mariadbd', debianPath].find((program) => works(program, '--version'));
  // Its data is made by a script that asks for a program of the client.
  if (found !== undefined && works('my_print_defaults', '--version')) return found;
  if (works('docker', 'info')) return 'docker';
  if (process.getuid?.() === 0 && installed()) return debianPath;
  throw new Error(
    'These tests need MariaDB: install mariadb-server and mariadb-client, or Docker, or name a MySQL in BATUTA_TEST_MYSQL_URL.',
  );
}

/** By apt; another test run that does the same is waited for. */
function installed(): boolean {
  const apt = ['-q', '-o', 'DPkg::Lock::Timeout=180'];
  works('apt-get', ...apt, 'update');
  return (
    works('apt-get', ...apt, 'install', '-y', '--no-install-recommends', 'mariadb-server-core', 'mariadb-client-core') &&
    existsSync(debianPath)
  );
}

function works(program: string, ...args: string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
