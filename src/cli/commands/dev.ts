/** `batuta dev`: server, scheduler and worker in one process, following file changes. */
import { onShutdown } from '../../base/signals.ts';
import { defaultQueue } from '../../broker/broker.ts';
import { refuseExits } from '../../engine/run/refuse-exit.ts';
import type { CommandContext, ExitStatus } from '../context.ts';
import { DevSession } from '../dev/dev-session.ts';
import { endOnUncharged } from '../fleet-process.ts';
import { openSettings } from '../open.ts';
import { readConcurrency, readCount, readDuration } from '../read-options.ts';

interface Options {
  readonly host?: string;
  readonly port?: string;
  readonly queue: readonly string[];
  readonly concurrency?: string;
  readonly grace: string;
}

const maxPort = 65_535;

/** Runs until a signal ends it; a second one leaves at once. */
export async function dev(context: CommandContext, options: Options): Promise<ExitStatus> {
  const graceMs = readDuration('--grace', options.grace);
  const concurrency = readConcurrency(options.concurrency);
  const port = options.port === undefined ? undefined : readCount('--port', options.port, { min: 0, max: maxPort });
  const settings = await openSettings(context, { host: options.host, port });
  const { config } = settings;
  const session = new DevSession(context, {
    settings,
    queues: options.queue.length === 0 ? [defaultQueue] : options.queue,
    concurrency: concurrency ?? config.concurrency,
  });
  if (config.apiUrl !== null)
    session.screen.warn('BATUTA_API_URL is set but not used by dev, which is itself a server; other commands use it.');
  const ended = new Promise<0>((resolve) => {
    const forget = onShutdown(async (signal) => {
      session.screen.ending(signal);
      await starting.catch(() => undefined);
      await session.stop(graceMs);
      forget();
      resolve(0);
    });
  });
  refuseExits();
  const starting = session.start();
  await starting;
  const failed = new Promise<1>((resolve) => endOnUncharged(session.log, () => resolve(1)));
  return await Promise.race([ended, failed]);
}
