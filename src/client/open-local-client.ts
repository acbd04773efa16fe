/** Assembles a local client: settings, store, engine. For our own processes and tests; users have `openClient`. */
import { type Clock, systemClock } from '../base/clock.ts';
import { configMiddleware, hasS3Endpoint, loadConfig } from '../base/config.ts';
import { defaultResultsFolder } from '../base/result-places.ts';
import type { Config } from '../base/settings.ts';
import { makeId } from '../base/id.ts';
import { builtFile } from '../base/installed.ts';
import { type Log, openLog } from '../base/log.ts';
import { identifyProcess, isProcessGone } from '../base/process-identity.ts';
import { projectInstantiate } from '../define/create-instance.ts';
import { definitionOf } from '../define/definition.ts';
import { mayLoadRecorded, rememberSource } from '../define/recorded-source.ts';
import { Engine } from '../engine/engine.ts';
import { openResults } from '../engine/results/open.ts';
import type { ResultStorage } from '../engine/results/storage.ts';
import { defaultEngineSettings, type EngineSettings } from '../engine/services.ts';
import type { Spread } from '../engine/spread/spread.ts';
import { SpreadOffers } from '../engine/spread/spread-offers.ts';
import { GuestIsolate } from '../engine/isolate/guest-isolate.ts';
import type { FlowDefinition } from '../model/flow.ts';
import { type Middleware, noMiddleware } from '../model/middleware.ts';
import type { Run } from '../model/run.ts';
import { sealedResults } from '../engine/values/sealed-results.ts';
import { keyringOf, payloadKeyringOf, projectResolvers } from './keyring.ts';
import { openText, sealPayloads, sealText } from '../secrets/seal-payloads.ts';
import { NamedValueReader } from '../secrets/read-values.ts';
import type { Reporter } from '../report/reporter.ts';
import type { ReportingParts } from '../report/start-reporting.ts';
import { openTracing } from '../tracing/open-tracing.ts';
import { openStore } from '../store/open.ts';
import type { Store } from '../store/store.ts';
import type { ClientOptions } from './client.ts';
import { DecisionLinks } from './decision-links.ts';
import { findDeployed } from './find-deployed.ts';
import { LocalClient } from './local-client.ts';

export { loadStoreCode } from '../store/open.ts';

/** What this process has already read and opened, besides a user's options. */
export interface LocalClientSettings extends ClientOptions {
  /** Settings; default: read from environment and defaults. `ClientOptions` override them one by one. */
  readonly config?: Config;
  /** Log to write to; default: one on standard error by the settings. */
  readonly log?: Log;
}

/** Parts that our own processes and tests replace. */
export interface ClientParts {
  readonly store?: Store;
  readonly resultStorage?: ResultStorage;
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly settings?: Partial<EngineSettings>;
  /** Carries spread tasks to other workers; default: they run here. */
  readonly spread?: Spread;
  /** Finds a flow by its name; default: among the flows in the settings. @throws BatutaError FLOW_NOT_FOUND */
  readonly findFlow?: (name: string) => Promise<FlowDefinition>;
}

/**
 * Opens the store (creating and migrating it if needed) and returns a client that runs flows in this process. Close it at the end.
 *
 * @throws BatutaError CONFIG_INVALID, STORE_UNAVAILABLE, STORE_READ_ONLY, STORE_CORRUPT, STORE_NEWER, STORE_FULL
 */
