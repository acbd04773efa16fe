/**
 * Runs tasks in threads and processes. A thread is kept warm for further tasks, a process executes one; a guest whose task has to stop is
 * ended, and so is one that fails midway, which affects only its task.
 */
import { AsyncResource } from 'node:async_hooks';
import type { Logger } from 'pino';
import { type Clock, settledWithin, type Timer } from '../../base/clock.ts';
import { noteStuckThreads } from '../../base/end-process.ts';
import { isBatutaError } from '../../base/errors.ts';
import type { ContextValues } from '../../model/middleware.ts';
import { errorOf, failureOf } from '../../model/failure.ts';
import type { FromGuest, IsolatedJob, IsolatedOutcome } from '../../model/isolate-protocol.ts';
import type { GuestTraces } from '../../observe/tracer.ts';
import { currentScope, runScope } from '../../model/run-context.ts';
import { isOwn } from '../../model/move.ts';
import { packValue, unpackValue } from '../../model/packed-value.ts';
import { encodeValue } from '../../model/values.ts';
import { Semaphore } from '../limits/semaphore.ts';
import type { Guest, GuestEnd } from './guest.ts';
import { guestFailure, type GuestNeed, GuestPool } from './guest-pool.ts';
import type { Isolate, IsolatedCall, Isolation } from './isolate.ts';
import { endFiles, logAt, obey } from './obey.ts';
import { ProcessGuest } from './process-guest.ts';
import { ThreadGuest } from './thread-guest.ts';

export interface GuestIsolateOptions {
  /** Path of the built file that a guest runs. */
  readonly entry: string;
  /** Whether what a task prints becomes lines of its log. */
  readonly captureConsole: boolean;
  /** Whether CPU profiles are kept of all tasks, not just those that ask for it; default false. */
  readonly profilesAll?: boolean;
  /** Threads that may run at the same time. */
  readonly threads: number;
  /** Same for processes. */
  readonly processes: number;
  readonly clock: Clock;
  /** Lines that belong to no task. */
  readonly log: Logger;
  /** Receives traces of code in guests; default and null: none are requested. */
  readonly traces?: GuestTraces | null;
}

/** How long a cancelled task may take to obey its signal before its guest is ended. A timeout ends it at once. */
const cancelGraceMs = 1_000;
/** How long to wait for the end of a process whose task has ended. */
const exitMs = 2_000;

/** Guests are started on demand. */
export class GuestIsolate implements Isolate {
  readonly #options: GuestIsolateOptions;
  readonly #limits: Readonly<Record<GuestNeed['kind'], number>>;
  readonly #places: Readonly<Record<GuestNeed['kind'], Semaphore>>;
  readonly #pool: GuestPool;
  /**
   * What to do when a guest ends during its task. One per guest, set for the task: a reaction to `ended` would keep the task alive as long
   * as its guest.
   */
  readonly #onEnd = new WeakMap<Guest, (end: GuestEnd) => void>();
  #lastJob = 0;
  #closed: Promise<void> | null = null;

  constructor(options: GuestIsolateOptions) {
    const { entry, clock, captureConsole } = options;
    this.#options = options;
    this.#limits = { thread: options.threads, process: options.processes };
    this.#places = { thread: new Semaphore(this.#limits.thread), process: new Semaphore(this.#limits.process) };
    const start = ({ kind, memoryBytes }: GuestNeed): Guest =>
      kind === 'thread'
        ? new ThreadGuest({ entry, memoryBytes, clock })
        : new ProcessGuest({ entry, memoryBytes, capturePrinted: captureConsole, clock });
    // Outside the first caller's run: a guest's messages are handled where it was started.
    this.#pool = new GuestPool((need) => runScope.exit(() => this.#follow(start(need))), this.#limits.thread, clock);
  }

  #follow(guest: Guest): Guest {
    void guest.ended.then((end) => this.#onEnd.get(guest)?.(end));
    return guest;
  }

