/**
 * The messages between an engine and a guest: a thread or process that executes tasks with `isolate`, one at a time.
 *
 * The engine sends a guest an `IsolatedJob`. The guest then sends what the task does with its context, the engine may send `HostMessage`s,
 * and the outcome comes last. All carry the number of their job: messages from the code of an ended task are ignored. A thread gets them by
 * `postMessage`, a process over its IPC channel with Node's advanced serialization.
 */
import type { RunFacts, TaskFacts } from './context.ts';
import type { Failure } from './failure.ts';
import type { FlowSource } from './flow.ts';
import type { OwnMeasure } from './own-metrics.ts';
import type { Packed } from './packed-value.ts';
import type { ResourceUse } from './resource-use.ts';
import type { ArtifactWish, FileWish } from './artifact-writer.ts';
import type { EscapeKind } from './run-context.ts';
import type { SpanNotes, SpanRecord } from './span.ts';
import type { TaskUsage } from './task-usage.ts';

/** File descriptor of the pipe that tells a task's process that its engine has ended. */
export const lifelineFd = 4;

/** One execution of one task. */
export interface IsolatedJob {
  /** Where to load the class from; null if unknown, which the guest refuses. */
  readonly source: FlowSource | null;
  /** The engine's version of a flow with pinned runs; nothing else may be executed; null if the file may have changed. */
  readonly pinned: { readonly version: string; readonly bundle: { readonly module: string; readonly version: string } } | null;
  readonly flow: string;
  readonly className: string;
  /** Name of the task. */
  readonly task: string;
  /** Key of the task run in its run. */
  readonly taskKey: string;
  /** The arguments before the context, as a list. */
  readonly args: Packed;
  /** The validated parameters, by `encodeValue`. */
  readonly params: string | null;
  readonly run: RunFacts;
  readonly taskFacts: TaskFacts;
  readonly idempotencyKey: string;
  /** See `RunScope`. */
  readonly traceparent: string | null;
  /** Whether spans of its code are sent to the engine. */
  readonly isTraced: boolean;
  /** Values set by middleware, by name, a list encoded by `encodeValue`; null if none. */
  readonly contextValues: string | null;
  /** Lowest log level sent, in pino's terms. */
  readonly logLevel: string;
  /** Whether the task's `console` output becomes lines of its log. */
  readonly captureConsole: boolean;
  /** Whether it says that it is `ready`, and waits, before its code is called. */
  readonly asksToBegin: boolean;
  /** Whether to keep a CPU profile. */
  readonly profile: boolean;
}

/** How the execution ended. A failure is what the method threw, or why it was not callable. */
export type IsolatedOutcome = { readonly ok: true; readonly value: Packed } | { readonly ok: false; readonly failure: Failure };

/** To a guest. */
export type ToGuest =
  | { readonly kind: 'job'; readonly number: number; readonly job: IsolatedJob }
  | { readonly kind: 'message'; readonly number: number; readonly message: HostMessage }
  /** No more messages: close what is open and end. */
  | { readonly kind: 'close' };

/** From a guest. */
export interface FromGuest {
  /** Of the job; 0 if it belongs to none. */
  readonly number: number;
  readonly message:
    | GuestMessage
    /** `goesOn`: code of the task may still be running, so the guest must not get another. */
    | { readonly kind: 'outcome'; readonly outcome: IsolatedOutcome; readonly goesOn: boolean; readonly usage: Omit<TaskUsage, 'scope'> };
}

/** What a task does with its context. */
export type GuestMessage =
  | { readonly kind: 'log'; readonly level: number; readonly message: string; readonly fields: Readonly<Record<string, unknown>> | null }
  | { readonly kind: 'progress'; readonly done: number; readonly total: number | null }
  | { readonly kind: 'metric'; readonly change: 'add' | 'set'; readonly name: string; readonly value: number }
  | { readonly kind: 'measure'; readonly measure: OwnMeasure }
  /** Its code is about to be called; answered with `go`, or the guest is ended. Only of jobs that `asksToBegin`. */
  | { readonly kind: 'ready' }
  /** After a `go`: its code is being called. */
  | { readonly kind: 'begun' }
  /** Asks whether it may commit its transaction; answered with `commit`, or the guest is ended. */
  | { readonly kind: 'commit' }
  /** State of a resource's opening. */
  | { readonly kind: 'resource'; readonly use: ResourceUse }
  /** Its result is from an earlier execution. */
  | { readonly kind: 'earlier' }
  /** An error escaped its code after its transaction may have committed: its result stands, and the run is to fail. */
  | { readonly kind: 'escaped'; readonly failure: Failure; readonly how: EscapeKind }
  /** Its code ended an OpenTelemetry span. */
  | { readonly kind: 'span'; readonly span: SpanRecord }
  /** Its code annotated the span of its attempt. */
  | { readonly kind: 'notes'; readonly notes: SpanNotes }
  /** `record` is JSON if possible, else text for people as a JSON string. */
  | { readonly kind: 'reject'; readonly record: string; readonly reason: string }
  /** Answered with `kept` of the same `id`. `data` is JSON text. */
  | {
      readonly kind: 'artifact';
      readonly id: number;
      readonly type: ArtifactWish['kind'];
      readonly name: string;
      readonly key: string | null;
      readonly data: string;
    }
  /** Answered with `kept` of the same `id`. If `source` is null, bytes are requested with `pull`, piece by piece. */
  | {
      readonly kind: 'file';
      readonly id: number;
      readonly wish: Omit<FileWish, 'source'>;
      readonly source: Uint8Array | { readonly path: string } | null;
    }
  /** Answers a `pull`: bytes, null at the end, or why there are no more. */
  | { readonly kind: 'piece'; readonly id: number; readonly piece: Uint8Array | string | null; readonly failure: Failure | null }
  /** Answered with `kept` of the same `id`. `value` is from `encodeValue`. */
  | { readonly kind: 'emit'; readonly id: number; readonly stream: string; readonly value: string | null }
  | { readonly kind: 'bar'; readonly name: string; readonly value: number; readonly label: string | null }
  /** Answered with `answer` of the same `id`. */
  | GuestQuestion;

/** A secret, variable or connection the task asks for. */
export interface GuestQuestion {
  readonly kind: 'ask';
  readonly id: number;
  readonly what: 'secret' | 'findVariable' | 'connection' | 'variableMissing';
  readonly name: string;
}

/** To the task. */
export type HostMessage =
  /** Its code may be called, for that long after it said that it is `ready`, ms; later it says so again. */
  | { readonly kind: 'go'; readonly withinMs: number }
  /** The transaction may be committed: nothing stops the task now. */
  | { readonly kind: 'commit' }
  /** Aborts `ctx.signal` with that reason. */
  | { readonly kind: 'abort'; readonly reason: Failure }
  /** The artifact is durable, or failed to be. */
  | { readonly kind: 'kept'; readonly id: number; readonly failure: Failure | null }
  /** Requests the next bytes of a file. */
  | { readonly kind: 'pull'; readonly id: number; readonly isEnd: boolean }
  /** The answer, sent by structured clone and recorded nowhere. */
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'answer'; readonly id: number; readonly failure: Failure };
