/** The client that opens the store itself and runs flows in this process. */
import { captureConsole } from '../base/console-capture.ts';
import type { Keyring } from '../base/keyring.ts';
import type { Log } from '../base/log.ts';
import type { Engine } from '../engine/engine.ts';
import { loadValue, pruneStore } from '../engine/values/results.ts';
import type { EngineListener } from '../model/events.ts';
import type { EmitsOf, FlowClass, FlowRef, ResultOf, StartArguments } from '../model/flow-types.ts';
import { backfillsChannel, deploymentsChannel } from '../model/deployment.ts';
import type { FlowDefinition } from '../model/flow.ts';
import { triggersChannel } from '../model/triggers/trigger.ts';
import { currentLoading, stopIfLoading } from '../model/loading.ts';
import type { Run } from '../model/run.ts';
import { isTerminal } from '../model/state.ts';
import { currentScope } from '../model/run-context.ts';
import type { Store } from '../store/store.ts';
import type { Broker } from '../broker/broker.ts';
import type { EmbeddedClient, EnqueueOptions, FlowsClient, RunHandle, RunOptions } from './client.ts';
import { checkOptions } from './call-options.ts';
import type { RunRequest } from './enqueue.ts';
import { LocalAudit, LocalKeys } from './local-access.ts';
import { localAlerts, localErrors } from './local-alerts.ts';
import { localArtifacts } from './local-artifacts.ts';
import { localCache } from './local-cache.ts';
import { LocalInbox, type LocalInboxOptions } from './local-inbox.ts';
import { asDefinition, localFlows } from './local-flows.ts';
import { type LocalConnections, localNamedValues } from './local-connections.ts';
import type { LocalSecrets, LocalVariables } from './local-secrets.ts';
import { localBackfills } from './local-backfills.ts';
import { LocalDeployments } from './local-deployments.ts';
import { localFigures } from './local-figures.ts';
import { remoteHandle } from './remote-handle.ts';
import { handleOf } from './run-handle.ts';
import { localLimits } from './local-limits.ts';
import { type ExportsClient, localExports } from './export/local-exports.ts';
import { type LocalEvents, localEvents } from './local-events.ts';
import { LocalWebhooks } from './local-webhooks.ts';
import { followRunEvents } from './run-events.ts';
import { noFleet, putRunTickets } from './put-tickets.ts';
import { LocalRuns } from './runs.ts';

export interface LocalClientOptions extends Partial<Pick<LocalInboxOptions, 'links'>> {
  readonly store: Store;
  readonly engine: Engine;
  readonly log: Log;
  readonly captureConsole: boolean;
  /** Keys that secrets are encrypted with; default none. @throws BatutaError CONFIG_INVALID */
  readonly keyring?: () => Keyring | null;
  /** Finds the flow of a recorded run in the user's files. @throws BatutaError FLOW_NOT_FOUND, FILE_… */
  readonly findDefinition: (run: Pick<Run, 'flow' | 'source'>) => Promise<FlowDefinition>;
  /** Called for each submitted flow, whose file may be reloaded for its runs from now on. */
  readonly remember?: (definition: FlowDefinition) => void;
  /** Finds a flow by its name. @throws BatutaError FLOW_NOT_FOUND, FLOW_AMBIGUOUS, FILE_… */
  readonly findFlow?: (name: string) => Promise<FlowDefinition>;
  /** Opens the broker, once; default: there is none. @throws BatutaError CONFIG_INVALID, BROKER_UNAVAILABLE */
  readonly openBroker?: () => Promise<Broker>;
  /** Reporter, tracer: stopped after the engine, in order, before the store closes; in a hurry if `graceMs` is 0. Default none. */
  readonly observers?: readonly { stop(isHurried: boolean): Promise<void> }[];
}

/** Makes the client over open parts; it closes them. */
export class LocalClient implements EmbeddedClient {
  readonly runs: LocalRuns;
  readonly flows: FlowsClient;
  readonly figures: EmbeddedClient['figures'];
  readonly artifacts: EmbeddedClient['artifacts'];
  readonly events: LocalEvents;
  readonly webhooks: LocalWebhooks;
  readonly exports: ExportsClient;
  readonly alerts: EmbeddedClient['alerts'];
  readonly errors: EmbeddedClient['errors'];
  readonly deployments: LocalDeployments;
  readonly backfills: EmbeddedClient['backfills'];
  readonly limits: EmbeddedClient['limits'];
  readonly cache: EmbeddedClient['cache'];
  readonly inbox: LocalInbox;
  readonly keys: LocalKeys;
  readonly audit: LocalAudit;
  readonly secrets: LocalSecrets;
  readonly variables: LocalVariables;
  readonly connections: LocalConnections;
  readonly #options: LocalClientOptions;
  readonly #listeners = new Map<string, EngineListener>();
  /** Definitions that ran here, by flow name: a class from code has no file to find it in. */
  readonly #known = new Map<string, FlowDefinition>();
  readonly #release: (() => void)[] = [];
  readonly #named = new Map<string, Promise<FlowDefinition>>();
  readonly #over = new AbortController();
  #broker: Promise<Broker> | null = null;
  #closed: Promise<void> | null = null;

