/**
 * Exports spans and metrics in its own thread (`exporter-thread.ts`). Spans are collected briefly and passed on in batches.
 *
 * Owned by its opener. If the thread ends before it is closed, further spans and metrics are dropped, and this is logged.
 */
import { Worker } from 'node:worker_threads';
import type { Logger } from 'pino';
import { type Clock, settledWithin, type Timer } from '../base/clock.ts';
import { copyEnvironment } from '../base/config.ts';
import { builtFile } from '../base/installed.ts';
import type { SpanRecord } from '../model/span.ts';
import type { ExporterData, FromExporter, MetricFamily, SpanBatch, ToExporter } from './exporter-protocol.ts';
import { rowFields, type RunTrace, type SpanRow, type SpanSink, withoutSecrets } from './span-sink.ts';

/** How long spans are collected, ms. */
const gatherMs = 500;
/** Rows and spans passed on at once: those kept longer are copied by every garbage collection meanwhile. */
const mostGathered = 1_024;
/** Longest wait for the remaining exports when the process ends, ms. */
const closeMs = 5_000;

export interface ExporterOptions {
  readonly data: ExporterData;
  readonly clock: Clock;
  readonly log: Logger;
}

export class Exporter implements SpanSink {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #data: ExporterData;
  /** Snapshot at creation: later changes by the program do not reach the thread. */
  readonly #env = copyEnvironment();
  /** Started with the first export. */
  #thread: Worker | null = null;
  readonly #flushes = new Map<number, () => void>();
  /** Numbers of the traces in `traces`. */
  #known = new Map<RunTrace, number>();
  #traces: (string | null)[] = [];
  #rows: SpanRow[number][] = [];
  #spans: SpanRecord[] = [];
  #timer: Timer | null = null;
  #lastFlush = 0;
  #isOver = false;
  #closed: Promise<void> | null = null;

  constructor({ data, clock, log }: ExporterOptions) {
    this.#clock = clock;
    this.#log = log;
    this.#data = data;
  }

  addRow(trace: RunTrace, row: SpanRow): void {
    let number = this.#known.get(trace);
    if (number === undefined) {
      number = this.#known.size;
      this.#known.set(trace, number);
      this.#traces.push(trace.runId, trace.flow, trace.traceId, trace.parentSpanId, trace.owner);
    }
    this.#rows.push(number, row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7], row[8], row[9], row[10], row[11]);
    this.#gather();
  }

  addSpan(span: SpanRecord): void {
    this.#spans.push(withoutSecrets(span));
    this.#gather();
  }

  /** @param since start of the counters, UTC epoch ms */
  addMetrics(families: readonly MetricFamily[], since: number): void {
    this.#send({ kind: 'metrics', families, since, at: this.#clock.now() });
  }

  /** Resolves with true once all earlier input was exported or failed; with false if that takes more than a few seconds. Never rejects. */
  async flush(): Promise<boolean> {
    this.#handOver();
    const thread = this.#thread;
    if (this.#isOver || thread === null) return true;
    const number = ++this.#lastFlush;
    const flushed = new Promise<void>((resolve) => this.#flushes.set(number, resolve));
    this.#send({ kind: 'flush', number });
    // The thread is normally unref'd; somebody waits for it now.
    thread.ref();
    const isDone = await settledWithin(this.#clock, closeMs, flushed);
    this.#flushes.delete(number);
    if (this.#flushes.size === 0) thread.unref();
    return isDone;
  }

  /** @param isHurried what is left is dropped */
  close(isHurried = false): Promise<void> {
    return (this.#closed ??= this.#close(isHurried));
  }

  async #close(isHurried: boolean): Promise<void> {
    if (!isHurried && !(await this.flush()))
      this.#log.warn(`Traces and metrics could not be exported within ${closeMs / 1_000} s; what is left of them is dropped.`);
    this.#isOver = true;
    this.#timer?.cancel();
    await this.#thread?.terminate();
  }

  #gather(): void {
    if (this.#rows.length / rowFields + this.#spans.length >= mostGathered) return this.#handOver();
    this.#timer ??= this.#clock.setTimer(gatherMs, () => this.#handOver(), { unref: true });
  }

  #handOver(): void {
    this.#timer?.cancel();
    this.#timer = null;
    if (this.#rows.length === 0 && this.#spans.length === 0) return;
    const batch: SpanBatch = { traces: this.#traces, rows: this.#rows, spans: this.#spans };
    [this.#known, this.#traces, this.#rows, this.#spans] = [new Map(), [], [], []];
    this.#send({ kind: 'spans', batch });
  }

  #send(message: ToExporter): void {
    if (this.#isOver) return;
    try {
      (this.#thread ??= this.#start()).postMessage(message);
    } catch (err) {
      // Called from timers and user code, which must not fail because of it.
      this.#log.warn({ err }, 'Traces or metrics could not be passed to the thread that exports them.');
    }
  }

  #start(): Worker {
    const file = builtFile('tracing/exporter-thread.js');
    const thread = new Worker(file, { workerData: this.#data, env: this.#env, name: 'batuta exporter', execArgv: [] });
    thread.unref();
    thread.on('message', (message: FromExporter) => this.#hear(message));
    thread.on('error', (err) =>
      this.#log.warn({ err }, 'The thread that exports traces and metrics has failed; nothing is exported any more.'),
    );
    thread.on('exit', () => this.#end());
    return thread;
  }

  #hear(message: FromExporter): void {
    if (message.kind === 'flushed') this.#flushes.get(message.number)?.();
    else this.#log.warn({ ...message.figures, err: new Error(message.message) }, 'Traces or metrics are not exported as they should be.');
  }

  #end(): void {
    this.#isOver = true;
    this.#timer?.cancel();
    for (const settle of this.#flushes.values()) settle();
  }
}
