/** Contract of what runs a task in a thread or a process of its own, so that even `while (true)` ends on time. */
import type { EffectKey } from '../../effects/effects-table.ts';
import type { TaskContext } from '../../model/context.ts';
import type { FlowDefinition } from '../../model/flow.ts';
import type { EscapeKind } from '../../model/run-context.ts';
import type { NamedValues } from '../../model/secret.ts';
import type { ContextValues } from '../../model/middleware.ts';
import type { ResourceUse } from '../../model/resource-use.ts';
import type { TaskUsage } from '../../model/task-usage.ts';
import type { TaskDefinition } from '../../model/task.ts';

/** Hears what a guest opens of resources. */
export interface GuestUses {
  /** An opening as it stands. */
  note(use: ResourceUse): void;
  /** The task has left its guest, which closes nothing more for it. */
  end(): void;
}

export interface IsolatedCall {
  readonly definition: FlowDefinition;
  readonly task: TaskDefinition;
  /** Arguments before the context. */
  readonly args: readonly unknown[];
  /** What the context in the guest reports goes here. */
  readonly context: TaskContext;
  /** What middleware has set for it. */
  readonly contextValues: ContextValues;
  /** Where what it asks for is read. */
  readonly namedValues: NamedValues;
  /** Aborting ends the guest, whatever it does. */
  readonly signal: AbortSignal;
  /** By what its transaction is known. */
  readonly effectKey: EffectKey;
  /** Its transaction is about to be committed; nothing stops it any more. */
  beginCommit(): void;
  /** Its result is that of an earlier execution. */
  tellEarlier(): void;
  /** An error has come past its code when its result stood already. */
  tellEscaped(error: Error, how: EscapeKind): void;
  /** What it has used; called once, before the call settles or as its guest is ended. */
  tellUsage(usage: TaskUsage): void;
  readonly resourceUses: GuestUses;
}

/** What a task says of where it is executed. */
export type Isolation = Pick<TaskDefinition, 'name' | 'isolate' | 'memoryBytes' | 'priority' | 'slots'>;

export interface Isolate {
  /**
   * Takes places for threads or for processes, of which there are as many as may be at work: as many as the task's `slots`, or all where there are fewer.
   * Null where they were free.
   *
   * @param signal of whoever waits; when it aborts, the promise resolves with false, and no place is held
   */
  takePlace(isolation: Isolation, signal: AbortSignal): { readonly taken: Promise<boolean>; readonly message: string } | null;
  givePlace(isolation: Isolation): void;
  /**
   * The value of the method. Whoever calls has a place.
   *
   * @throws what the method threw; BatutaError ISOLATION_UNAVAILABLE, TASK_OUT_OF_MEMORY, ISOLATE_ENDED, BUFFER_MOVED
   */
  call(call: IsolatedCall): Promise<unknown>;
  /** Ends all guests, as far as they can be ended: a thread in native code cannot. May be called twice. */
  close(): Promise<void>;
}
