/** Contract of what runs a task in a thread of its own, so that even `while (true)` ends on time. */
import type { EffectKey } from '../../effects/effects-table.ts';
import type { TaskContext } from '../../model/context.ts';
import type { FlowDefinition } from '../../model/flow.ts';
import type { NamedValues } from '../../model/secret.ts';
import type { ContextValues } from '../../model/middleware.ts';
import type { ResourceUse } from '../../model/resource-use.ts';
import type { TaskDefinition } from '../../model/task.ts';

/** Hears what a thread opens of resources. */
export interface ThreadUses {
  /** An opening as it stands. */
  note(use: ResourceUse): void;
  /** The task has left its thread, which closes nothing more for it. */
  end(): void;
}

export interface IsolatedCall {
  readonly definition: FlowDefinition;
  readonly task: TaskDefinition;
  /** Arguments before the context. */
  readonly args: readonly unknown[];
  /** What the thread's context reports goes here. */
  readonly context: TaskContext;
  /** What middleware has set for it. */
  readonly contextValues: ContextValues;
  /** Where what it asks for is read. */
  readonly namedValues: NamedValues;
  /** Aborting ends the thread, whatever it does. */
  readonly signal: AbortSignal;
  /** By what its transaction is known. */
  readonly effectKey: EffectKey;
  /** Its transaction is about to be committed; nothing stops it any more. */
  beginCommit(): void;
  /** Its result is that of an earlier execution. */
  tellEarlier(): void;
  readonly resourceUses: ThreadUses;
}

export interface Isolate {
  /** The value of the method. @throws what the method threw; BatutaError ISOLATION_UNAVAILABLE */
  call(call: IsolatedCall): Promise<unknown>;
  /** Ends all threads. May be called twice. */
  close(): Promise<void>;
}
