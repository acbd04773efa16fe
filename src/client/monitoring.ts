/** Metrics of a process of the fleet, if enabled: shared with those around it, or served on a port of its own. */
import type { Log } from '../base/log.ts';
import type { Config } from '../base/settings.ts';
import { mayAct } from '../model/access.ts';
import { FleetReader } from '../monitor/fleet-figures.ts';
import { type MeasuredPart, type Metrics, openMetrics } from '../monitor/open-metrics.ts';
import { readExportWish } from '../tracing/otel-settings.ts';
import type { LocalClient } from './local-client.ts';
import { exportMetrics } from './metric-export.ts';

export interface MonitoringOptions {
  readonly config: Config;
  readonly log: Log;
  readonly client: LocalClient;
  /** Of the surrounding processes, which serve them; default its own. */
  readonly metrics?: Metrics | undefined;
  /** Schedulers and servers read the fleet from the database as well. */
  readonly role: MeasuredPart['role'];
  readonly collect?: MeasuredPart['collect'];
}

/** Measurement, until it is stopped. */
export interface Monitoring {
  /** Where its metrics are served; null if not served, or by others. */
  readonly url: string | null;
  stop(): Promise<void>;
}

/**
 * Measures and loads nothing if nobody wants it: no port, no `OTEL_METRICS_EXPORTER`, no others.
 *
 * @throws BatutaError CONFIG_INVALID (the port is taken)
 */
export async function startMonitoring(options: MonitoringOptions): Promise<Monitoring> {
  const { config, log, client } = options;
  if (options.metrics === undefined && config.metricsPort === null && !readExportWish('metrics').isOn)
    return { url: null, stop: async () => undefined };
  const { leaseClock, random, owner } = client.engine.services;
  const metrics = options.metrics ?? (await openMetrics(leaseClock, config.metricsLabelValues));
  const endMeasuring = metrics.join(measuredPart(options));
  const endExport = await exportMetrics(metrics, { clock: leaseClock, random, log: log.logger, owner });
  const leave = async (): Promise<void> => {
    await endExport();
    endMeasuring();
  };
  if (options.metrics !== undefined || config.metricsPort === null) return { url: null, stop: leave };
  try {
    const { listenForMonitoring } = await import('../monitor/listen.ts');
    const { openHealth } = await import('./open-health.ts');
    const server = await listenForMonitoring({
      ...{ host: config.metricsHost, port: config.metricsPort, metrics, health: openHealth(client, config) },
      isKey: async (key) => {
        const entry = await client.keys.find(key);
        return entry !== null && mayAct(entry.role, 'viewer');
      },
      onError: (error) => log.logger.warn({ err: error }, 'A request for metrics could not be answered.'),
    });
    log.logger.info(`Metrics at ${server.url}/metrics.`);
    return {
      url: server.url,
      async stop() {
        await leave();
        await server.close();
      },
    };
  } catch (error) {
    await leave();
    throw error;
  }
}

/** A client as metrics see it. */
export function measuredPart({
  client,
  config,
  role,
  collect,
}: Pick<MonitoringOptions, 'client' | 'role' | 'collect'> & {
  readonly config: Pick<Config, 'redisUrl' | 'brokerUrl'>;
}): MeasuredPart {
  const { store, lifecycle, leaseClock, settings } = client.engine.services;
  const hasBroker = config.redisUrl !== null || config.brokerUrl !== null;
  return {
    ...{ role, store, lifecycle },
    // The local broker is the database.
    ...(hasBroker ? { broker: () => client.broker() } : {}),
    ...(role !== 'worker' ? { fleet: new FleetReader({ store, clock: leaseClock, leaseMs: settings.leaseMs }) } : {}),
    ...(collect ? { collect } : {}),
  };
}
