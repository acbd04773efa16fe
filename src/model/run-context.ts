/**
 * The bridge by which a decorated method reaches the engine, and a log line its run, without importing either.
 *
 * One AsyncLocalStorage for the whole process, kept behind a `Symbol.for` so that two copies of the library share it. The mark of files that
 * are loaded for their flows (`loading.ts`) is kept in it too: each storage costs every promise of the process, as long as it runs.
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
  /** Context object handed to the user's code here. */
  readonly context: unknown;
  /**
   * Set while the body of a code flow runs: turns a call of a decorated method into a task run. Null inside a task and
   * in static graphs, where such a call is a plain call.
   */
  readonly callTask: ((instance: object, taskName: string, args: readonly unknown[]) => Promise<unknown>) | null;
  /** Of a task: whether its attempt has ended, so that nothing it reports is taken any more; absent where that is not known. */
  readonly isOver?: boolean;
  /** Logger whose lines carry the ids above; made on first use. */
  readonly logger: () => Logger;
  /** Of a task: the value of a resource that is open for it, else null. */
  peek?(resource: AnyResource): { readonly value: unknown } | null;
  /** Takes an error that nothing in the user's code has caught. Without it such an error is nobody's. */
  escaped?(error: unknown, how: EscapeKind): void;
}

/** How an error came past the code it belongs to: a promise nobody awaited, a throw in a callback, an end of the process. */
export type EscapeKind = 'rejection' | 'exception' | 'exit';

/** One file that is being loaded for its flows. */
export interface Loading {
  /** Flow classes that it has defined so far. */
  readonly classes: Set<FlowClass>;
  /** Called when the file goes on to run a flow. */
  onStop(): void;
  /** Called with each file that its flows are made of beside code, such as the YAML of a pipeline; absolute path and content. */
  onRead(path: string, content: string): void;
}

/** What is known while a file is evaluated for its flows alone. */
export interface LoadingScope {
  readonly loading: Loading;
  /** Where the load was asked for: undefined outside a run. */
  readonly around: RunScope | undefined;
}

/** What is known where a span of the user's is active inside of a run: kept here as well, so that traces need no storage of their own. */
export interface TracedScope {
  /** Context of OpenTelemetry. */
  readonly traced: unknown;
  readonly around: RunScope | undefined;
  readonly loading?: Loading;
}

export type AnyScope = RunScope | LoadingScope | TracedScope;

type Storage = AsyncLocalStorage<AnyScope>;
const storageKey = Symbol.for('batuta.runScope');
type Holder = { [storageKey]?: Storage };

/** The storage itself. */
export const runScope: Storage = ((globalThis as Holder)[storageKey] ??= new AsyncLocalStorage<AnyScope>());

/** Scope of the code that asks, or undefined outside a run. */
export function currentScope(): RunScope | undefined {
  const scope = runScope.getStore();
  return scope !== undefined && 'around' in scope ? scope.around : scope;
}

/**
 * Headers that tell another service where a request comes from: `x-run-id`, `x-task-id` (id of the task run; absent in the body of a code
 * flow and in hooks) and `traceparent` (W3C Trace Context). Works wherever code of a run runs, in threads too, as deep in the calls as it may
 * be; empty outside of a run.
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
