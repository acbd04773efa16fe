/**
 * A guest that is a process of its own, the leader of its group: whatever a task starts in it ends with it.
 *
 * It holds one end of a pipe and ends when the other closes, so that no process outlives an engine that was killed
 * (`define/orphan-guard.ts`). On Linux its resident memory is checked now and then, and a process that exceeds its limit is killed.
 */
import { type ChildProcess, fork } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { type Clock, settledWithin, type Timer } from '../../base/clock.ts';
import { signalGroup } from '../../base/process-group.ts';
import type { FromGuest, ToGuest } from '../../model/isolate-protocol.ts';
import type { TaskUsage } from '../../model/task-usage.ts';
import { cpuOf, peakMemoryOf } from '../../base/process-usage.ts';
import type { Guest, GuestEnd, GuestListener } from './guest.ts';
import { inheritedFlags } from './inherited-flags.ts';
import { PrintedLines } from './printed-lines.ts';

export interface ProcessGuestOptions {
  /** Path of the built file that it runs. */
  readonly entry: string;
  /** Its memory limit, bytes; null: only that of Node.js. */
  readonly memoryBytes: number | null;
  /** Whether its output is captured; else it goes where this process prints. */
  readonly capturePrinted: boolean;
  readonly clock: Clock;
}

/** How long a process may take to close what it has open. */
const closeMs = 10_000;
/** Between SIGTERM and SIGKILL. */
const killGraceMs = 2_000;
/** How long to wait for the rest of its output; a process it left behind may hold the pipe. */
const drainMs = 500;
const lookEveryMs = 100;
const mib = 1024 * 1024;
/** Minimum share of its limit that a process with a full heap uses: it was last checked some time before. */
const fullShare = 0.8;
/** V8's last message. */
const outOfHeap = /JavaScript heap out of memory/;

export class ProcessGuest implements Guest {
  readonly kind = 'process';
  listener: GuestListener | null = null;
  readonly ended: Promise<GuestEnd>;
  isEnding = false;
  readonly #child: ChildProcess;
  readonly #stdio: readonly (Readable | Writable | null | undefined)[];
  readonly #clock: Clock;
  readonly #memoryBytes: number | null;
  #peakBytes: number | null = null;
  #isOverLimit = false;
  readonly #timers = new Set<Timer>();
  /** From then on, its id may be reused. */
  #hasEnded = false;

  constructor({ entry, memoryBytes, capturePrinted, clock }: ProcessGuestOptions) {
    this.#clock = clock;
    this.#memoryBytes = memoryBytes;
    const heap = memoryBytes === null ? [] : [`--max-old-space-size=${Math.ceil(memoryBytes / mib)}`];
    const out = capturePrinted ? 'pipe' : 'inherit';
    const child = fork(entry, [], {
      // Its own group, which Windows does not have: there it would get a window.
      detached: process.platform !== 'win32',
      execArgv: [...inheritedFlags(process.execArgv), ...heap],
      serialization: 'advanced',
      stdio: ['ignore', out, out, 'ipc', 'pipe'],
    });
    this.#child = child;
    // If it could not be started because file descriptors ran out, Node.js made none.
    this.#stdio = child.stdio ?? [];
    child.on('message', (message: FromGuest) => this.listener?.hear(message));
    this.ended = this.#follow();
  }

  send(message: ToGuest): void {
    // A failure to send shows in how it ended.
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  begin(): void {}

  usage(): TaskUsage | null {
    const cpuMs = this.#child.pid === undefined ? null : cpuOf(this.#child.pid);
    return cpuMs === null ? null : { cpuMs, peakBytes: this.#peakBytes, scope: 'process' };
  }

  hold(isHeld: boolean): void {
    const act = isHeld ? 'ref' : 'unref';
    this.#child[act]();
    this.#child.channel?.[act]();
    for (const stream of this.#stdio) (stream as (Readable & { ref?(): void; unref?(): void }) | null | undefined)?.[act]?.();
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
    if (this.#hasEnded) return;
    this.#signal('SIGTERM');
    this.#after(killGraceMs, () => this.#signal('SIGKILL'));
  }

  async #follow(): Promise<GuestEnd> {
    const child = this.#child;
    // Attached first: an unhandled `error` would end this process.
    const exit = new Promise<string>((resolve) => {
      child.on('error', (error) => (child.pid === undefined ? resolve(`before it had begun: ${error.message}`) : undefined));
      child.on('exit', (code, signal) => resolve(signal === null ? `by exit code ${code ?? 0}` : `by ${signal}`));
    });
    let lastWords = '';
    const printed = (['stdout', 'stderr'] as const).map((stream) => {
      const lines = new PrintedLines((text) => {
        if (stream === 'stderr') lastWords = `${lastWords}${text}\n`.slice(-4_096);
        this.listener?.print({ stream, text });
      });
      return lines.readAll(child[stream] ?? null);
    });
    this.#stdio[4]?.on('error', () => undefined);
    this.#look();
    const how = await exit;
    this.isEnding = true;
    for (const timer of this.#timers) timer.cancel();
    // Processes it left behind in its group.
    this.#signal('SIGKILL');
    this.#hasEnded = true;
    await settledWithin(this.#clock, drainMs, Promise.all(printed));
    for (const stream of this.#stdio) stream?.destroy();
    const isOutOfMemory = this.#isOverLimit || outOfHeap.test(lastWords) || this.#isOutOfHeap();
    return { isOutOfMemory, peakBytes: this.#peakBytes, how, error: undefined };
  }

  /** In case its last message was lost: V8 aborts a process whose heap is full. */
  #isOutOfHeap(): boolean {
    const isNearLimit = this.#memoryBytes !== null && (this.#peakBytes ?? 0) > fullShare * this.#memoryBytes;
    return isNearLimit && this.#child.signalCode === 'SIGABRT';
  }

  #look(): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    this.#peakBytes = peakMemoryOf(pid) ?? this.#peakBytes;
    if (this.#peakBytes === null && process.platform !== 'linux') return;
    this.#isOverLimit = this.#memoryBytes !== null && (this.#peakBytes ?? 0) > this.#memoryBytes;
    if (this.#isOverLimit) this.#signal('SIGKILL');
    else this.#after(lookEveryMs, () => this.#look());
  }

  #signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    if (this.#child.pid !== undefined && !this.#hasEnded) signalGroup(this.#child.pid, signal);
  }

  #after(ms: number, act: () => void): void {
    const timer = this.#clock.setTimer(
      ms,
      () => {
        this.#timers.delete(timer);
        act();
      },
      { unref: true },
    );
    this.#timers.add(timer);
  }
}
