/** A guest that is a worker thread. */
import { type Transferable, Worker, type WorkerOptions } from 'node:worker_threads';
import { type Clock, settledWithin } from '../../base/clock.ts';
import { failureOf } from '../../model/failure.ts';
import type { FromGuest, ToGuest } from '../../model/isolate-protocol.ts';
import type { TaskUsage } from '../../model/task-usage.ts';
import { noteGone } from '../../model/move.ts';
import type { Guest, GuestEnd, GuestListener } from './guest.ts';
import { inheritedFlags } from './inherited-flags.ts';

export interface ThreadGuestOptions {
  /** Path of the built file that it runs. */
  readonly entry: string;
  /** Its heap limit, bytes; null: the default of Node.js for a thread. */
  readonly memoryBytes: number | null;
  readonly clock: Clock;
}

/** How long a thread may take to close what it has open. */
const closeMs = 10_000;
const mib = 1024 * 1024;

export class ThreadGuest implements Guest {
  readonly kind = 'thread';
  listener: GuestListener | null = null;
  readonly ended: Promise<GuestEnd>;
  isEnding = false;
  readonly #worker: Worker;
  readonly #clock: Clock;
  #busyBefore = 0;

  constructor({ entry, memoryBytes, clock }: ThreadGuestOptions) {
    this.#clock = clock;
    const limits = memoryBytes === null ? {} : { resourceLimits: { maxOldGenerationSizeMb: Math.ceil(memoryBytes / mib) } };
    const worker = (this.#worker = startWorker(entry, { name: 'batuta task', ...limits }));
    worker.on('message', (message: FromGuest) => this.listener?.hear(message));
    this.ended = new Promise((resolve) => {
      let thrown: { readonly error: unknown } | null = null;
      worker.on('error', (error) => {
        this.isEnding = true;
        thrown ??= { error };
      });
      worker.on('exit', (code) => {
        this.isEnding = true;
        const error: unknown = thrown?.error;
        const isOutOfMemory = isOutOfHeap(error);
        const how = thrown === null ? `by exit code ${code}` : `by an error that nothing caught: ${failureOf(error).message}`;
        resolve({ isOutOfMemory, peakBytes: null, how, error });
      });
    });
  }

  send(message: ToGuest, moved: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, moved as readonly Transferable[] as Transferable[]);
    noteGone(moved);
  }

  begin(): void {
    this.#busyBefore = this.#busyMs();
  }

  /** Uses the loop's busy time as its CPU time: it can be read from here, even if the thread never yields. */
  usage(): TaskUsage {
    // A thread that has ended reports no time.
    return { cpuMs: Math.max(0, this.#busyMs() - this.#busyBefore), peakBytes: null, scope: 'thread' };
  }

  #busyMs(): number {
    return this.#worker.performance.eventLoopUtilization().active;
  }

  hold(isHeld: boolean): void {
    if (isHeld) this.#worker.ref();
    else this.#worker.unref();
  }

  async close(): Promise<GuestEnd> {
    if (!this.isEnding) {
      this.isEnding = true;
      this.send({ kind: 'close' });
      if (!(await settledWithin(this.#clock, closeMs, this.ended))) this.end();
    }
    return this.ended;
  }

  end(): void {
    this.isEnding = true;
    void this.#worker.terminate();
  }
}

/** With this process's flags, except those for its code: with `--input-type` a thread loads no file. */
function startWorker(entry: string, options: WorkerOptions): Worker {
  if (!process.execArgv.some((flag) => flag.startsWith('--input-type'))) return new Worker(entry, options);
  try {
    return new Worker(entry, { ...options, execArgv: inheritedFlags(process.execArgv) });
  } catch {
    // A flag is for V8 or the whole process, and applies to threads anyway.
    return new Worker(entry, { ...options, execArgv: [] });
  }
}

function isOutOfHeap(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
}
