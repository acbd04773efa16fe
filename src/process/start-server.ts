/** The server, API and dashboard, inside a program, listening by itself. */
import { describeConfig } from '../base/config.ts';
import { stopIfLoading } from '../model/loading.ts';
import type { Authorize } from '../server/authorize.ts';
import { type RunningProcess, runningProcess } from './running.ts';
import { type FlowsOption, type ProcessOptions, readProcessSettings } from './settings.ts';
import { openSiteClient } from './site-client.ts';

/** Options of API and dashboard, however they are reached. */
export interface SiteOptions extends ProcessOptions, FlowsOption {
  /** Path prefix of everything, such as `/batuta`. Default: setting `basePath`, none. */
  readonly basePath?: string;
  /**
   * Says who asks, by role: `'observer'`, `'viewer'`, `'operator'`, `'admin'`, or `{ role, who }` with a name for the audit. With null, a
   * key of Batuta is required. Default: keys alone.
   */
  readonly authorize?: Authorize;
}

export interface ServerInProgramOptions extends SiteOptions {
  /** Address it listens on. Default: the setting, `127.0.0.1`. */
  readonly host?: string;
  /** Default: the setting, 4200; 0 takes a free one. */
  readonly port?: number;
}

/** A server that listens. */
export interface RunningServer extends RunningProcess {
  /** Its address on this computer, base path included, without a trailing slash. */
  readonly url: string;
}

/**
 * Starts a server in this process, which listens by itself. To pass it requests from an existing server, use `requestHandler` or
 * `fastifyPlugin`.
 *
 * In a file that is only loaded for its flows it starts nothing and never resolves.
 *
 * @throws BatutaError CONFIG_INVALID (the port is taken, others reach the address and nothing authenticates them), FLOW_NOT_FOUND, STORE_…
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
