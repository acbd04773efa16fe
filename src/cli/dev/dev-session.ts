/**
 * The parts of `batuta dev`: server, scheduler and worker in one process, each with its own client, over the current flows.
 *
 * Load the flows → listen → schedule → work → deploy → report → watch. A file that changes is loaded again and given to the worker; running
 * runs keep what they began with. A crash loses nothing: the next start continues the runs, as any worker would.
 */
import { basename, dirname, resolve } from 'node:path';
import { describeConfig, type LoadedConfig, withoutHealthFile } from '../../base/config.ts';
import { systemClock } from '../../base/clock.ts';
import { BatutaError, isBatutaError } from '../../base/errors.ts';
import { type Log, openLog } from '../../base/log.ts';
import type { Config } from '../../base/settings.ts';
import { defaultQueue } from '../../broker/broker.ts';
import type { FleetProcess, StartScheduler, StartWorker, WorkerProcess } from '../../client/fleet-process.ts';
import type { LocalClient } from '../../client/local-client.ts';
import { openLocalClient } from '../../client/open-local-client.ts';
import type { FlowDefinition } from '../../model/flow.ts';
import { type Metrics, openMetrics } from '../../monitor/open-metrics.ts';
import { type ServerProcess, startServer } from '../../server/start.ts';
import type { CommandContext } from '../context.ts';
import { loadStart } from '../../process/load-start.ts';
import { openSettings } from '../open.ts';
import { loadQuietly } from '../output-capture.ts';
import { putDeclaredAlerts, readDeclaredAlerts } from '../put-alerts.ts';
import { readDeclared } from '../read-declared.ts';
import { DevScreen } from './dev-screen.ts';
import { FileWatch, foldersBelow } from './file-watch.ts';
import { type FlowNews, FlowSet } from './flow-set.ts';
import { RunLog } from './run-log.ts';
import { RunNews } from './run-news.ts';

export interface DevOptions {
  readonly settings: LoadedConfig;
  /** Served before all others; other queues in which runs wait are served as they turn up. */
  readonly queues: readonly string[];
  readonly concurrency: number;
}

const configNames = /^batuta\.config\.m?[jt]s$/;
const codeNames = /\.(ts|mts|cts|tsx|js|mjs|cjs|json)$/;
/** Time the scheduler's loops and the server's requests may take to end, ms. */
const endMs = 5_000;
/** Between two checks for queues without a worker, ms. */
const queueLookMs = 1_000;

export class DevSession {
  readonly #context: CommandContext;
  readonly #options: DevOptions;
  readonly screen: DevScreen;
  readonly #flows: FlowSet;
  readonly #watch: FileWatch;
  #client: LocalClient | null = null;
  #server: ServerProcess | null = null;
  #scheduler: FleetProcess | null = null;
  #worker: WorkerProcess | null = null;
  readonly #runLog: RunLog;
  #news: RunNews | null = null;
  #metrics: Metrics | null = null;
  #log: Log | null = null;
  /** Reloads run one after another. */
  #reloading: Promise<void> = Promise.resolve();
  #queuesLookedAt = Number.NEGATIVE_INFINITY;
  /** Last refusal, by its consequence. */
  readonly #refused = new Map<string, string>();