export async function openLocalClient(options: LocalClientSettings = {}, parts: ClientParts = {}): Promise<LocalClient> {
  const flags = {
    databaseUrl: options.databaseUrl,
    results: options.results,
    flows: options.flows,
    captureConsole: options.captureConsole,
  };
  const config = options.config ?? (await loadConfig({ flags })).config;
  const log = options.log ?? (await openLog({ level: config.logLevel, format: config.logFormat }));
  const clock = parts.clock ?? systemClock;
  const payloadKeys = payloadKeyringOf(config);
  const opened =
    parts.store ?? (await openStore({ url: options.databaseUrl ?? config.databaseUrl, connections: config.databaseConnections }));
  const store = payloadKeys === null ? opened : sealPayloads(opened, payloadKeys);
  const results =
    parts.resultStorage ??
    openResults(
      {
        results: options.results ?? config.results,
        formerResults: config.formerResults,
        defaultFolder: defaultResultsFolder(options.databaseUrl ?? config.databaseUrl),
        hasS3Endpoint: hasS3Endpoint(),
      },
      opened,
      systemClock,
    );
  const middleware = options.middleware ?? (configMiddleware(config) as readonly Middleware[]);
  const owner = identifyProcess();
  const tracing = await openTracing({ clock, log: log.logger, owner });
  const capture = options.captureConsole ?? config.captureConsole;
  const settings = {
    ...defaultEngineSettings,
    leaseMs: config.leaseMs,
    heartbeatMs: config.heartbeatMs,
    maxRecoveries: config.maxRecoveries,
    maxLogLineBytes: config.maxLogLineBytes,
    maxRunLogBytes: config.maxRunLogBytes,
    maxArtifactBytes: config.maxArtifactBytes,
    maxArtifactFileBytes: config.maxArtifactFileBytes,
    maxArtifactImageBytes: config.maxArtifactImageBytes,
    maxChartPoints: config.maxChartPoints,
    maxStreamValueBytes: config.maxStreamValueBytes,
    maxRunStreamsBytes: config.maxRunStreamsBytes,
    ...parts.settings,
  };
  const keyring = keyringOf(config);
  const links = new DecisionLinks(keyring, config);
  const engine = new Engine(
    {
      store,
      results:
        payloadKeys === null
          ? results
          : sealedResults(
              results,
              (text) => sealText(payloadKeys, text),
              (text) => openText(payloadKeys, text),
            ),
      clock,
      leaseClock: systemClock,
      log: log.logger,
      random: parts.random ?? Math.random,
      makeId,
      owner,
      isOwnerGone: isProcessGone,
      settings,
      middleware: middleware.length === 0 && !tracing?.middleware.length ? noMiddleware : [...(tracing?.middleware ?? []), ...middleware],
      tracer: tracing?.tracer ?? null,
      decisionAddresses: links,
      namedValues: new NamedValueReader({ store, keyring, clock: systemClock, resolvers: projectResolvers() }),
      isolate: new GuestIsolate({
        entry: builtFile('define/isolate-entry.js'),
        captureConsole: capture,
        profilesAll: options.profile ?? false,
        threads: config.threads,
        processes: config.processes,
        clock: systemClock,
        log: log.logger,
        traces: tracing?.tracer.guests ?? null,
      }),
      instantiate: options.instantiate ?? projectInstantiate(process.cwd()),
      findDeployed: (name, params) =>
        findDeployed(store, (recorded) => findDefinition(recorded, options.flows ?? config.flows), name, params),
      spread: parts.spread ? new SpreadOffers({ store: store.spread, spread: parts.spread, clock: systemClock, log: log.logger }) : null,
    },
    definitionOf,
  );
  tracing?.listen(engine.services.lifecycle);
  const reporter =
    config.reportUrl === null || options.reports === false
      ? null
      : // Sealed values stay sealed.
        await startReports({ config, store: opened, owner, clock: systemClock, random: Math.random, log: log.logger });
  return new LocalClient({
    store,
    observers: [reporter, tracing].filter((one) => one !== null),
    engine,
    log,
    captureConsole: capture,
    keyring,
    links,
    findDefinition: (run) => parts.findFlow?.(run.flow) ?? findDefinition(run, options.flows ?? config.flows),
    remember: rememberSources(options.flows ?? config.flows),
    findFlow:
      parts.findFlow ??
      (async (name) => (await import('../define/find-flow.ts')).findFlowByName(name, { flowsPath: options.flows ?? config.flows })),
    openBroker: async () => (await import('./fleet-broker.ts')).openFleetBroker(config, store, log),
  });
}

async function startReports(parts: Omit<ReportingParts, 'cwd' | 'isOwnerGone' | 'makeId'>): Promise<Pick<Reporter, 'stop'> | null> {
  const { startReporting } = await import('../report/start-reporting.ts');
  return await startReporting({ ...parts, cwd: process.cwd(), isOwnerGone: isProcessGone, makeId });
}

/** Notes files outside the flows folder whose flows are submitted, each once; those inside need no note. */
function rememberSources(flows: readonly string[]): (definition: FlowDefinition) => void {
  const told = new Set<string>();
  return ({ source }) => {
    if (source === null || told.has(source.file)) return;
    told.add(source.file);
    if (!mayLoadRecorded(source.file, flows, process.cwd())) rememberSource(source.file);
  };
}

/** The flow of a recorded run: in its own file if that exists, else by name among the flows. */
async function findDefinition(run: Pick<Run, 'flow' | 'source'>, flows: readonly string[]): Promise<FlowDefinition> {
  const { findFlowOfRun } = await import('../define/find-flow.ts');
  return findFlowOfRun({ flow: run.flow, source: run.source, flows });
}
