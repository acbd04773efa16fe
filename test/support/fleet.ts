/** A fleet of real processes, started by the commands that a container would run, over a database of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { openLog } from '../../src/base/log.ts';
import type { LocalClient } from '../../src/client/local-client.ts';
import { openLocalClient } from '../../src/client/open-local-client.ts';
import { createDatabase } from './postgres.ts';
import { someRedis } from './redis.ts';

/** A process of the fleet. */
export interface Member {
  readonly process: ChildProcess;
  readonly pid: number;
  /** Resolves once it has ended. */
  readonly exited: Promise<unknown>;
  /** What it has logged so far. */
  log(): string;
  /** Sends the signal and waits for its end; gives its exit status, null when the signal ended it. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

export interface Fleet {
  readonly client: LocalClient;
  readonly databaseUrl: string;
  readonly ledger: string;
  readonly gate: string;
  openGate(): void;
  /** Lines of the ledger. */
  readLedger(): readonly {
    readonly run: string;
    readonly task: string;
    readonly what: string;
    readonly at: number;
    readonly pid: number;
  }[];
  /** Parameters of the flows of `fleet-flows.ts`. */
  params(changes?: { readonly items?: number; readonly ms?: number }): object;
  /** Starts `batuta <args>`; resolves once it serves. */
  start(...args: string[]): Promise<Member>;
  /** The same in a folder of its own, as on another machine. */
  startIn(cwd: string, ...args: string[]): Promise<Member>;
  /** Runs `batuta <args>` to its end. */
  run(...args: string[]): Promise<{ readonly status: number | null; readonly out: string; readonly err: string }>;
  /** Ends all processes and removes the database. */
  stop(): Promise<void>;
}

export interface FleetOptions {
  readonly on: 'sqlite' | 'postgres and redis' | 'postgres alone';
  readonly leaseMs?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Servers of the test's own, which it may stop, and stops itself at the end. */
  readonly redisUrl?: string;
  readonly databaseUrl?: string;
}

const main = resolve('dist/cli/main.js');
const flows = resolve('test/e2e/fleet-flows.ts');

export async function makeFleet(options: FleetOptions): Promise<Fleet> {
  const { on, leaseMs = 3_000, env = {} } = options;
  const folder = mkdtempSync(join(tmpdir(), 'batuta-fleet-'));
  const database = on === 'sqlite' || options.databaseUrl !== undefined ? null : await createDatabase();
  const redis = on !== 'postgres and redis' || options.redisUrl !== undefined ? null : await someRedis();
  const databaseUrl = options.databaseUrl ?? database?.url ?? `sqlite:${join(folder, 'batuta.db')}`;
  const settings = {
    BATUTA_DATABASE_URL: databaseUrl,
    BATUTA_REDIS_URL: options.redisUrl ?? redis?.url ?? '',
    BATUTA_BROKER_URL: on === 'postgres alone' ? databaseUrl : '',
    BATUTA_FLOWS: flows,
    BATUTA_RESULTS: join(folder, 'results'),
    BATUTA_LEASE: `${leaseMs}ms`,
    BATUTA_HEARTBEAT: `${leaseMs / 4}ms`,
    BATUTA_LOG_FORMAT: 'json',
    ...env,
  };
  const log = await openLog({ level: 'silent', format: 'json' });
  const { loadConfig } = await import('../../src/base/config.ts');
  const { config } = await loadConfig({ env: settings });
  const client = await openLocalClient({ config, log });
  const members = new Set<Member>();
  const ledger = join(folder, 'ledger');
  const gate = join(folder, 'gate');
  writeFileSync(ledger, '');

  const spawned = (args: readonly string[], cwd = folder): ChildProcess =>
    spawn(process.execPath, [main, ...args], { cwd, env: { ...process.env, ...settings }, stdio: ['ignore', 'pipe', 'pipe'] });

  const startIn = async (cwd: string, ...args: string[]): Promise<Member> => {
    const child = spawned(args, cwd);
    const member = memberOf(child);
    members.add(member);
    child.once('exit', () => members.delete(member));
    await served(child, member);
    return member;
  };

  return {
    client,
    databaseUrl,
    ledger,
    gate,
    openGate: () => writeFileSync(gate, ''),
    readLedger: () =>
      readFileSync(ledger, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => {
          const [run = '', task = '', what = '', at, pid] = line.split(' ');
          return { run, task, what, at: Number(at), pid: Number(pid) };
        }),
    params: ({ items = 3, ms = 5 } = {}) => ({ ledger, gate, items, ms }),
    start: (...args) => startIn(folder, ...args),
    startIn,
    async run(...args) {
      const child = spawned(args);
      const texts = { out: '', err: '' };
      child.stdout?.setEncoding('utf8').on('data', (text: string) => void (texts.out += text));
      child.stderr?.setEncoding('utf8').on('data', (text: string) => void (texts.err += text));
      const [status] = (await once(child, 'close')) as [number | null];
      return { status, ...texts };
    },
    async stop() {
      await Promise.all([...members].map((member) => member.end('SIGKILL')));
      await client.close();
      await database?.drop();
      await redis?.stop();
      if (existsSync(folder)) rmSync(folder, { recursive: true, force: true });
    },
  };
}

function memberOf(child: ChildProcess): Member {
  let logged = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => void (logged += text));
  child.stdout?.resume();
  const exited = once(child, 'exit') as Promise<[number | null]>;
  return {
    process: child,
    pid: child.pid ?? 0,
    exited,
    log: () => logged,
    async end(signal) {
      child.kill(signal);
      // One that was stopped hears of nothing else.
      if (signal === 'SIGKILL') child.kill('SIGCONT');
      return (await exited)[0];
    },
  };
}

/** Its greeting says that it serves. */
async function served(child: ChildProcess, member: Member): Promise<void> {
  const ended = new AbortController();
  child.once('exit', () => ended.abort());
  while (!/(Worker|Scheduler) .*tickets by|Server at /.test(member.log())) {
    if (child.exitCode !== null || ended.signal.aborted) throw new Error(`It ended before it served:\n${member.log()}`);
    await once(child.stderr ?? child, 'data', { signal: ended.signal }).catch(() => undefined);
  }
}
