/**
 * What the live view knows of a run: its task groups and sub-flows, folded from events or from stored rows.
 *
 * Each change takes constant time however large the run is; a frame reads only the few groups shown.
 */
import type { EngineEvent } from '../../model/events.ts';
import type { FlowDefinition } from '../../model/flow.ts';
import type { Edge } from '../../model/graph.ts';
import type { Run, TaskRun } from '../../model/run.ts';
import { noCounts, type PhaseCounts, phaseOf, TaskGroup } from './task-group.ts';

/** What a tree takes from a definition: task names in drawing order, and their dependencies. */
export interface TreeShape {
  readonly names: readonly string[];
  readonly edges: readonly Edge[];
}

/** Name prefix of the task runs that stand for sub-flows. */
const subFlowPrefix = 'flow:';
const maxRecent = 64;

/** Shape of a flow; a code flow has no tasks until they are called. */
export function shapeOfDefinition({ kind, graph, isPlanned }: Pick<FlowDefinition, 'kind' | 'graph' | 'isPlanned'>): TreeShape {
  return kind === 'code' && isPlanned !== true ? { names: [], edges: [] } : { names: graph.nodes, edges: graph.edges };
}

/** One run with its lines. Sub-flows are below the line of the task run that stands for them. */
export class RunTree {
  run: Run;
  readonly groups = new Map<string, TaskGroup>();
  /** Running or failed groups: a full screen shows them first. */
  readonly active = new Set<TaskGroup>();
  readonly failed = new Set<TaskGroup>();
  /** Groups that ended last, newest at the end. */
  readonly recent: TaskGroup[] = [];
  /** Sub-flow runs by the name of the group above them. */
  readonly children = new Map<string, RunTree>();
  readonly #inward = new Map<string, string[]>();
  readonly #byId: Map<string, RunTree>;
  readonly #groupCounts = noCounts();
  readonly #taskRunCounts = noCounts();

  constructor(run: Run, shape: TreeShape | null, byId: Map<string, RunTree> = new Map()) {
    this.run = run;
    this.#byId = byId;
    byId.set(run.id, this);
    for (const name of shape?.names ?? []) this.#groupOf(name);
    this.takeMapped(run);
    for (const edge of shape?.edges ?? []) {
      const froms = this.#inward.get(edge.to);
      if (froms) froms.push(edge.from);
      else this.#inward.set(edge.to, [edge.from]);
    }
  }

  /** Task runs of this run alone, by phase; tasks with nothing recorded yet count as waiting. */
  get counts(): PhaseCounts {
    const unseen = [...this.groups.values()].reduce((sum, group) => sum + Math.max(group.size === 0 ? 1 : 0, group.total - group.size), 0);
    return { ...this.#taskRunCounts, waiting: this.#taskRunCounts.waiting + unseen };
  }

  /** Groups by phase. */
  get groupCounts(): PhaseCounts {
    return this.#groupCounts;
  }

  /** Applies an event of this run or a run below it; returns the tree it belongs to, or null if there is none. */
  apply(event: EngineEvent): RunTree | null {
    if (event.kind === 'log') return this.#byId.get(event.line.runId) ?? null;
    const tree = this.#byId.get(event.run.id) ?? this.#adopt(event);
    if (!tree) return null;
    if (event.kind === 'run') tree.run = event.run;
    if (event.kind === 'task') tree.applyTaskRun(event.taskRun);
    if (event.kind === 'mapped') tree.applyItems(event.task, event.items);
    return tree;
  }

  /** Applies the newest row of a task run. */
  applyTaskRun(taskRun: TaskRun): void {
    const group = this.#groupOf(taskRun.name);
    this.#change(group, () => {
      const before = group.apply(taskRun);
      if (before) this.#taskRunCounts[before]--;
      this.#taskRunCounts[phaseOf(taskRun.state)]++;
    });
  }

  /** Applies the item counts of mapped tasks that the run recorded. */
  takeMapped({ mapped }: Pick<Run, 'mapped'>): void {
    for (const [task, items] of Object.entries(mapped ?? {})) if (this.groups.get(task)?.items !== items) this.applyItems(task, items);
  }

  /** Applies the item count of a mapped task. */
  applyItems(task: string, items: number): void {
    const group = this.#groupOf(task);
    this.#change(group, () => {
      group.items = items;
    });
  }

  /** Names of the unfinished tasks that a waiting one waits for. */
  waitsFor(name: string): string[] {
    return (this.#inward.get(name) ?? []).filter((from) => {
      const phase = this.groups.get(from)?.phase;
      return phase === 'waiting' || phase === 'running';
    });
  }

  #adopt(event: Exclude<EngineEvent, { kind: 'log' }>): RunTree | null {
    const parent = event.run.parentRunId === null ? undefined : this.#byId.get(event.run.parentRunId);
    if (!parent) return null;
    const child = new RunTree(event.run, event.kind === 'run' ? shapeOfDefinition(event.definition) : null, this.#byId);
    parent.children.set(`${subFlowPrefix}${event.run.flow}`, child);
    return child;
  }

  #groupOf(name: string): TaskGroup {
    const known = this.groups.get(name);
    if (known) return known;
    const group = new TaskGroup(name, this.groups.size);
    this.groups.set(name, group);
    this.#groupCounts[group.phase]++;
    return group;
  }

  #change(group: TaskGroup, change: () => void): void {
    const before = group.phase;
    change();
    const after = group.phase;
    this.#groupCounts[before]--;
    this.#groupCounts[after]++;
    toggle(this.active, group, after === 'running');
    toggle(this.failed, group, group.counts.failed > 0);
    if (after !== before && after !== 'running' && after !== 'waiting') {
      this.recent.push(group);
      if (this.recent.length > maxRecent) this.recent.shift();
    }
  }
}

function toggle<T>(set: Set<T>, item: T, on: boolean): void {
  if (on) set.add(item);
  else set.delete(item);
}
