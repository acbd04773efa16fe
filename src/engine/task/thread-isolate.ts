/**
 * Runs tasks in worker threads (piscina), a thread for one task at a time; a thread whose task has to stop is ended.
 *
 * What the task does with its context comes over a channel and is done here, with the context of the task.
 */
import { availableParallelism } from 'node:os';
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { Clock, Timer } from '../../base/clock.ts';
import { isBatutaError } from '../../base/errors.ts';
import type { ContextValues } from '../../model/middleware.ts';
import { measureAgain } from '../../model/own-metrics.ts';
import { errorOf, failureOf } from '../../model/failure.ts';
import type { NamedValues } from '../../model/secret.ts';
import {
  type HostMessage,
  type ThreadJob,
  type ThreadMessage,
  type ThreadOutcome,
  type ThreadQuestion,
  threadFunction,
} from '../../model/thread-protocol.ts';
import { currentScope } from '../../model/run-context.ts';
import { decodeValue, encodeValue } from '../../model/values.ts';
import type { IsolatedCall, Isolate } from './isolate.ts';

export interface ThreadIsolateOptions {
  /** Path of the built file that a thread runs. */
  readonly entry: string;
  /** Whether what a task prints with `console` becomes lines of its log. */
  readonly captureConsole: boolean;
  readonly clock: Clock;
}

/** How long a cancelled task may take to obey its signal before its thread is ended. A timeout ends it at once. */
const cancelGraceMs = 1_000;
/** How long a thread without work is kept. */
const idleMs = 10_000;

type Pool = InstanceType<typeof import('piscina').Piscina>;

/** Threads are started when first asked for: at most twice as many as there are processors, and no fewer than four. */
export function threadIsolate(options: ThreadIsolateOptions): Isolate {
  let pool: Promise<Pool> | undefined;
  return {
    async call(call) {
      pool ??= openPool(options);
      return run(await pool, call, options);
    },
    async close() {
      const open = await pool;
      pool = undefined;
      await open?.destroy();
    },
  };
}

async function openPool({ entry }: ThreadIsolateOptions): Promise<Pool> {
  const { Piscina } = await import('piscina');
  const maxThreads = Math.max(4, 2 * availableParallelism());
  return new Piscina({
    filename: entry,
    name: threadFunction,
    minThreads: 0,
    maxThreads,
    concurrentTasksPerWorker: 1,
    idleTimeout: idleMs,
  });
}

async function run(pool: Pool, call: IsolatedCall, { captureConsole, clock }: ThreadIsolateOptions): Promise<unknown> {
  const { port1: here, port2: there } = new MessageChannel();
  const end = new AbortController();
  const stopListening = endOnStop(call.signal, here, end, clock);
  here.on('message', (message: ThreadMessage) => {
    // Of a thread that is being ended only what it had to say is of use.
    if (!end.signal.aborted || message.kind === 'log' || message.kind === 'resource') obey(call, here, message);
  });
  // A task under way is held by its promise; the channel alone must not keep a process alive.
  here.unref();
  try {
    const job = jobOf(call, there, captureConsole);
    const outcome = (await pool.run(job, { signal: end.signal, transferList: [there] })) as ThreadOutcome;
    for (let left = receiveMessageOnPort(here); left; left = receiveMessageOnPort(here)) obey(call, here, left.message as ThreadMessage);
    if (!outcome.ok) throw errorOf(outcome.failure);
    return decodeValue(outcome.value);
  } catch (error) {
    throw end.signal.aborted ? call.signal.reason : error;
  } finally {
    stopListening();
    call.resourceUses.end();
    here.close();
  }
}

