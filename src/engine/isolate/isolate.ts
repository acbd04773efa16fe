/** Contract for running a task in its own thread or process, so that even `while (true)` ends on time. */
import type { EffectKey } from '../../effects/effects-table.ts';
import type { TaskContext } from '../../model/context.ts';
import type { FlowDefinition } from '../../model/flow.ts';
import type { EscapeKind } from '../../model/run-context.ts';
import type { NamedValues } from '../../model/secret.ts';
import type { ContextValues } from '../../model/middleware.ts';
import type { ResourceUse } from '../../model/resource-use.ts';
import type { TaskUsage } from '../../model/task-usage.ts';
import type { TaskDefinition } from '../../model/task.ts';

/** Notified of the resources a guest opens. */
export interface GuestUses {
  /** An opening's state. */
  note(use: ResourceUse): void;
  /** The task has left its guest, which closes nothing more for it. */
  end(): void;
}

/** What the code of a task waits for at the last moment. */
export interface LastGate {
  /** Resolves with for how long the code may be called, ms; null: never, the task is being stopped. Rejects never. */
  opened(): Promise<number | null>;
  /** The code may be called at any moment now. */
  tellOpen(): void;
  /** The code has been called. */
  tellBegun(): void;
}

export interface IsolatedCall {
  readonly definition: FlowDefinition;
  readonly task: TaskDefinition;
  /** Arguments before the context. */
  readonly args: readonly unknown[];
  /** Receives what the context in the guest reports. */
  readonly context: TaskContext;
  /** Values set for it by middleware. */
  readonly contextValues: ContextValues;
  /** Source of the values it requests. */
  readonly namedValues: NamedValues;
  /** Null: its code is called once its guest is ready. */
  readonly gate: LastGate | null;
  /** Aborting ends the guest in any case. */
  readonly signal: AbortSignal;
  /** Identifies its transaction. */
  readonly effectKey: EffectKey;
  /** Its transaction is about to be committed; nothing stops it now. */
  beginCommit(): void;
  /** Its result is that of an earlier execution. */
  tellEarlier(): void;
  /** An error escaped its code after its result was settled. */
  tellEscaped(error: Error, how: EscapeKind): void;
  /** Its usage; called once, before the call settles or as its guest is ended. */
  tellUsage(usage: TaskUsage): void;
  readonly resourceUses: GuestUses;
}

/** A task's options for where it runs. */
export type Isolation = Pick<TaskDefinition, 'name' | 'isolate' | 'memoryBytes' | 'priority' | 'slots'>;

export interface Isolate {
  /**
   * Takes places for threads or for processes, as many as the task's `slots`, or all if there are fewer. Returns null if they were free.
   *
   * @param signal of the waiter; when it aborts, the promise resolves with false, and no place is held
   */
  takePlace(isolation: Isolation, signal: AbortSignal): { readonly taken: Promise<boolean>; readonly message: string } | null;
  givePlace(isolation: Isolation): void;
  /**
   * The value of the method. The caller holds a place.
   *
   * @throws what the method threw; BatutaError ISOLATION_UNAVAILABLE, TASK_OUT_OF_MEMORY, ISOLATE_ENDED, BUFFER_MOVED
   */
  call(call: IsolatedCall): Promise<unknown>;
  /** Ends all guests, as far as possible: a thread in native code cannot be ended. May be called twice. */
  close(): Promise<void>;
}
