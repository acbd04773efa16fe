/**
 * Opens the traces of a process, from OpenTelemetry's variables or the program's registered provider. With neither, nothing is
 * loaded or done.
 *
 * Several clients of one process share the exporter thread; it ends with the last of them.
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
import { RunSpans, type Sampling, type SpanNotesKept } from './run-spans.ts';
import type { SpanSink } from './span-sink.ts';

export interface TracingOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly owner: ProcessIdentity;
}

/** The traces of one client. */
export interface Tracing {
  readonly tracer: RunTracer;
  /** Outermost middleware around all runs and tasks. */
  readonly middleware: readonly Middleware[];
  /** Makes spans from the bus. */
  listen(lifecycle: Lifecycle): void;
  /** Exports what is left, for at most a few seconds. @param isHurried drops it; default false */
  stop(isHurried?: boolean): Promise<void>;
}

interface Shared {
  /** Whether it exports traces; else only metrics, and the program may have its own provider. */
  readonly isOurs: boolean;
  readonly exporter: Exporter;
  readonly sampling: Sampling;
  readonly guests: GuestTraces | null;
  readonly notes: SpanNotesKept;
  readonly unregister: () => void;
}

interface Opening {
  readonly opened: Promise<Shared>;
  /** Counted before it is open, so that nobody closes what another waits for. */
  users: number;
  /** Set by a user that left unhurried while others stay: resolves once its remainder is exported, after a few seconds at the latest. */
  owed: Promise<unknown> | null;
}

let shared: Opening | null = null;
const noNotes: SpanNotesKept = { areThere: () => false, take: () => null };

/** Null if traces are off. Logs settings of the variables that are not supported. */
export async function openTracing(options: TracingOptions): Promise<Tracing | null> {
  if (hasTracerProvider() && !(await shared?.opened)?.isOurs) return isSdkDisabled() ? null : await openForeign(options);
  const wish = readExportWish('traces');
  if (wish.refused !== null) options.log.warn(wish.refused);
  if (!wish.isOn) return null;
  const held = await holdExporter(options);
  const { exporter, sampling, guests, notes } = held.shared;
  return tracingOver(options, { sink: exporter, sampling, guests, notes, middleware: noMiddleware, close: held.release });
}

/** Exports the metrics of a process by OTLP; null if no variable asks for it. Shares the thread of traces. */
export async function openMetricExport(options: TracingOptions): Promise<Pick<Exporter, 'addMetrics' | 'close'> | null> {
  const wish = readExportWish('metrics');
  if (wish.refused !== null) options.log.warn(wish.refused);
  if (!wish.isOn) return null;
  const { shared: held, release } = await holdExporter(options);
  const { exporter } = held;
  return {
    addMetrics: (families, since) => exporter.addMetrics(families, since),
    close: release,
  };
}

async function openForeign(options: TracingOptions): Promise<Tracing> {
  const { activeInRuns, ForeignSpans, openForeignSampling } = await import('./foreign-spans.ts');
  const { notes } = await import('./active-span.ts');
  const sink = new ForeignSpans(options.log);
  const sampling = openForeignSampling();
  return tracingOver(options, { sink, sampling, guests: null, notes, middleware: [activeInRuns(sampling)], close: () => sink.close() });
}

interface Parts extends Pick<Tracing, 'middleware'> {
  readonly close: (isHurried?: boolean) => Promise<void>;
  readonly sink: SpanSink;
  readonly sampling: Sampling;
  readonly guests: GuestTraces | null;
  readonly notes: SpanNotesKept;
}

function tracingOver({ clock, owner }: TracingOptions, { sink, sampling, guests, middleware, close, notes }: Parts): Tracing {
  const spans = new RunSpans({ sink, sampling, clock, makeSpanId, notes, owner: owner.id });
  const ends: (() => void)[] = [];
  return {
    tracer: { submit: (run, traceparent) => spans.submit(run, traceparent), guests },
    middleware,
    listen: (lifecycle) => void ends.push(spans.listen(lifecycle)),
    async stop(isHurried) {
      for (const end of ends.splice(0)) end();
      await close(isHurried);
    },
  };
}

interface Held {
  readonly shared: Shared;
  /** The last user waits for the remaining exports and ends the thread: separate waits would add up when a process ends. */
  readonly release: (isHurried?: boolean) => Promise<void>;
}

async function holdExporter(options: TracingOptions): Promise<Held> {
  const opening = (shared ??= { opened: openShared(options), users: 0, owed: null });
  opening.users++;
  let isHeld = true;
  /** Whether it was the last. */
  const leave = (): boolean => {
    if (!isHeld) return false;
    isHeld = false;
    if (--opening.users > 0) return false;
    if (shared === opening) shared = null;
    return true;
  };
  const held = await opening.opened.catch((error: unknown) => {
    leave();
    throw error;
  });
  return {
    shared: held,
    async release(isHurried) {
      if (!isHeld) return;
      if (!leave()) {
        if (!isHurried) opening.owed = held.exporter.flush();
        return;
      }
      held.unregister();
      // Its hurry does not apply to others.
      if (isHurried) await opening.owed;
      await held.exporter.close(isHurried);
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
    return { isOurs: false, exporter, sampling: () => false, guests: null, notes: noNotes, unregister: () => undefined };
  const { registerProvider } = await import('./user-spans.ts');
  const { readSampler, samplingOf } = await import('./sampler.ts');
  const { keepNotes, notes } = await import('./active-span.ts');
  const sampler = readSampler(environmentVariable, (fault) => log.warn(fault));
  const take = (span: SpanRecord): void => exporter.addSpan(span);
  return {
    ...{ isOurs: true, exporter, sampling: samplingOf(sampler), unregister: registerProvider(sampler, take) },
    ...{ notes, guests: { takeSpan: take, takeNotes: keepNotes } },
  };
}

function plain({ isOn, protocol }: ExportWish): Pick<ExportWish, 'isOn' | 'protocol'> {
  return { isOn, protocol };
}

const spanIdDigits = 16;
/** Digits for the next ids: generating them one id at a time costs more than the rest of a span. */
let digits = '';

/** 16 hexadecimal digits. */
function makeSpanId(): string {
  if (digits === '') digits = Buffer.from(crypto.getRandomValues(new Uint8Array(2_048))).toString('hex');
  const id = digits.slice(0, spanIdDigits);
  digits = digits.slice(spanIdDigits);
  return id;
}