  constructor(context: CommandContext, options: DevOptions) {
    this.#context = context;
    this.#options = options;
    const { cwd } = context.terminal;
    this.screen = new DevScreen(context);
    this.#runLog = new RunLog(context.clock, (text) => context.terminal.err.write(text));
    this.#flows = new FlowSet({ paths: options.settings.config.flows, cwd });
    this.#watch = new FileWatch({
      clock: context.clock,
      isOurs: (path) => this.#isOurs(path),
      onChange: () => this.#changed(),
      onBlind: (cause) => this.screen.warn(`Not all folders can be watched; changes in them are seen after a restart (${String(cause)}).`),
    });
  }

  /**
   * Resolves once all parts serve. If one cannot be started, those already started are stopped.
   *
   * @throws BatutaError CONFIG_INVALID (the port is taken, a setting does not fit), BROKER_UNAVAILABLE, STORE_…
   */
  async start(): Promise<void> {
    // On any exit: an uncaught error, a second Ctrl-C.
    process.once('exit', this.#runLog.close);
    try {
      const found = await this.#reload();
      const { url } = await this.#listen();
      await this.#startFleet();
      this.screen.greet({
        url,
        databaseUrl: this.#open.engine.services.store.url,
        flows: this.#flows.flows,
        paths: this.#settings.config.flows,
      });
      // The greeting already reports a missing folder.
      const broken = found.broken.filter((error) => this.#flows.flows.length > 0 || error.code !== 'FILE_NOT_FOUND');
      for (const error of broken) this.screen.error(error, 'left out until it loads');
      await this.#deploy();
      await this.#startNews();
      this.#watchFolders();
      this.screen.ready();
    } catch (error) {
      await this.stop(0);
      throw error;
    }
  }

  /** Takes nothing new, lets runs finish for at most `graceMs`, hands back the rest. */
  async stop(graceMs: number): Promise<void> {
    this.#watch.stop();
    await this.#reloading;
    await this.#scheduler?.stop(endMs);
    await this.#worker?.stop(graceMs);
    await this.#news?.stop();
    this.#runLog.close();
    process.off('exit', this.#runLog.close);
    await this.#server?.stop(endMs);
    await this.#client?.close();
  }

  /** The server's log, once it has started. */
  get log(): Log {
    if (this.#log) return this.#log;
    throw new Error('The log is not open yet.');
  }

  get #settings(): LoadedConfig {
    return this.#options.settings;
  }

  get #open(): LocalClient {
    if (this.#client) return this.#client;
    throw new Error('The client is not open yet.');
  }

  async #listen(): Promise<ServerProcess> {
    const { config } = this.#settings;
    const { cwd } = this.#context.terminal;
    this.#log = await this.#openLog();
    const findFlow = async (name: string): Promise<FlowDefinition> => this.#flows.get(name);
    this.#client = await openLocalClient({ config, log: this.#log, captureConsole: false, reports: false }, { findFlow });
    const settings = describeConfig(this.#settings);
    this.#metrics = await openMetrics(systemClock, config.metricsLabelValues);
    this.#server = await startServer({ config, log: this.#log, cwd, client: this.#client, settings, metrics: this.#metrics }).catch(
      (error: unknown) => explainTaken(error, config),
    );
    return this.#server;
  }

  /** Each has its own log: lines of a run are kept by the client whose log they go to. */
  async #startFleet(): Promise<void> {
    const { cwd } = this.#context.terminal;
    const { queues, concurrency, settings } = this.#options;
    // One health file cannot stand for several processes of a fleet.
    const config = withoutHealthFile(settings.config);
    const shared = this.#metrics === null ? {} : { metrics: this.#metrics };
    const log = await this.#openLog();
    this.#runLog.follow(log);
    const [startScheduler, startWorker] = await Promise.all([loadStart<StartScheduler>('scheduler'), loadStart<StartWorker>('worker')]);
    this.#scheduler = await startScheduler({ config, log: await this.#openLog(), cwd, ...shared });
    this.#worker = await startWorker({
      ...{ config, cwd, concurrency, log, flows: this.#flows.flows, ...shared },
      queues: [...new Set([...queues, ...queuesOf(this.#flows.flows)])],
      name: undefined,
    });
  }

  async #startNews(): Promise<void> {
    const { clock, terminal } = this.#context;
    this.#news = new RunNews({
      store: this.#open.engine.services.store,
      clock,
      random: Math.random,
      paint: terminal.out.paint,
      cwd: terminal.cwd,
      columns: () => terminal.out.columns,
      log: this.#runLog,
      line: (text) => this.screen.line(text),
      onNews: (waits) => void (waits && this.#serveWaiting()),
      onError: (error, failures) =>
        void (failures === 1 && this.#log?.logger.warn({ err: error }, 'Runs cannot be followed at the moment.')),
    });
    await this.#news.start();
  }

  /** Serves queues with waiting runs and no worker: there is no other machine to start one on. */
  #serveWaiting(): void {
    const now = this.#context.clock.monotonic();
    if (now - this.#queuesLookedAt < queueLookMs) return;
    this.#queuesLookedAt = now;
    this.#open.figures.queues().then(
      (queues) => this.#worker?.serveAlso(queues.filter(({ workers }) => workers === 0).map(({ name }) => name)),
      (error: unknown) => this.#log?.logger.debug({ err: error }, 'Queues could not be read.'),
    );
  }

  async #deploy(): Promise<void> {
    let settings: LoadedConfig | undefined;
    await this.#attempt('nothing was deployed', async () => {
      settings = await openSettings(this.#context, {});
      if ((settings.file?.deployments.length ?? 0) === 0) return;
      const specs = await readDeclared(this.#context, settings, async (name) => this.#flows.get(name));
      this.screen.deployed(await this.#open.deployments.deploy(specs, { origin: 'config' }));
    });
    const read = settings;
    if (read === undefined) return;
    await this.#attempt('not all alerts could be set', async () => void (await putDeclaredAlerts(this.#open, readDeclaredAlerts(read))));
  }

  /** Reports a refusal once, and continues. */
  async #attempt(otherwise: string, part: () => Promise<void>): Promise<void> {
    try {
      await part();
      this.#refused.delete(otherwise);
    } catch (error) {
      if (!isBatutaError(error)) throw error;
      if (error.message !== this.#refused.get(otherwise)) this.screen.error(error, otherwise);
      this.#refused.set(otherwise, error.message);
    }
  }

  #changed(): void {
    this.#reloading = this.#reloading.then(async () => {
      try {
        const news = await this.#reload();
        this.#watchFolders();
        await this.#worker?.setFlows(this.#flows.flows);
        this.#worker?.serveAlso(queuesOf(this.#flows.flows));
        this.#client?.forgetFlows();
        this.screen.reloaded(news);
        for (const error of news.broken) this.screen.error(error, 'what it held before stays');
        await this.#deploy();
      } catch (error) {
        this.#log?.logger.error({ err: error }, 'The change could not be applied; save the file again to retry.');
      }
    });
  }

  async #reload(): Promise<FlowNews> {
    return await loadQuietly(this.#context, () => this.#flows.reload());
  }

  #watchFolders(): void {
    const { cwd } = this.#context.terminal;
    const below = this.#settings.config.flows.flatMap((path) => foldersBelow(resolve(cwd, path)));
    const files = [...this.#flows.inputs].filter((path) => !path.includes('node_modules'));
    this.#watch.watch(new Set([cwd, ...below, ...files.map((path) => dirname(path))]));
  }

  #isOurs(path: string): boolean {
    const name = basename(path);
    if (name.startsWith('.')) return false;
    if (this.#flows.inputs.has(path) || configNames.test(name)) return true;
    // A new folder has no extension; anything else in the project's folder is ignored.
    const inFlows = this.#settings.config.flows.some((flows) => path.startsWith(resolve(this.#context.terminal.cwd, flows)));
    return inFlows && (codeNames.test(name) || !name.includes('.'));
  }

  async #openLog(): Promise<Log> {
    const { config, sources } = this.#settings;
    const { err } = this.#context.terminal;
    // Its output is for people, even through a pipe.
    const format = sources.logFormat === 'default' ? 'pretty' : config.logFormat;
    return await openLog({ level: config.logLevel, format, colors: err.paint.isColorSupported, write: this.#runLog.write });
  }
}

