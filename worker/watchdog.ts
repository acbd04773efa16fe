/**
 * Starts the thread that watches the event loop of this process. It polls for an answer now and then, names the task that holds the loop,
 * and ends the process once its leases cannot have been renewed any more: then others continue its work.
 */
import { url as inspectorUrl } from 'node:inspector';
import { Worker } from 'node:worker_threads';
import { builtFile } from '../src/base/installed.ts';
import type { Config } from '../src/base/settings.ts';

/** The thread's settings. */
export interface WatchdogOrder {
  readonly leaseMs: number;
  readonly databaseUrl: string;
  readonly owner: string;
  /** If not, what holds the loop is only named. */
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
  // It must not keep a finished process alive.
  thread.unref();
  return {
    async stop() {
      await thread.terminate();
    },
  };
}
