/**
 * The messages between an engine and a guest: the thread or process that executes tasks with `isolate`, one at a time.
 *
 * The engine sends a guest an `IsolatedJob`. Meanwhile the guest sends what the task does with its context, the engine may send `HostMessage`s,
 * and the outcome comes last. All of it carries the number of its job: what code of an ended task still sends is nobody's. A thread is sent
 * them by `postMessage`, a process over its IPC channel with Node's advanced serialization.
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

/** File descriptor of the pipe by which a process of a task notices the end of its engine. */
export const lifelineFd = 4;

/** One execution of one task. */
export interface IsolatedJob {
  /** Where the class can be loaded from; null when nobody knows, which the guest refuses. */
  readonly source: FlowSource | null;
  /** What the engine has of a flow whose runs are pinned, and nothing else may be executed; null where the file may have changed meanwhile. */
  readonly pinned: { readonly version: string; readonly bundle: { readonly module: string; readonly version: string } } | null;
  readonly flow: string;
  readonly className: string;
  /** Name of the task. */
  readonly task: string;
  /** Key of the task run in its run. */
  readonly taskKey: string;
  /** The arguments before the context, as a list. */
  readonly args: Packed;
  /** The validated parameters, as `encodeValue` writes them. */
  readonly params: string | null;
  readonly run: RunFacts;
  readonly taskFacts: TaskFacts;
  readonly idempotencyKey: string;
  /** See `RunScope`. */
  readonly traceparent: string | null;
  /** Whether spans that its code makes are sent to the engine. */
  readonly isTraced: boolean;
  /** What middleware has set, names and values as `encodeValue` writes a list; null when nothing. */
  readonly contextValues: string | null;
  /** Least level of lines that are sent, as pino names it. */
  readonly logLevel: string;
  /** Whether what the task prints with `console` becomes lines of its log. */
  readonly captureConsole: boolean;
  /** Whether a CPU profile of it is kept. */
  readonly profile: boolean;
}

/** How the execution ended. A failure is what the method threw, or why it could not be called. */
export type IsolatedOutcome = { readonly ok: true; readonly value: Packed } | { readonly ok: false; readonly failure: Failure };

/** To a guest. */
export type ToGuest =
  | { readonly kind: 'job'; readonly number: number; readonly job: IsolatedJob }
  | { readonly kind: 'message'; readonly number: number; readonly message: HostMessage }
  /** Nothing more comes: it closes what it has open and ends. */
  | { readonly kind: 'close' };

/** From a guest. */
export interface FromGuest {
  /** Of the job; 0 for what belongs to none. */
  readonly number: number;
  readonly message:
    | GuestMessage
    /** `goesOn`: code of the task may still be going, so that the guest must not be given another. */
    | { readonly kind: 'outcome'; readonly outcome: IsolatedOutcome; readonly goesOn: boolean; readonly usage: Omit<TaskUsage, 'scope'> };
}

/** What a task does with its context. */
export type GuestMessage =
  | { readonly kind: 'log'; readonly level: number; readonly message: string; readonly fields: Readonly<Record<string, unknown>> | null }
  | { readonly kind: 'progress'; readonly done: number; readonly total: number | null }
  | { readonly kind: 'metric'; readonly change: 'add' | 'set'; readonly name: string; readonly value: number }
  | { readonly kind: 'measure'; readonly measure: OwnMeasure }
  /** Asks whether it may commit its transaction; answered with `commit`, or the guest is ended. */
  | { readonly kind: 'commit' }
  /** An opening of a resource as it stands. */
  | { readonly kind: 'resource'; readonly use: ResourceUse }
  /** Its result is that of an earlier execution. */
  | { readonly kind: 'earlier' }
  /** An error has come past its code when its transaction may have been committed: its result stands, and the run is to fail. */
  | { readonly kind: 'escaped'; readonly failure: Failure; readonly how: EscapeKind }
  /** Its code has ended a span of OpenTelemetry. */
  | { readonly kind: 'span'; readonly span: SpanRecord }
  /** What its code has said of the span of its attempt. */
  | { readonly kind: 'notes'; readonly notes: SpanNotes }
  /** `record` is JSON text where it can be, else text for people as a JSON string. */
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
  /** Answered with `kept` of the same `id`. Where `source` is null its bytes are asked for with `pull`, piece by piece. */
  | {
      readonly kind: 'file';
      readonly id: number;
      readonly wish: Omit<FileWish, 'source'>;
      readonly source: Uint8Array | { readonly path: string } | null;
    }
  /** Answers a `pull`: bytes, null at the end, or why there are no more. */
  | { readonly kind: 'piece'; readonly id: number; readonly piece: Uint8Array | string | null; readonly failure: Failure | null }
  /** Answered with `kept` of the same `id`. `value` is as `encodeValue` writes it. */
  | { readonly kind: 'emit'; readonly id: number; readonly stream: string; readonly value: string | null }
  | { readonly kind: 'bar'; readonly name: string; readonly value: number; readonly label: string | null }
  /** Answered with `answer` of the same `id`. */
  | GuestQuestion;

/** A secret, variable or connection that the task asks for. */
export interface GuestQuestion {
  readonly kind: 'ask';
  readonly id: number;
  readonly what: 'secret' | 'findVariable' | 'connection' | 'variableMissing';
  readonly name: string;
}

/** To the task. */
export type HostMessage =
  /** The transaction may be committed: nothing stops the task any more. */
  | { readonly kind: 'commit' }
  /** Aborts `ctx.signal` with that reason. */
  | { readonly kind: 'abort'; readonly reason: Failure }
  /** The artifact is durable, or could not be kept. */
  | { readonly kind: 'kept'; readonly id: number; readonly failure: Failure | null }
  /** Asks for the next bytes of a file. */
  | { readonly kind: 'pull'; readonly id: number; readonly isEnd: boolean }
  /** What was asked for, which goes over by structured clone and is recorded nowhere. */
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'answer'; readonly id: number; readonly failure: Failure };
