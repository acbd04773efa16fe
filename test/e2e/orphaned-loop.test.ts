import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';

const thread = resolve(import.meta.dirname, '../../dist/worker/watchdog-thread.js');

/** A process as a worker starts it for one run alone: its loop is held by the code of a task, for good. */
const program = `
  import { AsyncLocalStorage } from 'node:async_hooks';
  import { Worker } from 'node:worker_threads';
  const scope = (globalThis[Symbol.for('batuta.runScope')] = new AsyncLocalStorage());
  const workerData = { leaseMs: 1_000, databaseUrl: 'sqlite::memory:', owner: 'alone', mayEndProcess: true, logLevel: 'info', logFormat: 'json' };
  const watchdog = new Worker(${JSON.stringify(thread)}, { workerData, execArgv: [] });
  watchdog.on('message', (asked) => watchdog.postMessage(asked));
  watchdog.once('message', () => scope.run({ runId: 'run', flow: 'loops', task: 'endless' }, () => { for (;;); }));`;

test('a process whose event loop is held for good ends although nobody reads what it prints any more', async () => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'ignore', 'pipe'] });
  // As when the worker that started it was killed.
  child.stderr.destroy();
  const [, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  expect(signal).toBe('SIGKILL');
});