/** Queues named by tasks of these flows. */
function queuesOf(flows: readonly FlowDefinition[]): string[] {
  return [defaultQueue, ...flows.flatMap(({ tasks }) => [...tasks.values()].flatMap(({ queue }) => queue ?? []))];
}

/** Longest wait for an answer, ms. */
const answerMs = 5_000;

/** Rethrows the error, with a better message if another Batuta has the port. */
export async function explainTaken(error: unknown, { host, port }: Pick<Config, 'host' | 'port'>): Promise<never> {
  if (!isBatutaError(error, 'CONFIG_INVALID') || error.details['port'] !== port || !(await isBatuta(host, port))) throw error;
  throw new BatutaError(
    'CONFIG_INVALID',
    `Another Batuta (dev or server) listens on port ${port} already. Stop it, or start this one as well with --port ${port + 1}.`,
    { cause: error, details: error.details },
  );
}

async function isBatuta(host: string, port: number): Promise<boolean> {
  try {
    const name = host.includes(':') ? `[${host}]` : host;
    const answer = await fetch(`http://${name}:${port}/health/live`, { signal: AbortSignal.timeout(answerMs) });
    const body: unknown = await answer.json();
    return typeof body === 'object' && body !== null && 'ok' in body && body.ok === true;
  } catch {
    return false;
  }
}
