/**
 * The messages between an engine and a worker thread for a task with `isolate: 'thread'`.
 *
 * The engine gives the thread a `ThreadJob` with one end of a channel, and gets a `ThreadOutcome` back. Meanwhile the thread sends
 * `ThreadMessage`s over the channel, and the engine may send `HostMessage`s. All messages of a task are in the engine's end before its
 * outcome arrives: it reads the rest with `receiveMessageOnPort`, then closes it.
 */
import type { MessagePort } from 'node:worker_threads';
import type { RunFacts, TaskFacts } from './context.ts';
import type { Failure } from './failure.ts';
import type { FlowSource } from './flow.ts';
import type { OwnMeasure } from './own-metrics.ts';
import type { ResourceUse } from './resource-use.ts';
import type { Artifact } from './run.ts';

/** Name of the function that the entry of a thread exports. */
export const threadFunction = 'runTask';

/** One execution of one task; goes to the thread by structured clone, with `port` in the transfer list. */
export interface ThreadJob {
  /** Where the class can be loaded from; null when nobody knows, which the thread refuses. */
  readonly source: FlowSource | null;
  readonly flow: string;
  readonly className: string;
  /** Name of the task. */
  readonly task: string;
  /** Key of the task run in its run. */
  readonly taskKey: string;
  /** The arguments before the context, as `encodeValue` writes a list. */
  readonly args: string | null;
  /** The validated parameters, as `encodeValue` writes them. */
  readonly params: string | null;
  readonly run: RunFacts;
  readonly taskFacts: TaskFacts;
  readonly idempotencyKey: string;
  /** See `RunScope`. */
  readonly traceparent: string | null;
  /** What middleware has set, names and values as `encodeValue` writes a list; null when nothing. */
  readonly contextValues: string | null;
  /** Least level of lines that are sent, as pino names it. */
  readonly logLevel: string;
  /** Whether what the task prints with `console` becomes lines of its log. */
  readonly captureConsole: boolean;
  readonly port: MessagePort;
}

/** How the execution ended. A failure is what the method threw, or why it could not be called. */
export type ThreadOutcome = { readonly ok: true; readonly value: string | null } | { readonly ok: false; readonly failure: Failure };

/** From the thread: what the task does with its context. */
export type ThreadMessage =
  | { readonly kind: 'log'; readonly level: number; readonly message: string; readonly fields: Readonly<Record<string, unknown>> | null }
  | { readonly kind: 'progress'; readonly done: number; readonly total: number | null }
  | { readonly kind: 'metric'; readonly change: 'add' | 'set'; readonly name: string; readonly value: number }
  | { readonly kind: 'measure'; readonly measure: OwnMeasure }
  /** Asks whether it may commit its transaction; answered with `commit`, or the thread is ended. */
  | { readonly kind: 'commit' }
  /** An opening of a resource as it stands. */
  | { readonly kind: 'resource'; readonly use: ResourceUse }
  /** Its result is that of an earlier execution. */
  | { readonly kind: 'earlier' }
  /** `record` is JSON text where it can be, else text for people as a JSON string. */
  | { readonly kind: 'reject'; readonly record: string; readonly reason: string }
  /** Answered with `kept` of the same `id`. `data` is JSON text. */
  | {
      readonly kind: 'artifact';
      readonly id: number;
      readonly type: Exclude<Artifact['kind'], 'rejects'>;
      readonly name: string;
      readonly data: string;
    }
  /** Answered with `answer` of the same `id`. */
  | ThreadQuestion;

/** A secret, variable or connection that the task asks for. */
export interface ThreadQuestion {
  readonly kind: 'ask';
  readonly id: number;
  readonly what: 'secret' | 'findVariable' | 'connection' | 'variableMissing';
  readonly name: string;
}

/** To the thread. */
export type HostMessage =
  /** The transaction may be committed: nothing stops the task any more. */
  | { readonly kind: 'commit' }
  /** Aborts `ctx.signal` with that reason. */
  | { readonly kind: 'abort'; readonly reason: Failure }
  /** The artifact is durable, or could not be kept. */
  | { readonly kind: 'kept'; readonly id: number; readonly failure: Failure | null }
  /** What was asked for, which goes over by structured clone and is recorded nowhere. */
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'answer'; readonly id: number; readonly failure: Failure };
