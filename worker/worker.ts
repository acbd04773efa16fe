/**
 * The worker: takes tickets of its queues, claims their runs and executes them, as many at once as it has places. Spread tasks have as many
 * places of their own, because the runs that wait for them hold theirs.
 *
 * Load the flows → register → serve → quiet → finish or hand back → leave. After a crash its leases expire; then others continue from the
 * record. It checks for runs of lost owners itself, so that a fleet without a scheduler recovers too.
 */
import { systemClock, watchEventLoop } from '../src/base/clock.ts';
import { packageVersion } from '../src/base/installed.ts';
import { joinServices } from '../src/base/service.ts';
import type { Delivery, Ticket } from '../src/broker/broker.ts';
import type { StartWorker, WorkerOptions, WorkerProcess } from '../src/client/fleet-process.ts';
import { type Monitoring, startMonitoring } from '../src/client/monitoring.ts';
import { openLocalClient } from '../src/client/open-local-client.ts';
import { loadFlows } from '../src/define/load-flows.ts';
import { Batcher } from '../src/engine/batcher.ts';
import { SpreadWorker } from '../src/engine/spread/spread-worker.ts';
import { backfillsChannel } from '../src/model/deployment.ts';
import type { FlowDefinition } from '../src/model/flow.ts';
import { openHealthFile } from '../src/observe/health-file.ts';
import { orphansLoop } from '../src/upkeep/orphans.ts';
import { releaseHeld } from '../src/upkeep/overlap.ts';
import { putTickets } from '../src/upkeep/parts.ts';
import { cacheNews } from '../src/upkeep/cache-news.ts';
import { expiryLoop } from '../src/upkeep/expiry.ts';
import { limitNews, limitsLoop } from '../src/upkeep/limits.ts';
import { reclaimLoop } from '../src/upkeep/reclaim.ts';
import { reissueLoop } from '../src/upkeep/reissue.ts';
import { FleetSpread } from './fleet-spread.ts';
import { FlowRoutes, versionsOf } from './flow-routes.ts';
import { heartbeat, type HeartbeatOptions } from './heartbeat.ts';
import { startAlone } from './alone-process.ts';
import { processTaskTicket } from './process-task-ticket.ts';
import { processTicket } from './process-ticket.ts';
import { Quarantine } from './quarantine.ts';
import { WorkerQueues } from './queues.ts';
import { takeSuspect } from './take-suspect.ts';
import { startWatchdog } from './watchdog.ts';

/** Slower than those of a scheduler. */
const reissueMs = 10_000;
/** A run that only waits, and for longer than this, gives its place back, ms. */
export const suspendOverMs = 30_000;
/** How long the queues may take to close after handing back, ms. */
const settleMs = 2_000;

