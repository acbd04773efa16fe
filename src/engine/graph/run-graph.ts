/**
 * A static graph: every task starts the moment the last one it waits for is recorded.
 *
 * The ready set is kept by counting: each node knows how many it still waits for, and each end lowers the counts behind it. O(tasks +
 * edges) for the whole run; a value is released once the last task that takes it has ended.
 */
import { isBatutaError } from '../../base/errors.ts';
import { edgesInto } from '../../model/graph.ts';
import { stateOf } from '../../model/state.ts';
import type { TaskDefinition } from '../../model/task.ts';
import { type RunAttempt, isHandedBack } from '../run/run-attempt.ts';
import { take } from '../values/given-value.ts';
import { runMapped } from './run-mapped.ts';
import { isStream, runSegment, segmentsByName } from './run-segment.ts';
import { outcomeOf, type TaskOutcome } from '../task/outcome.ts';
import { runTask } from '../task/run-task.ts';
import { recordUnrun } from '../task/task-row.ts';

interface Node {
  readonly task: TaskDefinition;
  /** Names it waits for, with repeats as in the edges. */
  readonly upstream: readonly string[];
  readonly downstream: Node[];
  /** Nodes connected to it by streams; null for most. */
  readonly segment: SegmentNodes | null;
  /** Whether its recorded end is reused. */
  stands: boolean;
  waitingFor: number;
  /** How many nodes may still take its value; the flow counts as one if the value is its result. */
  takers: number;
  outcome: TaskOutcome | null;
}

/** Nodes that start together. */
interface SegmentNodes {
  readonly nodes: Node[];
  /** How many of them wait for nothing else. */
  ready: number;
}

/** How a graph ended. */
export interface GraphOutcome {
  /** The flow's value, for `take`; undefined if it did not succeed. */
  readonly given: unknown;
  /** The first task that failed; null if none did. */
  readonly failed: { readonly task: string; readonly error: unknown } | null;
}

/**
 * Runs all tasks of the graph that can run. Resolves when all of them have run and are recorded.
 *
 * @throws BatutaError STORE_… when it could not be recorded.
 */
export function runGraph(active: RunAttempt): Promise<GraphOutcome> {
  return new GraphRun(active).run();
}

class GraphRun {
  readonly #active: RunAttempt;
  readonly #nodes = new Map<string, Node>();
  #underWay = 0;
  #firstFailed: GraphOutcome['failed'] = null;
  #resolve: () => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;

  constructor(active: RunAttempt) {
    this.#active = active;
    const { graph, tasks, streams } = active.definition;
    const segments = streams === null ? null : segmentsByName<Node>(streams);
    for (const name of graph.nodes) {
      const task = tasks.get(name) as TaskDefinition;
      const edges = edgesInto(task);
      // Takers of a stream do not wait for its end.
      const upstream = (streams === null ? edges : edges.filter((edge) => !isStream(streams, edge))).map((edge) => edge.from);
      const segment = segments?.get(name) ?? null;
      const node: Node = { task, upstream, downstream: [], segment, stands: false, waitingFor: upstream.length, takers: 0, outcome: null };
      segment?.nodes.push(node);
      this.#nodes.set(name, node);
    }
    for (const edge of graph.edges) {
      const from = this.#node(edge.from);
      if (streams === null || !isStream(streams, edge)) from.downstream.push(this.#node(edge.to));
      if (edge.kind !== 'order') from.takers++;
    }
    for (const name of this.#resultTasks()) this.#node(name).takers++;
    if (active.recorded.size > 0) this.#judgeRecorded();
  }

  async run(): Promise<GraphOutcome> {
    await new Promise<void>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#startAll([...this.#nodes.values()].filter((node) => node.waitingFor === 0));
    });
    return { given: this.#firstFailed ? undefined : this.#result(), failed: this.#firstFailed };
  }

  /** Highest priority first: if there are fewer places than nodes, those get them. */
  #startAll(nodes: Node[]): void {
    if (nodes.length > 1) nodes.sort((a, b) => b.task.priority - a.task.priority);
    for (const node of nodes) {
      if (node.segment === null) this.#start(node, this.#runNode(node));
      else if (++node.segment.ready === node.segment.nodes.length) this.#startTogether(node.segment.nodes);
    }
  }

