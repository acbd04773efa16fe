/** Stops the fake clock while code works, from the events of a run and its sub-flows. */
import type { EngineEvent } from '../model/events.ts';
import { isTerminal } from '../model/state.ts';
import type { FakeClock } from './fake-clock.ts';

/**
 * Listener that stops time while a task executes, and while a run has no task run to wait for: then the body of its code
 * flow is executing, or the engine is between two tasks.
 */
export function holdTime(clock: FakeClock): (event: EngineEvent) => void {
  /** Unfinished task runs of each running run. */
  const open = new Map<string, Set<string>>();
  /** Task run that stands for a sub-flow, by the sub-flow's run. */
  const parents = new Map<string, string>();

  return (event) => {
    if (event.kind === 'run') {
      const { id, state } = event.run;
      const ended = isTerminal(state.type);
      if (ended) open.delete(id);
      else if (!open.has(id)) open.set(id, new Set());
      clock.setBusy(id, state.type === 'RUNNING' && open.get(id)?.size === 0);
      const parent = parents.get(id);
      if (parent !== undefined) clock.setBusy(parent, ended);
    } else if (event.kind === 'task') {
      const { id, state, childRunId } = event.taskRun;
      if (childRunId !== null) parents.set(childRunId, id);
      clock.setBusy(id, state.type === 'RUNNING' && (childRunId === null || !open.has(childRunId)));
      const waitsFor = open.get(event.run.id);
      if (!waitsFor) return;
      if (isTerminal(state.type)) waitsFor.delete(id);
      else waitsFor.add(id);
      clock.setBusy(event.run.id, waitsFor.size === 0);
    }
  };
}
