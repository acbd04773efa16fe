/**
 * Exports the metrics of a process by OTLP, if `OTEL_METRICS_EXPORTER` asks for that: periodically, and once more at the end.
 *
 * The parts of one process share a registry; it is exported as long as one of them holds it.
 */
import type { Logger } from 'pino';
import type { Clock } from '../base/clock.ts';
import { environmentVariable } from '../base/config.ts';
import { makeLoop } from '../base/loop.ts';
import type { ProcessIdentity } from '../base/process-identity.ts';
import type { Metrics } from '../monitor/open-metrics.ts';
import { openMetricExport } from '../tracing/open-tracing.ts';

export interface MetricExportOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly owner: ProcessIdentity;
}

/** Default of the OpenTelemetry specification, ms. */
const usualIntervalMs = 60_000;

/** Ends an export. @param isHurried without a final export, without waiting for pending ones; default false */
export type EndExport = (isHurried?: boolean) => Promise<void>;

interface Exporting {
  holders: number;
  readonly opened: Promise<EndExport | null>;
}

const exporting = new WeakMap<Metrics, Exporting>();

/** Exports from now on. Returns a function that stops it once all holders call theirs. */
export async function exportMetrics(metrics: Metrics, options: MetricExportOptions): Promise<EndExport> {
  const held = exporting.get(metrics) ?? { holders: 0, opened: open(metrics, options) };
  exporting.set(metrics, held);
  held.holders++;
  await held.opened;
  let isHeld = true;
  return async (isHurried) => {
    if (!isHeld) return;
    isHeld = false;
    if (--held.holders > 0) return;
    exporting.delete(metrics);
    await (await held.opened)?.(isHurried);
  };
}

async function open(metrics: Metrics, { clock, random, log, owner }: MetricExportOptions): Promise<EndExport | null> {
  const exporter = await openMetricExport({ clock, log, owner });
  if (exporter === null) return null;
  const since = clock.now();
  const send = async (): Promise<void> => exporter.addMetrics(await metrics.families(), since);
  const given = Number(environmentVariable('OTEL_METRIC_EXPORT_INTERVAL') ?? Number.NaN);
  const loop = makeLoop({
    ...{ name: 'export of metrics', intervalMs: given > 0 ? given : usualIntervalMs, immediate: false, unref: true, clock, random },
    step: send,
    onError: (err) => log.warn({ err }, 'Metrics could not be exported.'),
  });
  await loop.start();
  return async (isHurried = false) => {
    await loop.stop();
    if (!isHurried) await send().catch((err: unknown) => log.warn({ err }, 'Metrics could not be exported.'));
    await exporter.close(isHurried);
  };
}
