/** Tasks connected by streams: started together, each as its own task run. */
import type { Edge } from '../../model/graph.ts';
import type { StreamPlan } from '../../model/streams.ts';
import type { TaskDefinition } from '../../model/task.ts';
import type { RunAttempt } from '../run/run-attempt.ts';
import { Segment } from '../streams/segment.ts';
import type { TaskOutcome } from '../task/outcome.ts';
import { runTask } from '../task/run-task.ts';
import { take } from '../values/given-value.ts';

/** Whether the edge carries a stream. */
export function isStream({ sources }: StreamPlan, { kind, from }: Edge): boolean {
  return kind === 'data' && sources.has(from);
}

/** The segment of each task, by task name; still without its nodes. */
export function segmentsByName<Node>({ segments }: StreamPlan): Map<string, { readonly nodes: Node[]; ready: number }> {
  const byName = new Map<string, { readonly nodes: Node[]; ready: number }>();
  for (const names of segments) {
    const segment = { nodes: [], ready: 0 };
    for (const name of names) byName.set(name, segment);
  }
  return byName;
}

/** A task of a segment, and the results of the tasks before it, by their names. */
export interface SegmentTask {
  readonly task: TaskDefinition;
  readonly given: (name: string) => unknown;
}

/** Starts them all; returns how each ends, in their order. */
export function runSegment(active: RunAttempt, tasks: readonly SegmentTask[]): Promise<TaskOutcome>[] {
  const segment = new Segment(
    active,
    tasks.map(({ task }) => task),
  );
  return tasks.map(({ task, given }) => {
    const stage = segment.stage(task.name);
    const values = new Map(task.needs.filter((name) => !stage.takesFrom(name)).map((name) => [name, given(name)]));
    return runTask(active, {
      definition: task,
      key: task.name,
      index: null,
      args: (context) => [...task.needs.map((name) => (stage.takesFrom(name) ? stage.records(name) : take(values.get(name)))), context],
      dependsOn: null,
      stage,
    });
  });
}