/** @throws BatutaError FILE_NOT_FOUND (no such place of flows), NAME_INVALID (queue), CONFIG_INVALID, BROKER_UNAVAILABLE, STORE_… */
export const startWorker: StartWorker = async (options): Promise<WorkerProcess> => {
  const { config, log, concurrency } = options;
  const flows = await loadKnownFlows(options);
  const spread = new FleetSpread({ clock: systemClock, log: log.logger });
  const client = await openLocalClient({ config, log }, { settings: { abortUnrenewed: true, suspendOverMs }, spread });
  let running = (): number => 0;
  let monitoring: Monitoring | undefined;
  try {
    const { engine } = client;
    const { services } = engine;
    monitoring = await startMonitoring({
      ...{ config, log, client, metrics: options.metrics, role: 'worker' },
      collect(registry) {
        registry.set('batuta_worker_places', concurrency);
        registry.set('batuta_worker_places_used', running());
      },
    });
    const broker = await client.broker();
    spread.connect(broker);
    for (const flow of flows.values()) await engine.describe(flow);
    const loopParts = { engine, broker, log: log.logger };
    await services.limits.connect(limitNews(loopParts));
    await services.cache.connect(cacheNews(loopParts));
    const tickEnds = new Batcher(async (names: readonly string[]): Promise<readonly void[]> => {
      await releaseHeld(loopParts, [...new Set(names)]);
      return [];
    });
    const tickEnded = (deployment: string): void =>
      void tickEnds
        .add(deployment)
        .catch((error: unknown) => log.logger.warn({ err: error }, 'Runs that wait for this one will be released by a scheduler.'));
    const backfillNews = new Batcher(async (ids: readonly string[]): Promise<readonly void[]> => {
      await broker.notify(backfillsChannel, ids[0] ?? '');
      return [];
    });
    // Best effort: schedulers poll as well.
    const backfillRunEnded = (id: string): void => void backfillNews.add(id).catch(() => undefined);
    const reclaim = reclaimLoop(loopParts, { intervalMs: config.leaseMs / 3, maxRecoveries: config.maxRecoveries });
    const quarantine = new Quarantine({
      ...{ suspects: services.store.suspects, clock: systemClock, log: log.logger, places: concurrency, trialMs: config.leaseMs },
      start: (what, onOwner) => startAlone({ ...what, config, cwd: options.cwd }, onOwner),
      onLost: () => reclaim.wake(),
    });
    const tasks = new SpreadWorker({ services, spread, flows });
    const eventLoop = watchEventLoop();
    /** @param act returns false if there was nothing to claim */
    const work = async (ticket: Ticket, { queue }: Delivery, act: (wasLeft: boolean) => Promise<boolean>): Promise<void> => {
      eventLoop.attend();
      const own = queues.ownName(queue);
      if (await act(own === null)) return;
      await takeSuspect({ store: services.store, flows, quarantine, routes }, ticket, own);
    };
    const queues = new WorkerQueues({
      broker,
      concurrency,
      onRun: (ticket, delivery) => work(ticket, delivery, (wasLeft) => processTicket(parts, ticket, wasLeft, delivery)),
      onTask: (ticket, delivery) => work(ticket, delivery, (wasLeft) => processTaskTicket(taskParts, ticket, { delivery, wasLeft })),
    });
    running = () => queues.placesUsed;
    const routes = new FlowRoutes({ services, broker, flows, queues });
    const parts = {
      ...loopParts,
      flows,
      routes,
      loggedUnknown: new Set<string>(),
      loggedWeights: new Set<string>(),
      tickEnded,
      backfillRunEnded,
    };
    const taskParts = { services, tasks, flows, routes };
    spread.leaveBy(routes);
    await routes.start();
    queues.serve(options.queues);
    const { id, host, pid } = services.owner;
    const worker = {
      id,
      name: options.name ?? `${host}-${pid}`,
      version: packageVersion(),
      host,
      pid,
      concurrency,
      startedAt: services.clock.now(),
    };
    const workerNow: HeartbeatOptions['worker'] = () => ({
      ...worker,
      queues: queues.names,
      flows: versionsOf(flows),
    });
    const healthFile = openHealthFile(config.healthFile, { clock: services.leaseClock, goodForMs: config.leaseMs });
    const background = joinServices('worker', [
      heartbeat({
        services,
        log: log.logger,
        worker: workerNow,
        running,
        eventLoop,
        healthFile,
        afterBeat: () => routes.look(),
      }),
      reclaim,
      reissueLoop(parts, { intervalMs: reissueMs }),
      limitsLoop(loopParts, { intervalMs: reissueMs }),
      expiryLoop(loopParts, { intervalMs: reissueMs }),
      orphansLoop(loopParts, { intervalMs: reissueMs }),
    ]);
    await background.start();
    const watchdog = startWatchdog({ config, owner: id, mayEndProcess: options.mayEndProcess ?? true });
    let stopped: Promise<void> | undefined;
    const stop = async (deadlineMs: number): Promise<void> => {
      await queues.quiet();
      const [left] = await Promise.all([engine.handBack(deadlineMs), tasks.handBack(deadlineMs), quarantine.stop(deadlineMs)]);
      await putTickets({ broker, log: log.logger }, left, services.clock.now()).catch((error: unknown) =>
        log.logger.warn({ err: error }, 'Nobody could be woken for the runs handed back; the fleet will see them within seconds.'),
      );
      if (left.length > 0) log.logger.info({ runs: left.length }, 'Handed back runs that had not ended.');
      await monitoring?.stop();
      await background.stop();
      routes.stop();
      await queues.close(settleMs);
      await watchdog.stop();
      await client.close();
    };
    return {
      greeting: `Worker ${worker.name} serves ${queues.names.join(', ')} with ${concurrency} places and ${flows.size} flows, tickets by ${broker.url}.`,
      stop: (deadlineMs) => (stopped ??= stop(deadlineMs)),
      async setFlows(changed) {
        for (const flow of changed) await engine.describe(flow);
        parts.loggedUnknown.clear();
        parts.loggedWeights.clear();
        flows.clear();
        for (const flow of changed) flows.set(flow.name, flow);
        // At once, or a new flow submitted right now would cause a warning that no worker knows it.
        await services.store.workers.beat({ ...workerNow(), running: queues.placesUsed, lagMs: 0 });
        await routes.look();
      },
      serveAlso: (more) => queues.serve(more),
    };
  } catch (error) {
    await monitoring?.stop();
    await client.close();
    throw error;
  }
};

/** A file that does not load is reported and skipped: the others can be run. */
async function loadKnownFlows({ config, log, cwd, flows: given }: WorkerOptions): Promise<Map<string, FlowDefinition>> {
  if (given) return new Map(given.map((flow) => [flow.name, flow]));
  const { flows, broken } = await loadFlows(config.flows, { cwd });
  for (const { error } of broken) log.logger.error({ code: error.code }, error.message);
  if (flows.length === 0) log.logger.warn(`No flow was found in ${config.flows.join(', ')}; this worker leaves every run to others.`);
  return new Map(flows.map((flow) => [flow.name, flow]));
}