function jobOf(
  { definition, task, args, context, contextValues, effectKey }: IsolatedCall,
  port: MessagePort,
  captureConsole: boolean,
): ThreadJob {
  return {
    source: definition.source,
    flow: definition.name,
    className: definition.className,
    task: task.name,
    taskKey: effectKey.taskKey,
    args: encodeValue([...args], `arguments of task ${task.name}, which go to a thread`),
    params: encodeValue(context.params, `parameters of flow ${definition.name}`),
    run: context.run,
    taskFacts: context.task,
    idempotencyKey: context.idempotencyKey,
    traceparent: currentScope()?.traceparent ?? null,
    contextValues: valuesText(contextValues, task.name),
    logLevel: context.log.level,
    captureConsole,
    port,
  };
}

function valuesText(values: ContextValues, task: string): string | null {
  const entries = values.entries();
  return entries.length === 0 ? null : encodeValue(entries, `values that middleware has set for task ${task}, which go to a thread`);
}

/** Tells the thread that its task has to stop, and ends it: at once after a timeout, else when it has not obeyed. */
function endOnStop(signal: AbortSignal, port: MessagePort, end: AbortController, clock: Clock): () => void {
  let timer: Timer | undefined;
  const stop = (): void => {
    const reason: unknown = signal.reason;
    if (!isBatutaError(reason, 'RUN_CANCELLED')) return end.abort();
    port.postMessage({ kind: 'abort', reason: failureOf(reason) } satisfies HostMessage);
    timer = clock.setTimer(cancelGraceMs, () => end.abort());
  };
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
  return () => {
    timer?.cancel();
    signal.removeEventListener('abort', stop);
  };
}

function obey(call: IsolatedCall, port: MessagePort, message: ThreadMessage): void {
  const { context, signal, namedValues } = call;
  switch (message.kind) {
    case 'commit':
      // Where it has to stop, its thread is being ended instead.
      if (signal.aborted) break;
      call.beginCommit();
      port.postMessage({ kind: 'commit' } satisfies HostMessage);
      break;
    case 'earlier':
      call.tellEarlier();
      break;
    case 'resource':
      call.resourceUses.note(message.use);
      break;
    case 'log':
      logAt(context.log, message);
      break;
    case 'progress':
      context.progress(message.done, message.total ?? undefined);
      break;
    case 'metric':
      context.metrics[message.change](message.name, message.value);
      break;
    case 'measure':
      measureAgain(context.metrics, message.measure);
      break;
    case 'reject':
      context.reject(JSON.parse(message.record), message.reason);
      break;
    case 'artifact':
      keep(context.artifact, message).then(
        () => port.postMessage({ kind: 'kept', id: message.id, failure: null } satisfies HostMessage),
        (error: unknown) => port.postMessage({ kind: 'kept', id: message.id, failure: failureOf(error) } satisfies HostMessage),
      );
      break;
    case 'ask':
      void answer(namedValues, port, message);
  }
}

async function answer(values: NamedValues, port: MessagePort, { id, what, name }: ThreadQuestion): Promise<void> {
  try {
    const value: unknown = await values[what](name);
    port.postMessage({ kind: 'answer', id, value: value instanceof Error ? failureOf(value) : value } satisfies HostMessage);
  } catch (error) {
    port.postMessage({ kind: 'answer', id, failure: failureOf(error) } satisfies HostMessage);
  }
}

const methods = { 10: 'trace', 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' } as const;

function logAt(log: IsolatedCall['context']['log'], { level, message, fields }: ThreadMessage & { readonly kind: 'log' }): void {
  log[methods[level as keyof typeof methods] ?? 'info'](fields ?? {}, message);
}

function keep(
  artifact: IsolatedCall['context']['artifact'],
  { type, name, data }: ThreadMessage & { readonly kind: 'artifact' },
): Promise<void> {
  const plain: unknown = JSON.parse(data);
  switch (type) {
    case 'markdown':
      return artifact.markdown(name, String(plain));
    case 'link':
      return artifact.link(name, String(plain));
    case 'table':
      return artifact.table(name, plain as Readonly<Record<string, unknown>>[]);
    case 'json':
      return artifact.json(name, plain);
  }
}
