/**
 * Connects decorated methods to the engine, and log lines to their run, without importing either.
 *
 * One AsyncLocalStorage for the whole process, behind a `Symbol.for` so that two copies of the library share it. It also holds the mark of
 * files loaded only for their flows (`loading.ts`): each storage costs every promise of the process, as long as it runs.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Logger } from 'pino';
import type { FlowClass } from './flow-types.ts';
import type { AnyResource } from './resource.ts';
import { activeTraceparent, traceparentOf } from './trace.ts';

/** What is known wherever user code runs. */
export interface RunScope {
  readonly runId: string;
  readonly taskRunId: string | null;
  readonly flow: string;
  readonly task: string | null;
  readonly attempt: number;
  /** W3C `traceparent` that the run was submitted with, else null or absent. */
  readonly traceparent?: string | null;
  /** Context object passed to the user's code here. */
  readonly context: unknown;
  /**
   * Set while the body of a code flow runs: makes a call of a decorated method a task run. Null inside a task and in static graphs, where
   * it is a plain call.
   */
  readonly callTask: ((instance: object, taskName: string, args: readonly unknown[]) => Promise<unknown>) | null;
  /** Of a task: whether its attempt has ended, so that its reports are ignored; absent if unknown. */
  readonly isOver?: boolean;
  /** Logger with the ids above; made on first use. */
  readonly logger: () => Logger;
  /** Of a task: the value of an open resource, else null. */
  peek?(resource: AnyResource): { readonly value: unknown } | null;
  /** Takes an error that user code did not catch. Without it such an error is unowned. */
  escaped?(error: unknown, how: EscapeKind): void;
}

/** How an error escaped its code: a promise nobody awaited, a throw in a callback, an end of the process. */
export type EscapeKind = 'rejection' | 'exception' | 'exit';

/** A file being loaded for its flows. */
export interface Loading {
  /** Flow classes defined so far. */
  readonly classes: Set<FlowClass>;
  /** Called when the file tries to run a flow. */
  onStop(): void;
  /** Called with each non-code file that its flows depend on, such as the YAML of a pipeline; absolute path and content. */
  onRead(path: string, content: string): void;
}

/** What is known while a file is evaluated only for its flows. */
export interface LoadingScope {
  readonly loading: Loading;
  /** Where the load was requested: undefined outside a run. */
  readonly around: RunScope | undefined;
}

/** What is known in a user's active span inside a run: kept here too, so that traces need no storage of their own. */
export interface TracedScope {
  /** OpenTelemetry context. */
  readonly traced: unknown;
  readonly around: RunScope | undefined;
  readonly loading?: Loading;
}

/** Code of a flow that is called outside a run, in whatever else is known there. */
export interface OutsideScope {
  readonly outside: EscapeScope;
  readonly around: undefined;
}

/** Takes what escapes code. */
export type EscapeScope = Pick<RunScope, 'runId' | 'flow' | 'task' | 'escaped'>;

export type AnyScope = RunScope | LoadingScope | TracedScope | OutsideScope;

type Storage = AsyncLocalStorage<AnyScope>;
const storageKey = Symbol.for('batuta.runScope');
type Holder = { [storageKey]?: Storage };

/** The storage itself. */
export const runScope: Storage = ((globalThis as Holder)[storageKey] ??= new AsyncLocalStorage<AnyScope>());

/** Scope of the calling code, or undefined outside a run. */
export function currentScope(): RunScope | undefined {
  const scope = runScope.getStore();
  return scope !== undefined && 'around' in scope ? scope.around : scope;
}

/** What takes errors that escape the calling code; undefined if nothing does. */
export function escapeScope(): EscapeScope | undefined {
  const scope = runScope.getStore();
  return scope !== undefined && 'outside' in scope ? scope.outside : currentScope();
}

/** Calls code of a flow outside a run. */
export function callOutside<T>(outside: EscapeScope, work: () => T): T {
  const scope = runScope.getStore();
  return runScope.run({ ...(scope !== undefined && 'around' in scope ? scope : {}), outside, around: undefined }, work);
}

/**
 * Headers that tell another service where a request comes from: `x-run-id`, `x-task-id` (id of the task run; absent in the body of a code
 * flow and in hooks) and `traceparent` (W3C Trace Context). Works in any code of a run, in threads too, at any call depth; empty outside a
 * run.
 *
 * @example
 * ```ts
 * await fetch('https://orders.example/api', { headers: correlationHeaders() });
 * ```
 */
export function correlationHeaders(): Record<string, string> {
  const scope = currentScope();
  if (!scope) return {};
  const { runId, taskRunId, traceparent = null } = scope;
  return {
    'x-run-id': runId,
    ...(taskRunId === null ? {} : { 'x-task-id': taskRunId }),
    traceparent: activeTraceparent() ?? traceparentOf(runId, taskRunId ?? runId, traceparent),
  };
}
