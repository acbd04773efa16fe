/**
 * Thread that exports spans and metrics over OTLP: its work (protobuf, compression, requests) would otherwise block the event loop of the
 * process. It is started by `exporter.ts` and ends with its process, or on request.
 *
 * The work of the process comes first: the thread has a lower priority, where the system gives threads one of their own, and begins once no spans
 * have come for a moment.
 *
 * Input is queued and exported in batches. While the receiver is down the queue grows up to `OTEL_BSP_MAX_QUEUE_SIZE` spans; further ones
 * are dropped, and the process is notified.
 */
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { diag, DiagLogLevel } from '@opentelemetry/api';
import { OTLPMetricExporter as JsonMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as ProtoMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter as JsonTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtoTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import type { PushMetricExporter } from '@opentelemetry/sdk-metrics';
import { envDetector, defaultResource, detectResources, type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import type { SpanExporter } from '@opentelemetry/sdk-trace';
import { systemClock, type Timer } from '../base/clock.ts';
import { environmentVariable } from '../base/config.ts';
import { cutText } from '../base/cut-text.ts';
import type { ExporterData, FromExporter, SpanBatch, ToExporter } from './exporter-protocol.ts';
import { resourceMetricsOf } from './otlp-metrics.ts';
import { readableSpans, type SpanMaker } from './readable-span.ts';
import { rowFields } from './span-sink.ts';

/** Longest text of one trouble, characters. */
const maxTroubleChars = 500;
/** How long no spans have to have come for their export to begin, ms; and how long it waits for that at most, and up to which share of the queue. */
const calm = { ms: 100, mostMs: 1_000, share: 0.25 } as const;
/** Niceness of the thread, from 0 to 19. */
const niceness = 10;

type MetricsMessage = ToExporter & { readonly kind: 'metrics' };

const data = workerData as ExporterData;
const maxQueued = wholeNumber('OTEL_BSP_MAX_QUEUE_SIZE', 65_536);
const maxExported = wholeNumber('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 512);

const port = parentPort;
if (port === null) throw new Error('This file is started as a thread.');
// Before the exporters are created, as they report variables they do not understand.
diag.setLogger(
  {
    error: (...parts) => tellTrouble(troubleText(parts)),
    warn: (...parts) => tellTrouble(troubleText(parts)),
    ...{ info: () => undefined, debug: () => undefined, verbose: () => undefined },
  },
  { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
);
const resource = makeResource();
const maker: SpanMaker = { resource, version: data.version };
const traceExporter = openTraceExporter();
const metricExporter = openMetricExporter();
/** Pending work, in order. */
const line: (() => Promise<void>)[] = [];
let queued = 0;
let dropped = 0;
let isAtWork = false;
/** Until the pending work begins. */
let resting: { readonly timer: Timer; readonly until: number } | null = null;
/** Pending metrics: each includes the previous ones, so only the newest is sent. They do not wait for spans. */
let newest: MetricsMessage | null = null;
let sendingMetrics: Promise<void> | null = null;

beNice();
port.on('message', (message: ToExporter) => {
  if (message.kind === 'spans') putSpans(message.batch);
  else if (message.kind === 'metrics') putMetrics(message);
  else {
    line.push(async () => {
      await sendingMetrics;
      port.postMessage({ kind: 'flushed', number: message.number } satisfies FromExporter);
    });
    begin();
  }
});

/** On Linux a thread has a priority of its own; elsewhere it would be that of the whole process. */
function beNice(): void {
  if (process.platform !== 'linux') return;
  try {
    setPriority(niceness);
  } catch {
    // Only slower for the others.
  }
}

/** Parts of OpenTelemetry log their name first, then what is wrong, as text and errors. */
function troubleText(parts: readonly unknown[]): string {
  const texts = parts.flatMap((part) => (typeof part === 'string' ? [part] : part instanceof Error ? [part.message] : []));
  return cutText(texts.join(': '), maxTroubleChars);
}

/** Begins the pending work once it is calm. */
function beginInTime(): void {
  if (isAtWork) return;
  const now = systemClock.monotonic();
  if (queued >= maxQueued * calm.share || (resting !== null && now >= resting.until)) return begin();
  resting?.timer.cancel();
  resting = { timer: systemClock.setTimer(calm.ms, begin), until: resting?.until ?? now + calm.mostMs };
}

function begin(): void {
  if (!isAtWork) void workOff();
}

async function workOff(): Promise<void> {
  resting?.timer.cancel();
  resting = null;
  isAtWork = true;
  for (let work = line.shift(); work !== undefined; work = line.shift()) await work().catch(tellError);
  isAtWork = false;
}

function putMetrics(message: MetricsMessage): void {
  newest = message;
  sendingMetrics ??= sendMetrics().finally(() => {
    sendingMetrics = null;
  });
}

async function sendMetrics(): Promise<void> {
  for (let message = newest; message !== null; message = newest) {
    newest = null;
    await exportMetrics(message).catch(tellError);
  }
}

/** Rows of tasks may hold two spans each; they are converted only when it is their turn. */
function putSpans(batch: SpanBatch): void {
  const count = batch.spans.length + batch.rows.length / rowFields;
  if (queued + count > maxQueued) {
    dropped += count;
    return tellTrouble(`The receiver is too slow or away: spans are dropped (OTEL_BSP_MAX_QUEUE_SIZE is ${maxQueued}).`, { dropped });
  }
  queued += count;
  line.push(async () => {
    try {
      for (const spans of readableSpans(batch, maker, maxExported)) await exportSpans(spans);
    } finally {
      queued -= count;
    }
  });
  beginInTime();
}

function exportSpans(spans: Parameters<SpanExporter['export']>[0]): Promise<void> {
  return new Promise((resolve) => {
    if (traceExporter === null) return resolve();
    traceExporter.export(spans, ({ code, error }) => {
      if (code !== 0) tellTrouble(`Spans could not be exported: ${error?.message ?? 'the receiver refused them'}`, { spans: spans.length });
      resolve();
    });
  });
}

async function exportMetrics({ families, since, at }: MetricsMessage): Promise<void> {
  if (metricExporter === null) return;
  const metrics = resourceMetricsOf(families, { resource, version: data.version, since, at });
  await new Promise<void>((resolve) => {
    metricExporter.export(metrics, ({ code, error }) => {
      if (code !== 0) tellTrouble(`Metrics could not be exported: ${error?.message ?? 'the receiver refused them'}`);
      resolve();
    });
  });
}

function openTraceExporter(): SpanExporter | null {
  const { isOn, protocol } = data.traces;
  if (!isOn) return null;
  return protocol === 'http/json' ? new JsonTraceExporter() : new ProtoTraceExporter();
}

function openMetricExporter(): PushMetricExporter | null {
  const { isOn, protocol } = data.metrics;
  if (!isOn) return null;
  return protocol === 'http/json' ? new JsonMetricExporter() : new ProtoMetricExporter();
}

/** The variables take precedence over our values. */
function makeResource(): Resource {
  return defaultResource()
    .merge(resourceFromAttributes(data.resource))
    .merge(detectResources({ detectors: [envDetector] }));
}

function tellTrouble(message: string, figures: Readonly<Record<string, number>> = {}): void {
  port?.postMessage({ kind: 'trouble', message, figures } satisfies FromExporter);
}

function tellError(error: unknown): void {
  tellTrouble(error instanceof Error ? error.message : String(error));
}

function wholeNumber(name: string, byDefault: number): number {
  const given = Number(environmentVariable(name) ?? Number.NaN);
  return Number.isInteger(given) && given > 0 ? given : byDefault;
}
