/** A worker inside a program. */
import type { StartWorker } from '../client/fleet-process.ts';
import { BatutaError } from '../base/errors.ts';
import { defaultQueue } from '../broker/broker.ts';
import { checkQueueName } from '../broker/open.ts';
import { stopIfLoading } from '../model/loading.ts';
import { loadStart } from './load-start.ts';
import { type RunningProcess, runningProcess } from './running.ts';
import { definitionsOf, type FlowsOption, type ProcessOptions, readProcessSettings } from './settings.ts';

export interface WorkerInProgramOptions extends ProcessOptions, FlowsOption {
  /** Queues it serves, in this order when a place becomes free. Default `['default']`. */
  readonly queues?: readonly string[];
  /** Runs at the same time, 1 to 10,000. Default: setting `concurrency`, 16. */
  readonly concurrency?: number;
  /** Name for people; default the host and the process id. */
  readonly name?: string;
}

/**
 * Starts a worker in this process. Unlike `batuta worker` it never ends the process: a task that blocks the event loop is named in the log,
 * and once the lease has expired other workers continue its runs, but the program is left alone.
 *
 * In a file that is only loaded for its flows it starts nothing and never resolves.
 *
 * @throws BatutaError CONFIG_INVALID, FLOW_NOT_FOUND, FLOW_DUPLICATE, NAME_INVALID (queue), OPTION_INVALID, FILE_NOT_FOUND (no such place
 *   for flows), BROKER_UNAVAILABLE, STORE_…
 * @example
 * ```ts
 * const worker = await startWorker({ flows: [Weather] }); server.on('close', () => worker.stop({ graceMs: 5_000 }));
 * ```
 */
export async function startWorker(options: WorkerInProgramOptions = {}): Promise<RunningProcess> {
  await stopIfLoading();
  const { queues = [defaultQueue], concurrency, name, flows, signals = false } = options;
  if (queues.length === 0)
    throw new BatutaError('OPTION_INVALID', 'A worker needs a queue: leave queues out, or name one.', { details: { option: 'queues' } });
  for (const queue of queues) checkQueueName(queue);
  const definitions = flows && definitionsOf(flows);
  const { config, openLog } = await readProcessSettings(options, { concurrency });
  const start = await loadStart<StartWorker>('worker');
  const started = await start({
    ...{ config, name, concurrency: config.concurrency, queues: [...new Set(queues)], mayEndProcess: false },
    ...(definitions ? { flows: definitions } : {}),
    log: await openLog(),
    cwd: process.cwd(),
  });
  return runningProcess(started, signals);
}
