/** The server, API and dashboard, inside a program that lets it listen itself. */
import { describeConfig } from '../base/config.ts';
import type { LocalClient } from '../client/local-client.ts';
import { openClient } from '../client/open-client.ts';
import type { Log } from '../base/log.ts';
import { BatutaError } from '../base/errors.ts';
import { hintFor } from '../base/nearest.ts';
import { findFlowByName } from '../define/find-flow.ts';
import { stopIfLoading } from '../model/loading.ts';
import type { FlowDefinition } from '../model/flow.ts';
import type { Authorize } from '../server/identity.ts';
import { type RunningProcess, runningProcess } from './running.ts';
import { definitionsOf, type FlowsOption, type ProcessOptions, type ProcessSettings, readProcessSettings } from './settings.ts';

/** What API and dashboard can be given, however they are reached. */
export interface SiteOptions extends ProcessOptions, FlowsOption {
  /** Path below which all of it is, such as `/batuta`. Default as the setting `basePath` says: none. */
  readonly basePath?: string;
  /**
   * Says who asks, by role: `'observer'`, `'viewer'`, `'operator'`, `'admin'`, or `{ role, who }` with a name for the audit. With null, a key of Batuta is asked
   * for. Default: keys alone.
   */
  readonly authorize?: Authorize;
}

export interface ServerInProgramOptions extends SiteOptions {
  /** Address it listens on. Default as the setting says: `127.0.0.1`. */
  readonly host?: string;
  /** Default as the setting says: 4200; 0 takes a free one. */
  readonly port?: number;
}

/** A server that listens. */
export interface RunningServer extends RunningProcess {
  /** Where it is reached from this computer, base path included, without a slash at its end. */
  readonly url: string;
}

/**
 * Starts a server in this process, which listens by itself. To hand it requests from a server that is there already, take `requestHandler` or
 * `fastifyPlugin`.
 *
 * In a file that is only loaded for its flows it starts nothing and never resolves.
 *
 * @throws BatutaError CONFIG_INVALID (the port is taken, others reach the address and nothing asks who they are), FLOW_NOT_FOUND, STORE_…
 */
export async function startServer(options: ServerInProgramOptions = {}): Promise<RunningServer> {
  await stopIfLoading();
  const { host, port, basePath, authorize, signals = false } = options;
  const settings = await readProcessSettings(options, { host, port, basePath });
  const log = await settings.openLog();
  const client = await openSiteClient(settings, log, options);
  try {
    const { startServer: start } = await import('../server/start.ts');
    const server = await start({ config: settings.config, log, client, authorize, settings: describeConfig(settings.loaded) });
    const running = runningProcess({ greeting: server.greeting, stop: async () => (await server.stop(0), await client.close()) }, signals);
    return { ...running, url: server.url };
  } catch (error) {
    await client.close();
    throw error;
  }
}

/** The client that API and dashboard ask: it knows the flows that were handed in, and else those that are found where the settings say. */
export async function openSiteClient({ config }: Pick<ProcessSettings, 'config'>, log: Log, { flows }: FlowsOption): Promise<LocalClient> {
  const given = flows && definitionsOf(flows);
  const findFlow = given && ((name: string) => findGiven(given, name, config.flows));
  return await openClient({ config, log, captureConsole: false, reports: false }, findFlow ? { findFlow } : {});
}

async function findGiven(given: readonly FlowDefinition[], name: string, flowsPath: readonly string[]): Promise<FlowDefinition> {
  const own = given.find((flow) => flow.name === name || flow.className === name);
  if (own) return own;
  try {
    return await findFlowByName(name, { flowsPath });
  } catch {
    const names = given.map((flow) => flow.name);
    throw new BatutaError('FLOW_NOT_FOUND', `There is no flow '${name}'.${hintFor(name, names, 'The flows are')}`, {
      details: { flow: name },
    });
  }
}
