/** `batuta worker`, `scheduler`, `server`, `health` and `worker ls`. */
import { describeConfig } from '../../base/config.ts';
import { formatDuration } from '../../base/duration.ts';
import { BatutaError } from '../../base/errors.ts';
import { programName } from '../../base/program-name.ts';
import { whole } from '../../base/setting-values.ts';
import { settings } from '../../base/settings.ts';
import { defaultQueue } from '../../broker/broker.ts';
import { checkQueueName } from '../../broker/open.ts';
import type { WorkerView } from '../../client/fleet-client.ts';
import { toWire } from '../../client/wire.ts';
import type { StartScheduler, StartWorker } from '../../client/fleet-process.ts';
import { maxNameChars } from '../../model/run.ts';
import { readHealth } from '../../observe/health-file.ts';
import type { CommandContext, ExitStatus, JsonOption } from '../context.ts';
import { loadStart } from '../../process/load-start.ts';
import { serve } from '../fleet-process.ts';
import { openSettings, withClient } from '../open.ts';
import { printJson, printList } from '../print.ts';
import { readConcurrency, readDuration, readLine } from '../read-options.ts';
import type { Column } from '../render/table.ts';
import { agoText } from '../render/times.ts';
import { oneLine } from '../render/width.ts';

interface WorkerOptions {
  readonly queue: readonly string[];
  readonly concurrency?: string;
  readonly name?: string;
  readonly grace: string;
  readonly metricsPort?: string;
}

/** Runs until a signal ends it. */
export async function serveAsWorker(context: CommandContext, options: WorkerOptions): Promise<ExitStatus> {
  const graceMs = readDuration('--grace', options.grace);
  const concurrency = readConcurrency(options.concurrency);
  const name = options.name === undefined ? undefined : readLine('--name', options.name, maxNameChars);
  for (const queue of options.queue) checkQueueName(queue);
  const { config } = await openSettings(context, { metricsPort: readPort('--metrics-port', options.metricsPort) });
  const start = await loadStart<StartWorker>('worker');
  return serve(context, config, graceMs, (log) =>
    start({
      config,
      log,
      cwd: context.terminal.cwd,
      queues: options.queue.length === 0 ? [defaultQueue] : [...new Set(options.queue)],
      concurrency: concurrency ?? config.concurrency,
      name,
    }),
  );
}

/** Its loops end at once. */
const schedulerGraceMs = 5_000;

/** Runs until a signal ends it. */
export async function serveAsScheduler(context: CommandContext, options: { readonly metricsPort?: string }): Promise<ExitStatus> {
  const { config } = await openSettings(context, { metricsPort: readPort('--metrics-port', options.metricsPort) });
  const start = await loadStart<StartScheduler>('scheduler');
  return serve(context, config, schedulerGraceMs, (log) => start({ config, log, cwd: context.terminal.cwd }));
}

interface ServerOptions {
  readonly host?: string;
  readonly port?: string;
}

/** Time running requests may take to end, ms; event streams end at once. */
const serverGraceMs = 10_000;

/** Runs until a signal ends it. */
export async function serveAsServer(context: CommandContext, options: ServerOptions): Promise<ExitStatus> {
  const loaded = await openSettings(context, { host: options.host, port: readPort('--port', options.port) });
  const { startServer } = await import('../../server/start.ts');
  return serve(context, loaded.config, serverGraceMs, (log) =>
    startServer({ config: loaded.config, log, cwd: context.terminal.cwd, settings: describeConfig(loaded) }),
  );
}

function readPort(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  try {
    return whole(0, 65_535).read(text);
  } catch (error) {
    throw new BatutaError('USAGE', `${flag} is ${JSON.stringify(text)} but ${error instanceof Error ? error.message : String(error)}.`);
  }
}

/** Prints one line, or `{ ok, found }`. Status 0 if the process works, else 1. @throws BatutaError USAGE without a health file */
export async function health(context: CommandContext, options: JsonOption): Promise<ExitStatus> {
  const { config } = await openSettings(context);
  const { name, env } = settings.healthFile;
  if (config.healthFile === null)
    throw new BatutaError(
      'USAGE',
      `No ${name} is set. Set ${env} to the same file for the worker or scheduler and for ${programName()} health.`,
    );
  const found = await readHealth(config.healthFile, context.clock);
  const { out } = context.terminal;
  if (options.json) printJson(context.terminal, found);
  else out.line(`${found.ok ? out.paint.green('✓') : out.paint.red('✕')} ${found.found}`);
  return found.ok ? 0 : 1;
}

const columns: readonly Column[] = [
  { head: 'worker', max: 40 },
  { head: 'state' },
  { head: 'runs', align: 'right' },
  { head: 'queues', max: 32 },
  { head: 'flows', max: 60, drop: 2 },
  { head: 'lag', align: 'right', drop: 3 },
  { head: 'started', drop: 1 },
];

/** Prints the workers by name; one not heard from for a lease is silent, one whose process has ended is gone. */
export async function listWorkers(context: CommandContext, options: JsonOption): Promise<ExitStatus> {
  const workers = await withClient(context, (client) => client.figures.workers());
  return printList(context, workers, options, {
    columns,
    cells: (worker, paint) => [
      oneLine(worker.name),
      worker.state === 'alive' ? paint.green('alive') : paint.red(lostText(worker)),
      `${worker.running}/${worker.concurrency}`,
      worker.queues.join(','),
      flowsText(worker),
      formatDuration(worker.lagMs),
      agoText(worker.startedAt, context.clock.now()),
    ],
    json: workerJson,
    empty: `No workers. Start one: ${programName()} worker`,
  });
}

/** Most flows named, with their versions. */
const shownFlows = 2;

/** `orders@2, weather@3f2a1b9c0d4e +4`. */
function flowsText({ flows }: WorkerView): string {
  const all = Object.entries(flows).toSorted(([left], [right]) => (left < right ? -1 : 1));
  const shown = all.slice(0, shownFlows).map(([name, version]) => `${oneLine(name)}@${oneLine(version)}`);
  return `${shown.join(', ')}${all.length > shownFlows ? ` +${all.length - shownFlows}` : ''}`;
}

function lostText({ state, silentMs }: WorkerView): string {
  return state === 'gone' ? 'gone' : `silent for ${formatDuration(silentMs)}`;
}

function workerJson(worker: WorkerView): object {
  const { id, name, version, host, pid, state, queues, concurrency, running, flows, lagMs, startedAt, beatAt, silentMs } = worker;
  const alive = state === 'alive';
  return {
    ...{ id, name, version, host, pid, state, alive, queues, concurrency, running, flows, lagMs, silentMs },
    ...toWire({ startedAt, beatAt }),
  };
}
