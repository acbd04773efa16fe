/** Metrics of one run if no server serves them: written to a file, sent to a push gateway, or exported by OTLP, once the run has ended. */
import { randomUUID } from 'node:crypto';
import { rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { BatutaError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { maskAddress } from '../base/mask.ts';
import type { Config } from '../base/settings.ts';
import { openMetrics } from '../monitor/open-metrics.ts';
import { readExportWish } from '../tracing/otel-settings.ts';
import type { LocalClient } from './local-client.ts';
import { exportMetrics } from './metric-export.ts';
import { measuredPart } from './monitoring.ts';

export interface RunMetricsOptions {
  readonly client: LocalClient;
  readonly config: Config;
  readonly log: Log;
  /** Output file; null: none. */
  readonly file: string | null;
  readonly cwd: string;
  /** Groups pushed metrics: those of other flows stay. */
  readonly flow: string;
}

/** Ends it. @param isHurried sends nothing, as after a second Ctrl-C; the file is still written */
export type EndMeasuring = (isHurried: boolean) => Promise<void>;

/**
 * Measures from now on, if enabled; returns a function that stops it. What cannot be written or sent at the end is logged: the run's
 * outcome stays.
 *
 * @throws BatutaError FILE_NOT_FOUND if the folder of the file does not exist
 */
export async function measureRun(options: RunMetricsOptions): Promise<EndMeasuring> {
  const { client, config, log, file, flow } = options;
  const path = file === null ? null : resolve(options.cwd, file);
  if (path !== null) await checkFolder(path);
  const { metricsPushUrl } = config;
  if (path === null && metricsPushUrl === null && !readExportWish('metrics').isOn) return async () => undefined;
  const { leaseClock, random, owner } = client.engine.services;
  const metrics = await openMetrics(leaseClock, config.metricsLabelValues);
  const leave = metrics.join(measuredPart({ client, config, role: 'worker' }));
  const endExport = await exportMetrics(metrics, { clock: leaseClock, random, log: log.logger, owner });
  return async (isHurried) => {
    const tell = (what: string) => (err: unknown) => log.logger.warn({ err }, what);
    if (path !== null) await writeWhole(path, await metrics.ownText()).catch(tell(`Metrics could not be written to ${path}.`));
    if (metricsPushUrl !== null && !isHurried)
      await metrics
        .push(metricsPushUrl, { flow })
        .catch(tell(`Metrics could not be pushed to ${maskAddress(metricsPushUrl, '********')}.`));
    await endExport(isHurried);
    leave();
  };
}

async function checkFolder(path: string): Promise<void> {
  const folder = dirname(path);
  const found = await stat(folder).catch(() => null);
  if (found?.isDirectory()) return;
  throw new BatutaError('FILE_NOT_FOUND', `The folder ${folder} of the metrics file does not exist; create it first.`, {
    details: { path },
  });
}

/** A collector that reads meanwhile sees either the old file or the new one. */
async function writeWhole(path: string, text: string): Promise<void> {
  const half = `${path}.${randomUUID()}.half`;
  try {
    await writeFile(half, text);
    await rename(half, path);
  } catch (error) {
    await rm(half, { force: true }).catch(() => undefined);
    throw error;
  }
}
