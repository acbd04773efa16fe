/**
 * Starts the thread that watches over the event loop of this process. It asks now and then for an answer, names the task that keeps the loop
 * from giving one, and ends the process when its leases cannot have been renewed any more: then others go on with what it had.
 */
import { url as inspectorUrl } from 'node:inspector';
import { Worker } from 'node:worker_threads';
import { builtFile } from '../src/base/installed.ts';
import type { Config } from '../src/base/settings.ts';

/** What the thread is given. */
export interface WatchdogOrder {
  readonly leaseMs: number;
  readonly databaseUrl: string;
  readonly owner: string;
  /** Else what holds the loop is named, and nothing more. */
  readonly mayEndProcess: boolean;
  readonly logLevel: Config['logLevel'];
  readonly logFormat: Config['logFormat'];
}

export interface WatchdogOptions extends Pick<WatchdogOrder, 'owner' | 'mayEndProcess'> {
  readonly config: Config;
}

export interface Watchdog {
  stop(): Promise<void>;
}

/** A process that is being debugged is left alone: it stands still on purpose. */
export function startWatchdog({ config, owner, mayEndProcess }: WatchdogOptions): Watchdog {
  if (inspectorUrl() !== undefined) return { stop: () => Promise.resolve() };
  const { leaseMs, databaseUrl, logLevel, logFormat } = config;
  const order: WatchdogOrder = { leaseMs, databaseUrl, owner, mayEndProcess, logLevel, logFormat };
  const thread = new Worker(builtFile('worker/watchdog-thread.js'), { workerData: order, name: 'batuta watchdog', execArgv: [] });
  thread.on('message', (asked: unknown) => thread.postMessage(asked));
  thread.on('error', () => undefined);
  // It must not keep a process alive that has nothing left to do.
  thread.unref();
  return {
    async stop() {
      await thread.terminate();
    },
  };
}