  #start(node: Node, running: Promise<TaskOutcome>): void {
    this.#underWay++;
    running.then((outcome) => this.#ended(node, outcome), this.#reject);
  }

  /** Nodes connected by streams: either all are run, or none. */
  #startTogether(nodes: readonly Node[]): void {
    const verdicts = nodes.map((node) => this.#verdict(node));
    const verdict =
      verdicts.find((one) => one === 'cancel') ?? verdicts.find((one) => one === 'fail') ?? verdicts.find((one) => one === 'skip');
    if (nodes.every((node) => node.stands) || this.#active.stopReason) {
      for (const node of nodes) this.#start(node, this.#runNode(node));
    } else if (verdict !== undefined) {
      const culprits = nodes.flatMap((node) => this.#culprits(node));
      for (const node of nodes) this.#start(node, this.#unrun(node, verdict, culprits));
    } else {
      const stages = nodes.map(({ task }) => ({ task, given: (name: string) => this.#givenBy(name) }));
      const running = runSegment(this.#active, stages);
      for (const [at, node] of nodes.entries()) this.#start(node, running[at] as Promise<TaskOutcome>);
    }
  }

  #ended(node: Node, outcome: TaskOutcome): void {
    node.outcome = outcome;
    // One stopped because another failed is not the first failure.
    const isStopped = node.segment !== null && outcome.kind === 'failed' && isBatutaError(outcome.error, 'STREAM_STOPPED');
    if (outcome.kind === 'failed' && !isStopped) this.#firstFailed ??= { task: node.task.name, error: outcome.error };
    if (node.takers === 0) letGo(node);
    const { task } = node;
    for (const name of task.each === null ? task.needs : [task.each, ...task.needs]) {
      const giver = this.#node(name);
      if (--giver.takers === 0) letGo(giver);
    }
    this.#startAll(node.downstream.filter((next) => --next.waitingFor === 0));
    if (--this.#underWay === 0) this.#resolve();
  }

  async #runNode(node: Node): Promise<TaskOutcome> {
    const active = this.#active;
    const { task } = node;
    const recorded = active.recorded.get(task.name);
    if (recorded && node.stands) return outcomeOf(active, recorded);
    const verdict = active.stopReason ? 'cancel' : this.#verdict(node);
    if (verdict !== 'run') return this.#unrun(node, verdict, this.#culprits(node));
    const given = task.needs.map((name) => this.#givenBy(name));
    if (task.each !== null) return runMapped(active, task, this.#givenBy(task.each), given);
    return runTask(active, {
      definition: task,
      key: task.name,
      index: null,
      args: (context) => [...given.map(take), context],
      given,
      dependsOn: null,
      isLast: node.downstream.length === 0,
    });
  }

  /**
   * Finds the recorded ends that are reused. A value that was kept in memory only is gone: its task runs again if a task that takes it
   * does, or if it is the flow's value. Backwards, so that takers come before what they take.
   */
  #judgeRecorded(): void {
    const results = new Set(this.#resultTasks());
    for (const node of [...this.#nodes.values()].reverse()) {
      const { name, each, persist } = node.task;
      const state = this.#active.recorded.get(name)?.state;
      if (each !== null || state?.name === 'UpstreamFailed') continue;
      if (state?.type === 'FAILED') node.stands = true;
      if (state?.type !== 'COMPLETED') continue;
      const isTaken = (): boolean =>
        node.downstream.some((next) => !next.stands && (next.task.each === name || next.task.needs.includes(name)));
      node.stands = persist || state.name === 'Skipped' || !(results.has(name) || isTaken());
    }
    if (this.#active.definition.streams) judgeSegments(this.#nodes.values(), this.#active.recorded);
  }

  /** What the trigger says, except that a mapped task without its list has nothing to run. */
  #verdict(node: Node): 'run' | 'skip' | 'fail' | 'cancel' {
    const verdict = this.#triggered(node);
    const list = node.task.each === null ? null : this.#node(node.task.each).outcome?.kind;
    return verdict !== 'run' || list === null || list === 'succeeded' ? verdict : list === 'failed' ? 'fail' : 'skip';
  }

  #triggered(node: Node): 'run' | 'skip' | 'fail' | 'cancel' {
    const kinds = node.upstream.map((name) => this.#node(name).outcome?.kind);
    if (kinds.includes('cancelled')) return 'cancel';
    const failed = kinds.includes('failed');
    switch (node.task.trigger) {
      case 'allDone':
        return 'run';
      case 'anySucceeded':
        return kinds.length === 0 || kinds.includes('succeeded') ? 'run' : failed ? 'fail' : 'skip';
      case 'anyFailed':
        return failed ? 'run' : 'skip';
      case 'noneFailed':
        return failed ? 'fail' : 'run';
      case 'allSucceeded':
        return failed ? 'fail' : kinds.includes('skipped') ? 'skip' : 'run';
    }
  }

  async #unrun(node: Node, verdict: 'skip' | 'fail' | 'cancel', culprits: readonly string[]): Promise<TaskOutcome> {
    if (verdict === 'cancel') return this.#cancelled(node);
    const { name } = node.task;
    const state = verdict === 'skip' ? skipped : upstreamFailed(culprits);
    await recordUnrun(this.#active, name, name, null, state);
    return verdict === 'skip' ? { kind: 'skipped' } : { kind: 'failed', error: new Error(state.message ?? ''), failure: null };
  }

  async #cancelled(node: Node): Promise<TaskOutcome> {
    const reason = this.#active.stopReason;
    if (reason && !isHandedBack(reason)) {
      await recordUnrun(this.#active, node.task.name, node.task.name, null, stateOf('CANCELLED', 'Cancelled', reason.message));
    }
    return { kind: 'cancelled', error: reason };
  }

  #culprits(node: Node): string[] {
    return node.upstream.filter((name) => this.#node(name).outcome?.kind === 'failed');
  }

  #givenBy(name: string): unknown {
    const { outcome } = this.#node(name);
    return outcome?.kind === 'succeeded' ? outcome.given : undefined;
  }

  #resultTasks(): readonly string[] {
    const { result, graph } = this.#active.definition;
    return result === null ? graph.sinks : [result];
  }

  #result(): unknown {
    const names = this.#resultTasks();
    const [only] = names;
    if (names.length === 1 && only !== undefined) return this.#givenBy(only);
    return Object.fromEntries(names.map((name) => [name, take(this.#givenBy(name))]));
  }

  #node(name: string): Node {
    return this.#nodes.get(name) as Node;
  }
}

const skipped = stateOf('COMPLETED', 'Skipped', 'What it waits for was skipped.');

function upstreamFailed(culprits: readonly string[]): ReturnType<typeof stateOf> {
  const named = culprits.slice(0, 3).join(', ') + (culprits.length > 3 ? ` and ${culprits.length - 3} more` : '');
  return stateOf('FAILED', 'UpstreamFailed', named === '' ? 'Nothing it waits for succeeded.' : `It waits for ${named}, which failed.`);
}

/** A segment stands or runs again as a whole: it stands if all of it has ended and nothing is to be run again. */
function judgeSegments(nodes: Iterable<Node>, recorded: RunAttempt['recorded']): void {
  const stopped = (node: Node): boolean => recorded.get(node.task.name)?.state.name === 'UpstreamFailed';
  for (const node of nodes) {
    if (node.segment === null || node.segment.nodes[0] !== node) continue;
    const together = node.segment.nodes;
    const stand = together.every((one) => one.stands || stopped(one)) && together.some((one) => one.stands);
    for (const one of together) one.stands = stand;
  }
}

const gone: TaskOutcome = { kind: 'succeeded', given: undefined };

function letGo(node: Node): void {
  if (node.outcome?.kind === 'succeeded') node.outcome = gone;
}
