/**
 * What an engine reports to listeners in the same process: after the fact, in order, never awaited. Events of sub-flows too, with their own
 * run.
 */
import type { FlowDefinition } from './flow.ts';
import type { LogLine, Run, TaskRun } from './run.ts';

export type EngineEvent =
  /** A run changed its state; the first one of a run carries its definition. */
  | { readonly kind: 'run'; readonly run: Run; readonly definition: FlowDefinition }
  /** A task run's state or progress changed. */
  | { readonly kind: 'task'; readonly run: Run; readonly taskRun: TaskRun }
  /** The item count of a mapped task is known. */
  | { readonly kind: 'mapped'; readonly run: Run; readonly task: string; readonly items: number }
  | { readonly kind: 'log'; readonly line: LogLine };

export type EngineListener = (event: EngineEvent) => void;
