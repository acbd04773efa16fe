/** Server, scheduler and worker in one process, over deployments declared in code. */
import { systemClock } from '../base/clock.ts';
import { describeConfig, withoutHealthFile } from '../base/config.ts';
import type { ConfigDeployment } from '../base/config-file.ts';
import { BatutaError } from '../base/errors.ts';
import { defaultQueue } from '../broker/broker.ts';
import type { DeploymentSpec } from '../client/deployments-client.ts';
import type { StartScheduler, StartWorker } from '../client/fleet-process.ts';
import { isFlowClass } from '../define/definition.ts';
import type { FlowClass } from '../model/flow-types.ts';
import type { FlowDefinition } from '../model/flow.ts';
import { stopIfLoading } from '../model/loading.ts';
import { openMetrics } from '../monitor/open-metrics.ts';
import { loadStart } from './load-start.ts';
import { runningProcess } from './running.ts';
import { definitionsOf, readProcessSettings } from './settings.ts';
import { openSiteClient } from './site-client.ts';
import type { RunningServer, ServerInProgramOptions } from './start-server.ts';

export interface ServeOptions extends ServerInProgramOptions {
  /** Runs at the same time, 1 to 10,000. Default: setting `concurrency`, 16. */
  readonly concurrency?: number;
}

/** How long the scheduler loops may take to end, ms. */
const endMs = 5_000;

/**
 * Deploys, then runs server, scheduler and worker in this process until Ctrl-C or SIGTERM, or until `stop`. The worker knows the flows of
 * the deployments and those of `flows`, and serves every queue that either names. Deployments no longer in the list are left as they are.
 *
 * In a file that is only loaded for its flows it starts nothing and never resolves.
 *
 * @param options `signals` is true by default here
 * @throws BatutaError CONFIG_INVALID (the port is taken, …), FLOW_NOT_FOUND, FLOW_DUPLICATE, PARAMS_INVALID, SCHEDULE_INVALID,
 *   OPTION_INVALID, BROKER_UNAVAILABLE, STORE_…; what was already started is stopped
 * @example
 * ```ts
 * await serve(deployment(Weather, { cron: '0 6 * * *', params: { city: 'Lima' } }));
 * ```
 */
export async function serve(
  deployments: ConfigDeployment | readonly ConfigDeployment[],
  options: ServeOptions = {},
): Promise<RunningServer> {
  await stopIfLoading();
  const declared = [deployments].flat();
  const { host, port, basePath, concurrency, authorize, signals = true } = options;
  const classes = [...new Set([...declared.map(classOf).filter((flow) => flow !== null), ...(options.flows ?? [])])];
  const flows = definitionsOf(classes);
  const { loaded, config: read, openLog } = await readProcessSettings(options, { host, port, basePath, concurrency });
  // One health file cannot represent several processes of a fleet.
  const config = withoutHealthFile(read);
  const log = await openLog();
  const started: ((graceMs: number) => Promise<void>)[] = [];
  const stop = async (graceMs: number): Promise<void> => {
    for (const end of started.splice(0).toReversed()) await end(graceMs);
  };
  try {
    const client = await openSiteClient({ config }, log, { flows: classes });
    started.push(() => client.close());
    const reports = await client.deployments.deploy(declared.map(specOf), { origin: 'code' });
    const { startServer } = await import('../server/start.ts');
    const metrics = await openMetrics(systemClock, config.metricsLabelValues);
    const server = await startServer({ config, log, client, authorize, settings: describeConfig(loaded), metrics });
    started.push(() => server.stop(0));
    const parts = { config, cwd: process.cwd(), metrics };
    const worker = await (await loadStart<StartWorker>('worker'))({
      ...{ ...parts, flows, concurrency: config.concurrency, name: undefined, mayEndProcess: false },
      queues: queuesOf(flows, declared),
      log: await openLog(),
    });
    started.push((graceMs) => worker.stop(graceMs));
    const scheduler = await (await loadStart<StartScheduler>('scheduler'))({ ...parts, log: await openLog() });
    started.push(() => scheduler.stop(endMs));
    const names = reports.map(({ deployment: { name } }) => name).join(', ');
    const greeting = `${server.greeting.slice(0, -1)}, with a scheduler and a worker for ${names || 'its flows'}.`;
    log.logger.info(greeting);
    return { ...runningProcess({ greeting, stop }, signals), url: server.url };
  } catch (error) {
    await stop(0).catch(() => undefined);
    throw error;
  }
}

function classOf(declared: ConfigDeployment): FlowClass | null {
  const { flow } = declared;
  if (isFlowClass(flow)) return flow;
  if (typeof flow === 'string') return null;
  throw new BatutaError(
    'CONFIG_INVALID',
    'serve takes deployments: deployment(Weather, { cron: "@daily" }), each of a class with @Flow() or the name of a flow.',
  );
}

function specOf({ flow, ...rest }: ConfigDeployment): DeploymentSpec {
  return { ...rest, flow };
}

/** Queues in which runs of the deployments wait, and those named by tasks. */
function queuesOf(flows: readonly FlowDefinition[], declared: readonly ConfigDeployment[]): string[] {
  const ofTasks = flows.flatMap(({ tasks }) => [...tasks.values()].flatMap(({ queue }) => queue ?? []));
  return [...new Set([defaultQueue, ...declared.flatMap(({ queue }) => queue ?? []), ...ofTasks])];
}
