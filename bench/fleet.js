/** A fleet as it is deployed: processes of `batuta worker` and `batuta scheduler`, and a client that submits to them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { openClient } from 'batuta/client';
import { root } from './measure.js';

const flows = join(root, 'bench/fleet-flows.ts');
/** Processes that would outlive this one. */
const alive = new Set();
process.once('exit', () => alive.forEach((child) => child.kill('SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1));

/**
 * A process of the fleet.
 *
 * @typedef {object} Member
 * @property {number} pid
 * @property {() => string} logged what it has said so far
 * @property {(signal: NodeJS.Signals) => void} signal sends a signal
 * @property {() => Promise<void>} end kills it and waits for its end
 * @property {(listener: (line: string) => void) => () => void} onLine calls with each line of its standard output; gives what ends that
 */

/**
 * Calls `use` with a fleet, and ends all of it whatever comes of it.
 *
 * @template T
 * @param {{ folder: string, databaseUrl: string, redisUrl?: string, env?: Record<string, string> }} place
 * @param {(fleet: {
 *   client: import('batuta/client').Client,
 *   start: (...args: string[]) => Promise<Member>,
 * }) => Promise<T>} use `start` runs `batuta` with the arguments and resolves once it serves
 */
export async function withFleet({ folder, databaseUrl, redisUrl = '', env = {} }, use) {
  const settings = {
    BATUTA_DATABASE_URL: databaseUrl,
    BATUTA_REDIS_URL: redisUrl,
    BATUTA_FLOWS: flows,
    BATUTA_RESULTS: join(folder, 'results'),
    BATUTA_LOG_FORMAT: 'json',
    ...env,
  };
  const children = [];
  // Its greeting says that it serves.
  const batuta = { file: join(root, 'dist/cli/main.js'), cwd: folder, env: { ...settings, BATUTA_LOG_LEVEL: 'info' } };
  const start = (...args) => startMember({ ...batuta, args, isServing: /(Worker|Scheduler) .*tickets by|Server at / }, children);
  // The client takes what it is not told from the environment.
  Object.assign(process.env, settings, { BATUTA_LOG_LEVEL: 'warn' });
  const client = await openClient();
  try {
    return await use({ client, start });
  } finally {
    await endAll(children);
    await client.close();
  }
}

/**
 * Calls `use` with a process of a file of this folder that prints `ready` on standard error once it serves.
 *
 * @template T
 * @param {string} file
 * @param {object} input reaches the file as its first argument, JSON
 * @param {(member: Member) => Promise<T>} use
 */
export async function withMember(file, input, use) {
  const children = [];
  try {
    const process = { file: join(root, 'bench', file), args: [JSON.stringify(input)], cwd: root, env: {}, isServing: /^ready$/m };
    return await use(await startMember(process, children));
  } finally {
    await endAll(children);
  }
}

/**
 * The first line of some processes that `isWanted` holds for, split at its blanks.
 *
 * @param {readonly Member[]} members
 * @param {(words: string[]) => boolean} isWanted
 * @returns {Promise<string[]>}
 */
export function nextLine(members, isWanted) {
  return new Promise((resolve) => {
    const ends = members.map(({ onLine }) =>
      onLine((line) => {
        const words = line.split(' ');
        if (!isWanted(words)) return;
        for (const end of ends) end();
        resolve(words);
      }),
    );
  });
}

async function startMember({ file, args, cwd, env, isServing }, children) {
  const child = spawn(process.execPath, [file, ...args], { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  alive.add(child);
  child.once('exit', () => alive.delete(child));
  const listeners = new Set();
  createInterface({ input: child.stdout }).on('line', (line) => {
    for (const listener of [...listeners]) listener(line);
  });
  let logged = '';
  await new Promise((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (text) => {
      // What it says later is of no use here, and a worker must not wait for a reader.
      if (logged.length < 100_000) logged += text;
      if (isServing.test(logged)) resolve();
    });
    child.once('exit', (code, signal) =>
      reject(new Error(`${file} ${args.join(' ')} ended with ${code ?? signal}:\n${logged.slice(-4_000)}`)),
    );
  });
  return {
    pid: child.pid,
    logged: () => logged,
    signal: (signal) => void child.kill(signal),
    end: () => endAll([child]),
    onLine(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

async function endAll(children) {
  const running = children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
  await Promise.all(
    running.map((child) => {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      return exited;
    }),
  );
}
