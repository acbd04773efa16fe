/** Starts a server: opens the store, refuses unsafe settings, listens; and stops it, streams included. */
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { systemClock } from '../base/clock.ts';
import type { SettingLine } from '../base/config.ts';
import { BatutaError } from '../base/errors.ts';
import { builtFile } from '../base/installed.ts';
import type { Log } from '../base/log.ts';
import type { Config } from '../base/settings.ts';
import type { FleetProcess } from '../client/fleet-process.ts';
import type { LocalClient } from '../client/local-client.ts';
import { openLocalClient } from '../client/open-local-client.ts';
import { openHealth } from '../client/open-health.ts';
import { exportMetrics } from '../client/metric-export.ts';
import { type Metrics, openMetrics } from '../monitor/open-metrics.ts';
import { readExportWish } from '../tracing/otel-settings.ts';
import { makeApp } from './app.ts';
import type { Authorize } from './authorize.ts';
import type { App, Bounds } from './parts.ts';
import { healthBeat } from './health-beat.ts';
import { isReachedFromHereAlone } from '../base/loopback.ts';
import { programName } from '../base/program-name.ts';

export interface ServerOptions {
  readonly config: Config;
  readonly log: Log;
  /** Base of relative paths; default the working folder. */
  readonly cwd?: string;
  /** Says who asks if the surrounding program knows. */
  readonly authorize?: Authorize | undefined;
  /** Default one of its own, which it closes. */
  readonly client?: LocalClient;
  /** Settings that may be shown; default none. */
  readonly settings?: readonly SettingLine[];
  /** Metrics of the surrounding program; default its own. */
  readonly metrics?: Metrics | undefined;
  /** Build folder of the dashboard; default in `dist`. */
  readonly siteFolder?: string;
}

/** A server that listens. */
export interface ServerProcess extends FleetProcess {
  /** Its address on this computer, without a trailing slash. */
  readonly url: string;
  readonly app: App;
}

/** @throws BatutaError CONFIG_INVALID (an address that others reach without any key; address or port unavailable), STORE_… */
export async function startServer(options: ServerOptions): Promise<ServerProcess> {
  const { config } = options;
  // Behind a proxy others reach it, wherever it listens.
  const loopback = !config.trustProxy && (await isReachedFromHereAlone(config.host));
  const opened = await openApp(options, loopback, async (client) => {
    if (!loopback && options.authorize === undefined) await refuseWithoutKey(client, config);
  });
  const { app } = opened;
  try {
    await listen(app, config);
  } catch (error) {
    await opened.stop();
    throw error;
  }
  const url = urlOf(app, config.host) + config.basePath;
  return { ...opened, url, greeting: `Server at ${url} on ${opened.databaseUrl}.` };
}

/** An app that does not listen: the surrounding program passes requests to it. */
export interface OpenApp {
  readonly app: App;
  /** With its password hidden. */
  readonly databaseUrl: string;
  /** Ends streams, waits for running requests, closes what was opened. */
  stop(): Promise<void>;
}

/**
 * @param loopback whether only this computer reaches it, so that nobody has to authenticate
 * @param check refuses unsafe settings. @throws BatutaError CONFIG_INVALID, STORE_…
 */
export async function openApp(
  options: ServerOptions,
  loopback: boolean,
  check: (client: LocalClient) => Promise<void> = () => Promise.resolve(),
): Promise<OpenApp> {
  const { config, log, cwd = process.cwd() } = options;
  const client = options.client ?? (await openLocalClient({ config, log, captureConsole: false, reports: false }));
  const closeClient = async (): Promise<void> => {
    if (options.client === undefined) await client.close();
  };
  let app: App | undefined;
  const beat = healthBeat(config, client, log);
  const exported = options.metrics === undefined ? await exportedMetrics(config, client, log) : null;
  try {
    if (config.adminKey !== null) await client.keys.bootstrap(config.adminKey);
    await check(client);
    app = await makeApp({
      client,
      log,
      clock: systemClock,
      random: Math.random,
      loopback,
      trustProxy: config.trustProxy,
      basePath: config.basePath,
      authorize: options.authorize,
      siteFolder: options.siteFolder ?? builtFile('web'),
      settings: () => options.settings ?? [],
      flows: config.flows.map((path) => resolve(cwd, path)),
      bounds: boundsOf(config),
      metrics: options.metrics ?? exported?.metrics,
      monitored: config,
      traceUrl: config.traceUrl,
      health: openHealth(client, config),
    });
    await beat.start();
  } catch (error) {
    await beat.stop();
    await app?.close();
    await exported?.end();
    await closeClient();
    throw error;
  }
  const served = app;
  return {
    app: served,
    databaseUrl: client.engine.services.store.url,
    async stop() {
      await beat.stop();
      await exported?.end();
      await served.close();
      await closeClient();
    },
  };
}

/** Metrics of a server exported by OTLP, from its start on; null if not exported. */
async function exportedMetrics(
  { metricsLabelValues }: Config,
  { engine }: LocalClient,
  { logger }: Log,
): Promise<{ readonly metrics: Metrics; end(): Promise<void> } | null> {
  if (!readExportWish('metrics').isOn) return null;
  const { leaseClock, random, owner } = engine.services;
  const metrics = await openMetrics(leaseClock, metricsLabelValues);
  return { metrics, end: await exportMetrics(metrics, { clock: leaseClock, random, log: logger, owner }) };
}

/** The bounds in the settings. */
export function boundsOf({ maxBodyBytes, maxBulkBodyBytes, headersTimeoutMs, requestTimeoutMs }: Config): Partial<Bounds> {
  return { maxBodyBytes, maxBulkBodyBytes, headersTimeoutMs, requestTimeoutMs };
}

async function refuseWithoutKey(client: LocalClient, { host, trustProxy }: Pick<Config, 'host' | 'trustProxy'>): Promise<void> {
  if (await client.keys.anyUsable()) return;
  const place = trustProxy ? 'behind a proxy' : `on ${host}`;
  throw new BatutaError(
    'CONFIG_INVALID',
    `The server does not listen ${place}, which others may reach, without an API key: make one with ${programName()} key create --name me --role admin, or set BATUTA_ADMIN_KEY.`,
    { details: { setting: trustProxy ? 'trustProxy' : 'host' } },
  );
}

async function listen(app: App, { host, port }: Pick<Config, 'host' | 'port'>): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    const reasons: Readonly<Record<string, string>> = {
      EADDRINUSE: `Port ${port} of ${host} is taken by another process. Choose another with --port or BATUTA_PORT; 0 takes a free one.`,
      EACCES: `Port ${port} of ${host} may not be opened by this user. Choose one from 1024 on with --port or BATUTA_PORT.`,
      EADDRNOTAVAIL: `This computer has no address ${host}. Choose another with --host or BATUTA_HOST.`,
      ENOTFOUND: `There is no host ${host}. Choose another with --host or BATUTA_HOST.`,
    };
    const reason = reasons[code];
    if (reason === undefined) throw cause;
    throw new BatutaError('CONFIG_INVALID', reason, { cause, details: { host, port } });
  }
}

function urlOf(app: App, host: string): string {
  const { port } = app.server.address() as AddressInfo;
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
}
