/** `batuta worker`: executes runs that were submitted. */
import { defaultQueue } from '../../broker/broker.ts';
import { checkQueueName } from '../../broker/open.ts';
import type { StartWorker } from '../../client/fleet-process.ts';
import type { CommandContext } from '../context.ts';
import type { ExitStatus } from '../exit-status.ts';
import { loadStart, serve } from '../fleet-process.ts';
import { openSettings } from '../open.ts';
import { readCount, readDuration, readLine } from '../read-options.ts';
import { maxNameChars } from '../../model/run.ts';

interface Options {
  readonly queue: readonly string[];
  readonly concurrency?: string;
  readonly name?: string;
  readonly grace: string;
}

const maxConcurrency = 10_000;

/** Serves until it is told to end. */
export async function serveAsWorker(context: CommandContext, options: Options): Promise<ExitStatus> {
  const graceMs = readDuration('--grace', options.grace);
  const places =
    options.concurrency === undefined ? null : readCount('--concurrency', options.concurrency, { min: 1, max: maxConcurrency });
  const name = options.name === undefined ? undefined : readLine('--name', options.name, maxNameChars);
  for (const queue of options.queue) checkQueueName(queue);
  const { config } = await openSettings(context);
  const start = await loadStart<StartWorker>('worker');
  return serve(context, config, graceMs, (log) =>
    start({
      config,
      log,
      cwd: context.terminal.cwd,
      queues: options.queue.length === 0 ? [defaultQueue] : [...new Set(options.queue)],
      concurrency: places ?? config.concurrency,
      name,
    }),
  );
}
