/**
 * Opens the traces of a process: by the variables of OpenTelemetry, or by the provider that the program has registered. Where there is neither, nothing is
 * loaded, and nothing is done.
 *
 * Several clients of one process share the thread that exports; it ends with the last of them.
 */
import type { Logger } from 'pino';
import { type Clock, systemClock } from '../base/clock.ts';
import { environmentVariable } from '../base/config.ts';
import { packageVersion } from '../base/installed.ts';
import type { ProcessIdentity } from '../base/process-identity.ts';
import { type Middleware, noMiddleware } from '../model/middleware.ts';
import type { SpanRecord } from '../model/span.ts';
import { hasTracerProvider } from '../model/trace.ts';
import type { Lifecycle } from '../observe/lifecycle.ts';
import type { GuestTraces, RunTracer } from '../observe/tracer.ts';
import type { Exporter } from './exporter.ts';
import { type ExportWish, isSdkDisabled, readExportWish } from './otel-settings.ts';
import { RunSpans, type Sampling, type TakeNotes } from './run-spans.ts';
import type { SpanSink } from './span-sink.ts';

export interface TracingOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly owner: ProcessIdentity;
}

/** The traces of one client. */
export interface Tracing {
  readonly tracer: RunTracer;
  /** To run around all runs and tasks, outside of what else does. */
  readonly middleware: readonly Middleware[];
  /** Makes spans of what happens. */
  listen(lifecycle: Lifecycle): void;
  /** Exports what is left, for some seconds at most. */
  stop(): Promise<void>;
}

interface Shared {
  readonly exporter: Exporter;
  readonly sampling: Sampling;
  readonly guests: GuestTraces | null;
  readonly takeNotes: TakeNotes;
  readonly unregister: () => void;
  users: number;
}

let shared: Promise<Shared> | null = null;

/** Null: there are to be none. Says in the log what of the variables it cannot follow. */
export async function openTracing(options: TracingOptions): Promise<Tracing | null> {
  if (shared === null && hasTracerProvider()) return isSdkDisabled() ? null : await openForeign(options);
  const wish = readExportWish('traces');
  if (wish.refused !== null) options.log.warn(wish.refused);
  if (!wish.isOn) return null;
  const held = await holdExporter(options);
  const { exporter, sampling, guests, takeNotes } = held.shared;
  return tracingOver(options, { sink: exporter, sampling, guests, takeNotes, middleware: noMiddleware, close: held.release });
}

/** Exports the metrics of a process by OTLP; null where no variable asks for that. Shares the thread of traces. */
export async function openMetricExport(options: TracingOptions): Promise<Pick<Exporter, 'addMetrics' | 'flush' | 'close'> | null> {
  const wish = readExportWish('metrics');
  if (wish.refused !== null) options.log.warn(wish.refused);
  if (!wish.isOn) return null;
  const { shared: held, release } = await holdExporter(options);
  const { exporter } = held;
  return {
    addMetrics: (families, since) => exporter.addMetrics(families, since),
    flush: () => exporter.flush(),
    close: release,
  };
}

async function openForeign(options: TracingOptions): Promise<Tracing> {
  const { activeInRuns, foreignSampling, ForeignSpans } = await import('./foreign-spans.ts');
  const { takeNotes } = await import('./active-span.ts');
  const sink = new ForeignSpans();
  const middleware = [activeInRuns(foreignSampling)];
  return tracingOver(options, { sink, sampling: foreignSampling, guests: null, takeNotes, middleware, close: () => sink.close() });
}

interface Parts extends Pick<Tracing, 'middleware'> {
  readonly close: () => Promise<void>;
  readonly sink: SpanSink;
  readonly sampling: Sampling;
  readonly guests: GuestTraces | null;
  readonly takeNotes: TakeNotes;
}

function tracingOver({ clock, owner }: TracingOptions, { sink, sampling, guests, middleware, close, takeNotes }: Parts): Tracing {
  const spans = new RunSpans({ sink, sampling, clock, makeSpanId, takeNotes, owner: owner.id });
  const ends: (() => void)[] = [];
  return {
    tracer: { submit: (run, traceparent) => spans.submit(run, traceparent), guests },
    middleware,
    listen: (lifecycle) => void ends.push(spans.listen(lifecycle)),
    async stop() {
      for (const end of ends.splice(0)) end();
      await close();
    },
  };
}

async function holdExporter(options: TracingOptions): Promise<{ readonly shared: Shared; readonly release: () => Promise<void> }> {
  const opening = (shared ??= openShared(options));
  const held = await opening;
  held.users++;
  let isHeld = true;
  return {
    shared: held,
    async release() {
      if (!isHeld) return;
      isHeld = false;
      if (--held.users > 0) return held.exporter.flush();
      if (shared === opening) shared = null;
      held.unregister();
      await held.exporter.close();
    },
  };
}

async function openShared({ log, owner }: TracingOptions): Promise<Shared> {
  const [traces, metrics] = [readExportWish('traces'), readExportWish('metrics')];
  const { Exporter } = await import('./exporter.ts');
  const version = packageVersion();
  const resource = {
    ...{ 'service.name': 'batuta', 'service.version': version, 'service.instance.id': owner.id },
    ...{ 'host.name': owner.host, 'process.pid': owner.pid },
  };
  const exporter = new Exporter({ data: { traces: plain(traces), metrics: plain(metrics), resource, version }, clock: systemClock, log });
  if (!traces.isOn || hasTracerProvider())
    return { exporter, sampling: () => false, guests: null, takeNotes: () => null, unregister: () => undefined, users: 0 };
  const { registerProvider } = await import('./user-spans.ts');
  const { readSampler, samplingOf } = await import('./sampler.ts');
  const { keepNotes, takeNotes } = await import('./active-span.ts');
  const sampler = readSampler(environmentVariable, (fault) => log.warn(fault));
  const take = (span: SpanRecord): void => exporter.addSpan(span);
  return {
    ...{ exporter, sampling: samplingOf(sampler), unregister: registerProvider(sampler, take), users: 0 },
    ...{ takeNotes, guests: { takeSpan: take, takeNotes: keepNotes } },
  };
}

function plain({ isOn, protocol }: ExportWish): Pick<ExportWish, 'isOn' | 'protocol'> {
  return { isOn, protocol };
}

/** 16 hexadecimal digits. */
function makeSpanId(): string {
  const bytes = new Uint8Array(8);
  crypto.getRandomValues(bytes);
  return Buffer.from(bytes).toString('hex');
}
