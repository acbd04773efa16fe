/**
 * What an engine reports to listeners in the same process: after the fact, in order, never awaited. Events of sub-flows come too, with their
 * own run.
 */
import type { FlowDefinition } from './flow.ts';
import type { LogLine, Run, TaskRun } from './run.ts';

export type EngineEvent =
  /** A run changed its state; the first one of a run carries its definition. */
  | { readonly kind: 'run'; readonly run: Run; readonly definition: FlowDefinition }
  /** A task run changed its state, or its progress. */
  | { readonly kind: 'task'; readonly run: Run; readonly taskRun: TaskRun }
  /** A mapped task learned how many items it has. */
  | { readonly kind: 'mapped'; readonly run: Run; readonly task: string; readonly items: number }
  | { readonly kind: 'log'; readonly line: LogLine };

export type EngineListener = (event: EngineEvent) => void;