  takePlace(isolation: Isolation, signal: AbortSignal): ReturnType<Isolate['takePlace']> {
    const { kind } = needOf(isolation);
    const places = this.#places[kind];
    const free = places.take(isolation.priority, isolation.slots);
    if (free === null) return null;
    const taken = new Promise<boolean>((resolve) => {
      const stop = (): void => resolve(false);
      signal.addEventListener('abort', stop, { once: true });
      void free.then(() => {
        signal.removeEventListener('abort', stop);
        // Granted after the wait was given up.
        if (signal.aborted) places.give(isolation.slots);
        resolve(!signal.aborted);
      });
      if (signal.aborted) stop();
    });
    const limit = this.#limits[kind];
    const all = limit === 1 ? `The only ${kind} for tasks is` : `All ${limit} ${kind === 'thread' ? 'threads' : 'processes'} for tasks are`;
    const message =
      isolation.slots > 1 ? `Waits for ${Math.min(isolation.slots, limit)} of the ${limit} places at once.` : `${all} at work.`;
    return { taken, message };
  }

  givePlace(isolation: Isolation): void {
    this.#places[needOf(isolation).kind].give(isolation.slots);
  }

  async call(call: IsolatedCall): Promise<unknown> {
    const need = needOf(call.task);
    const { job, moved } = jobOf(call, this.#options);
    const guest = this.#pool.take(need);
    guest.begin();
    const number = ++this.#lastJob;
    const end = new AbortController();
    let keepsPlace = false;
    const keepPlace = (): void => {
      if (!keepsPlace) this.#keepPlaces(guest, call.task.slots);
      keepsPlace = true;
    };
    const stopListening = endOnStop(call, guest, number, end, { clock: this.#options.clock, onEnding: keepPlace });
    try {
      const outcome = await this.#outcomeOf(call, guest, number, job, moved);
      if ('end' in outcome) throw end.signal.aborted ? call.signal.reason : guestFailure(call.task, need, outcome.end);
      if (need.kind === 'process') await settledWithin(this.#options.clock, exitMs, guest.close());
      else if (outcome.goesOn) guest.end();
      if (!outcome.ok) throw errorOf(outcome.failure);
      return unpackValue(outcome.value);
    } catch (error) {
      throw end.signal.aborted ? call.signal.reason : error;
    } finally {
      stopListening();
      this.#onEnd.delete(guest);
      endFiles(call);
      call.resourceUses.end();
      if (need.kind === 'process') guest.end();
      else this.#pool.keep(guest, need);
      if (guest.isEnding) keepPlace();
    }
  }

  /** A guest that is still ending keeps its places until then, although its task gives them back. */
  #keepPlaces(guest: Guest, slots: number): void {
    const places = this.#places[guest.kind];
    places.overtake(slots);
    void guest.ended.then(() => places.give(slots));
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    const left = (await this.#pool.close()).filter(({ kind }) => kind === 'thread');
    if (left.length === 0) return;
    noteStuckThreads();
    this.#options.log.warn(
      { threads: left.length },
      `${left.length === 1 ? 'A thread' : `${left.length} threads`} of tasks cannot be ended: native code in a thread cannot be interrupted. Let such tasks run with isolate: 'process'.`,
    );
  }

  /** How the job ended in its guest, or how the guest ended. */
  #outcomeOf(
    call: IsolatedCall,
    guest: Guest,
    number: number,
    job: IsolatedJob,
    moved: readonly ArrayBuffer[],
  ): Promise<(IsolatedOutcome & { readonly goesOn: boolean }) | { readonly end: GuestEnd }> {
    return new Promise((resolve, reject) => {
      const hear = ({ number: of, message }: FromGuest): void => {
        if (message.kind === 'outcome') {
          if (of !== number) return;
          if (!guest.isEnding) call.tellUsage({ ...message.usage, scope: guest.kind });
          resolve({ ...message.outcome, goesOn: message.goesOn });
        } else if (message.kind === 'span') this.#options.traces?.takeSpan(message.span);
        else if (message.kind === 'notes') this.#options.traces?.takeNotes(message.notes);
        else if (of === number) {
          // Of a guest being ended, only logs and resources are of use.
          if (!guest.isEnding || message.kind === 'log' || message.kind === 'resource')
            obey(call, (answer) => guest.send({ kind: 'message', number, message: answer }), message);
        } else if (message.kind === 'log') logAt(this.#options.log, message);
      };
      const print = ({ stream, text }: { readonly stream: string; readonly text: string }): void => {
        if (text !== '') call.context.log[stream === 'stderr' ? 'warn' : 'info'](text);
      };
      guest.listener = { hear: AsyncResource.bind(hear), print: AsyncResource.bind(print) };
      this.#onEnd.set(guest, (end) => resolve({ end }));
      try {
        sendJob(guest, number, job, moved);
      } catch (error) {
        reject(error);
      }
    });
  }
}

function sendJob(guest: Guest, number: number, job: IsolatedJob, moved: readonly ArrayBuffer[]): void {
  try {
    guest.send({ kind: 'job', number, job }, moved);
  } catch (error) {
    // Memory that cannot leave its thread, such as that of WebAssembly, is copied.
    if (moved.length === 0) throw error;
    guest.send({ kind: 'job', number, job });
  }
}

function needOf({ isolate, memoryBytes }: Isolation): GuestNeed {
  return { kind: isolate ?? 'thread', memoryBytes };
}

function jobOf(
  { definition, task, args, context, contextValues, effectKey, gate }: IsolatedCall,
  { captureConsole, traces, profilesAll = false }: GuestIsolateOptions,
): { readonly job: IsolatedJob; readonly moved: readonly ArrayBuffer[] } {
  const where = task.isolate === 'process' ? 'a process' : 'a thread';
  const { packed, moved } = packValue([...args], `arguments of task ${task.name}, which go to ${where}`, args.every(mayMove));
  const job = {
    source: definition.source,
    pinned: definition.isPinned === true && definition.bundle ? { version: definition.version, bundle: definition.bundle } : null,
    flow: definition.name,
    className: definition.className,
    task: task.name,
    taskKey: effectKey.taskKey,
    args: packed,
    params: encodeValue(context.params, `parameters of flow ${definition.name}`),
    run: context.run,
    taskFacts: context.task,
    idempotencyKey: context.idempotencyKey,
    traceparent: currentScope()?.traceparent ?? null,
    isTraced: Boolean(traces),
    contextValues: valuesText(contextValues, task.name),
    logLevel: context.log.level,
    captureConsole,
    asksToBegin: gate !== null,
    profile: task.profile || profilesAll,
  };
  return { job, moved };
}

function mayMove(arg: unknown): boolean {
  return typeof arg !== 'object' || arg === null || isOwn(arg);
}

function valuesText(values: ContextValues, task: string): string | null {
  const entries = values.entries();
  return entries.length === 0 ? null : encodeValue(entries, `values that middleware has set for task ${task}, which go to it`);
}

/** Tells the guest that its task has to stop, and ends it: at once after a timeout, else if it does not obey. */
function endOnStop(
  { signal, resourceUses, tellUsage }: IsolatedCall,
  guest: Guest,
  number: number,
  end: AbortController,
  { clock, onEnding }: { readonly clock: Clock; readonly onEnding: () => void },
): () => void {
  let timer: Timer | undefined;
  const endGuest = (): void => {
    end.abort();
    const usage = guest.usage();
    if (usage) tellUsage(usage);
    guest.end();
    // Before its task gives the place back, which happens as soon as it times out.
    onEnding();
    // Before the end of the task is recorded, which does not wait for the guest's.
    resourceUses.end();
  };
  const stop = (): void => {
    const reason: unknown = signal.reason;
    if (!isBatutaError(reason, 'RUN_CANCELLED')) return endGuest();
    guest.send({ kind: 'message', number, message: { kind: 'abort', reason: failureOf(reason) } });
    timer = clock.setTimer(cancelGraceMs, endGuest);
  };
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  return () => {
    timer?.cancel();
    signal.removeEventListener('abort', stop);
  };
}