  constructor(options: LocalClientOptions) {
    const { store, engine, log } = options;
    this.#options = options;
    this.runs = new LocalRuns({
      ...{ store, engine, clock: engine.services.leaseClock, closed: this.#over.signal },
      findDefinition: async (run) => this.#known.get(run.flow) ?? options.findDefinition(run),
      wake: (runIds) => this.#wake(runIds),
      ticket: (runs) => this.#ticket(runs),
      tellBackfills: () => this.#tell(backfillsChannel, ''),
      listen: (runId, listener) => this.#listen(runId, listener),
      enqueue: (flow, params, options) => this.enqueue(flow, params, options),
    });
    this.deployments = new LocalDeployments({
      ...{ store, engine, clock: engine.services.clock },
      definitionOf: async (flow) => (typeof flow === 'string' ? await this.#findNamed(flow) : this.#know(asDefinition(flow))),
      findDefinition: async (recorded) => this.#known.get(recorded.flow) ?? options.findDefinition(recorded),
      submit: async (row) => {
        const { submitRows } = await import('./enqueue.ts');
        return (await submitRows(engine, this.#brokerOfFleet(), [row]))[0]?.id ?? row.run.id;
      },
      handleOf: async (id) => this.#handle(id),
      tellSchedulers: (message) => this.#tell(deploymentsChannel, message),
    });
    this.backfills = localBackfills({
      ...{ store, engine, clock: engine.services.clock },
      wake: (runs) => this.#ticket(runs),
      tellSchedulers: () => this.#tell(backfillsChannel, ''),
    });
    this.limits = localLimits(store, engine.services.limits, () => this.#tell('limits', 'free'));
    const access = { store, clock: engine.services.clock, makeId: engine.services.makeId };
    [this.keys, this.audit] = [new LocalKeys(access), new LocalAudit(access)];
    this.inbox = new LocalInbox({ ...access, links: options.links, runs: this.runs, wake: (runIds) => this.#wake(runIds) });
    [this.secrets, this.variables, this.connections] = localNamedValues({ ...access, keyring: options.keyring ?? (() => null) });
    this.figures = localFigures({
      ...{ store, clock: engine.services.clock, isOwnerGone: engine.services.isOwnerGone },
      leaseMs: engine.services.settings.leaseMs,
      why: (runId) => this.runs.why(runId),
    });
    [this.cache, this.artifacts] = [localCache(engine.services), localArtifacts(store.artifacts, engine.services.results)];
    this.webhooks = new LocalWebhooks(engine.services, () => this.#tell(triggersChannel, ''));
    [this.alerts, this.errors] = [localAlerts(engine.services), localErrors(engine.services)];
    this.events = localEvents({
      services: engine.services,
      follow: (options = {}) => followRunEvents(store, engine.services.leaseClock, options, this.#over.signal),
      tellSchedulers: () => this.#tell(triggersChannel, ''),
    });
    [this.flows, this.exports] = [localFlows(store), localExports(store, engine.services.clock)];
    engine.services.limits.runs.carry(async (runs) => putRunTickets(await this.broker(), runs));
    this.#release.push(log.onLine((line) => this.#keep(line)));
    if (options.captureConsole) this.#release.push(captureConsole({ currentLogger: () => currentScope()?.logger() }));
  }

  async submit<C extends FlowClass | FlowDefinition>(
    flow: C,
    ...[params, options = {}]: StartArguments<C, [options?: RunOptions]>
  ): Promise<RunHandle<ResultOf<C>, EmitsOf<C>>> {
    checkOptions('submit', options);
    if (currentLoading()) await stopIfLoading();
    const { engine, store } = this.#options;
    const definition = this.#know(asDefinition(flow));
    const id = engine.services.makeId();
    const { onEvent, ...given } = options;
    const listener = this.#listen(id, onEvent);
    const underWay = await engine.submit(definition, params, { id, ...given, listener }).catch((error: unknown) => {
      this.#listeners.delete(id);
      throw error;
    });
    return handleOf(store, underWay, this.runs) as RunHandle<ResultOf<C>, EmitsOf<C>>;
  }

  async enqueue<const C extends FlowRef>(
    flow: C,
    ...[params, options = {}]: StartArguments<C, [options?: EnqueueOptions]>
  ): Promise<RunHandle<ResultOf<C>, EmitsOf<C>>> {
    const [id = ''] = await this.enqueueMany(flow, [{ ...options, params }]);
    return this.#handle(id) as RunHandle<ResultOf<C>, EmitsOf<C>>;
  }

  async enqueueMany(flow: FlowRef, runs: readonly RunRequest[]): Promise<readonly string[]> {
    const definition = typeof flow === 'string' ? await this.#findNamed(flow) : asDefinition(flow);
    this.#options.remember?.(definition);
    const { enqueueRuns } = await import('./enqueue.ts');
    return (await enqueueRuns(this.engine, this.#brokerOfFleet(), definition, runs)).map(({ id }) => id);
  }

  /** The engine of this process, and through it the store; for the processes of the fleet. */
  get engine(): Engine {
    return this.#options.engine;
  }

  /** The broker; opened on first use, closed with the client. @throws BatutaError CONFIG_INVALID, BROKER_UNAVAILABLE */
  broker(): Promise<Broker> {
    const open = this.#options.openBroker ?? (() => Promise.reject(noFleet()));
    return (this.#broker ??= open().catch((error: unknown) => {
      this.#broker = null;
      throw error;
    }));
  }

  /** Unlike with an unreachable broker, runs are not accepted. @throws BatutaError BROKER_UNAVAILABLE (this client has none) */
  #brokerOfFleet(): () => Promise<Broker> {
    if (!this.#options.openBroker) throw noFleet();
    return () => this.broker();
  }

  migrate(): ReturnType<EmbeddedClient['migrate']> {
    return this.#options.store.migrate();
  }

  async prune(before: number): ReturnType<EmbeddedClient['prune']> {
    return await pruneStore(this.engine.services, before);
  }

  close(options: { readonly graceMs?: number; readonly message?: string } = {}): Promise<void> {
    this.#over.abort();
    // Called again with less grace (a second Ctrl-C), only the engine learns of it; the rest runs once.
    const stopped = this.#options.engine.close(options);
    this.#closed ??= stopped.then(async () => {
      for (const release of this.#release.splice(0)) release();
      await this.#broker?.then((broker) => broker.close()).catch(() => undefined);
      for (const observer of this.#options.observers ?? []) await observer.stop(options.graceMs === 0);
      this.#options.engine.services.results.close();
      await this.#options.store.close();
    });
    return this.#closed;
  }

  #know(definition: FlowDefinition): FlowDefinition {
    this.#known.set(definition.name, definition);
    this.#options.remember?.(definition);
    return definition;
  }

  /** Looks up flows by name again from now on: their files have changed. */
  forgetFlows(): void {
    this.#named.clear();
  }

  #handle(id: string): RunHandle {
    return remoteHandle(this.runs, id, (run) => loadValue(this.engine.services.results, run));
  }

  #findNamed(name: string): Promise<FlowDefinition> {
    const known = this.#named.get(name);
    if (known) return known;
    const found = this.#options.findFlow?.(name) ?? Promise.reject(noFleet());
    this.#named.set(name, found);
    found.catch(() => this.#named.delete(name));
    return found;
  }

  /** Puts the ticket of the outermost run; those below continue with it. Without a broker, workers find it themselves within seconds. */
  async #wake(runIds: readonly string[]): Promise<void> {
    const run = await this.#options.store.runs.get(runIds.at(-1) ?? '');
    if (run) await this.#ticket([run]);
  }

  /** Puts the tickets of runs, queue by queue. Best effort. */
  async #ticket(runs: readonly Pick<Run, 'id' | 'epoch' | 'priority' | 'queue'>[]): Promise<void> {
    try {
      await putRunTickets(await this.broker(), runs);
    } catch (error) {
      this.#options.log.logger.debug({ err: error }, 'No worker could be woken at once.');
    }
  }

  /** Notifies other processes. Best effort: they poll as well, and without a broker nobody is notified. */
  async #tell(channel: string, message: string): Promise<void> {
    try {
      await (await this.broker()).notify(channel, message);
    } catch (error) {
      this.#options.log.logger.debug({ err: error }, 'No scheduler could be told.');
    }
  }

  /** Stores a line with its run, and passes it to local followers of the run. */
  #keep(logged: Parameters<Parameters<Log['onLine']>[0]>[0]): void {
    const line = this.#options.engine.services.output.lineOf(logged);
    if (line === null) return;
    // A line that cannot be stored was still printed; store errors surface where states are recorded.
    this.#options.store.recorder.addLog(line).catch(() => undefined);
    this.#listeners.get(line.runId)?.({ kind: 'log', line });
  }

  /** Listener of a run and the sub-flows it starts; their log lines reach it too. */
  #listen(runId: string, listener: EngineListener | undefined): EngineListener | null {
    if (!listener) return null;
    const { logger } = this.#options.log;
    const tell: EngineListener = (event) => {
      try {
        listener(event);
      } catch (thrown) {
        // Not for lines: a listener that throws on each would be sent its own errors forever.
        if (event.kind !== 'log') logger.error({ err: thrown }, 'The listener onEvent threw; the run continues.');
      }
    };
    this.#listeners.set(runId, tell);
    return (event) => {
      if (event.kind === 'run') {
        const { id, state } = event.run;
        // Hooks still log after the end of a run.
        const forget = (): void => void this.#listeners.delete(id);
        if (isTerminal(state.type)) (this.engine.underWay(id)?.ended ?? Promise.resolve()).then(forget, forget);
        else this.#listeners.set(id, tell);
      }
      tell(event);
    };
  }
}
