/**
 * Exports spans and metrics by a thread of its own (`exporter-thread.ts`). Spans are gathered for a moment and handed over many at a time.
 *
 * Owned by whoever opened it. Should the thread end before it is closed, what comes from then on is dropped, and the log says so.
 */
import { Worker } from 'node:worker_threads';
import type { Logger } from 'pino';
import { type Clock, settledWithin, type Timer } from '../base/clock.ts';
import { copyEnvironment } from '../base/config.ts';
import { builtFile } from '../base/installed.ts';
import type { SpanRecord } from '../model/span.ts';
import type { ExporterData, FromExporter, MetricFamily, SpanBatch, ToExporter } from './exporter-protocol.ts';
import { rowFields, type RunTrace, type SpanRow, type SpanSink, withoutSecrets } from './span-sink.ts';

/** How long spans are gathered, ms. */
const gatherMs = 500;
/** Rows and spans that are handed over at once: what is kept for longer is copied by each collection of garbage meanwhile. */
const mostGathered = 1_024;
/** Longest wait for what is left when the process ends, ms. */
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
  /** As it was when this was made: what the program changes later is not for the thread. */
  readonly #env = copyEnvironment();
  /** Started when there is something to export. */
  #thread: Worker | null = null;
  readonly #flushes = new Map<number, () => void>();
  /** Numbers of those in `traces`. */
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

  /** @param since UTC epoch ms from which counters count */
  addMetrics(families: readonly MetricFamily[], since: number): void {
    this.#send({ kind: 'metrics', families, since, at: this.#clock.now() });
  }

  /** Resolves once all that came before was exported or could not be, with true; with false when that takes longer than some seconds. Never rejects. */
  async flush(): Promise<boolean> {
    this.#handOver();
    const thread = this.#thread;
    if (this.#isOver || thread === null) return true;
    const number = ++this.#lastFlush;
    const flushed = new Promise<void>((resolve) => this.#flushes.set(number, resolve));
    this.#send({ kind: 'flush', number });
    // The thread alone does not keep the process; somebody waits for it now.
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
      // Called by timers and in the user's code, which must not fail for it.
      this.#log.warn({ err }, 'Traces or metrics could not be handed to the thread that exports them.');
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
