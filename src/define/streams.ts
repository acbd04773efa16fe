/** Which tasks of a flow stream, and whether they may: from the methods and the graph. */
import type { BatutaError } from '../base/errors.ts';
import type { Edge, Graph } from '../model/graph.ts';
import type { StreamPlan } from '../model/streams.ts';
import type { TaskDefinition } from '../model/task.ts';
import { OptionReader, type RawOptions, refuse } from './options.ts';

type Tasks = ReadonlyMap<string, TaskDefinition>;

/**
 * The plan of the streams, null if there are none, and the tasks to execute with it: none connected by streams is spread merely because its
 * flow is.
 *
 * An async generator streams if another task needs it, or if it takes a stream itself; any other returns the list of its items.
 *
 * @throws BatutaError STREAM_MISUSED for invalid use of a stream; OPTION_INVALID for `buffer` on a task that does not stream
 */
export function planStreams(
  className: string,
  tasks: Tasks,
  graph: Graph,
  result: string | null,
  optionsOf: (task: string) => RawOptions | undefined,
): { readonly tasks: Tasks; readonly streams: StreamPlan | null } {
  const sources = streamsOf(tasks, graph);
  for (const { name, buffer } of tasks.values()) {
    if (buffer !== null && !sources.has(name))
      throw refuse(
        'OPTION_INVALID',
        `${className}.${name}`,
        ': buffer has no effect on a task whose records no other takes as a stream; leave it out.',
      );
  }
  for (const { name, maxErrorRate, needs } of tasks.values()) {
    if (maxErrorRate !== null && !sources.has(name) && !needs.some((need) => sources.has(need)))
      throw refuse(
        'OPTION_INVALID',
        `${className}.${name}`,
        ': maxErrorRate has no effect on a task that neither gives nor takes a stream; leave it out.',
      );
  }
  if (sources.size === 0) return { tasks, streams: null };
  const checks = new StreamChecks(className, tasks, graph, sources);
  const segments = segmentsOf(graph, sources);
  checks.uses(result);
  for (const segment of segments) for (const name of segment) checks.stage(name, optionsOf(name) ?? {});
  for (const segment of segments) checks.circles(segment, segments);
  const isStage = new Set(segments.flat());
  const own = new Map([...tasks].map(([name, task]) => [name, isStage.has(name) && task.spread ? { ...task, spread: false } : task]));
  return { tasks: own, streams: { sources, segments } };
}

/** Whether a task has anything that `planStreams` checks. */
export function mayStream({ method, buffer, maxErrorRate }: TaskDefinition): boolean {
  return isAsyncGenerator(method) || buffer !== null || maxErrorRate !== null;
}

function streamsOf(tasks: Tasks, graph: Graph): ReadonlySet<string> {
  const needed = new Set(graph.edges.filter(({ kind }) => kind === 'data').map(({ from }) => from));
  const sources = new Set<string>();
  for (const name of graph.nodes) {
    const task = tasks.get(name);
    if (task !== undefined && isAsyncGenerator(task.method) && (needed.has(name) || task.needs.some((need) => sources.has(need))))
      sources.add(name);
  }
  return sources;
}

function isAsyncGenerator(method: unknown): boolean {
  return Object.prototype.toString.call(method) === '[object AsyncGeneratorFunction]';
}

function isStream(sources: ReadonlySet<string>, { kind, from }: Edge): boolean {
  return kind === 'data' && sources.has(from);
}

/** The segments, each in graph order. */
function segmentsOf(graph: Graph, sources: ReadonlySet<string>): string[][] {
  const leader = new Map(graph.nodes.map((name) => [name, name]));
  const find = (name: string): string => {
    const above = leader.get(name) as string;
    return above === name ? name : find(above);
  };
  const flowing = graph.edges.filter((edge) => isStream(sources, edge));
  for (const { from, to } of flowing) leader.set(find(to), find(from));
  const inFlow = new Set(flowing.flatMap(({ from, to }) => [from, to]));
  const segments = new Map<string, string[]>();
  for (const name of graph.nodes) {
    if (!inFlow.has(name)) continue;
    const segment = segments.get(find(name));
    if (segment) segment.push(name);
    else segments.set(find(name), [name]);
  }
  return [...segments.values()];
}

class StreamChecks {
  readonly #className: string;
  readonly #tasks: Tasks;
  readonly #graph: Graph;
  readonly #sources: ReadonlySet<string>;

  constructor(className: string, tasks: Tasks, graph: Graph, sources: ReadonlySet<string>) {
    this.#className = className;
    this.#tasks = tasks;
    this.#graph = graph;
    this.#sources = sources;
  }

  /** Users of the streams. */
  uses(result: string | null): void {
    for (const name of this.#sources) {
      if (result === name)
        throw this.#refuse(name, ' streams, so it cannot be the result of the flow; name the task that takes its records.');
      const takers = [...this.#tasks.values()];
      const mapped = takers.find((task) => task.each === name);
      if (mapped) {
        const other = takers.find((task) => task.needs.includes(name))?.name ?? mapped.name;
        throw this.#refuse(
          mapped.name,
          ` runs once for each item of '${name}', which streams its records to '${other}'; take them from a task that returns a list.`,
        );
      }
      if (!takers.some((task) => task.needs.includes(name)))
        throw this.#refuse(
          name,
          ' streams, and no task takes its records, so they would be the result of the flow; add a task that needs it.',
        );
    }
  }

  /** The options of a task connected by streams. */
  stage(name: string, options: RawOptions): void {
    const task = this.#tasks.get(name) as TaskDefinition;
    const gives = this.#sources.has(name);
    const isSource = gives && !task.needs.some((need) => this.#sources.has(need));
    const what = gives ? ' streams' : ' takes a stream';
    if (options.spread === true || options.queue !== undefined)
      throw this.#refuse(name, `${what}, so it cannot be spread: records do not leave the process of their run.`);
    if (task.cache !== null) throw this.#refuse(name, `${what}, so it cannot be cached: what it does is more than its value.`);
    if (task.isolate !== null)
      throw this.#refuse(
        name,
        `${what}, so it cannot be isolated: records do not leave the thread of their run. Let it call a task of its own thread.`,
      );
    if (task.each !== null) throw this.#refuse(name, `${what}, so it cannot run once for each item of a list.`);
    if (task.when !== null) throw this.#refuse(name, `${what}, so it has no condition (when): put it on a task before the stream.`);
    if (gives && task.transaction !== null)
      throw this.#refuse(name, ' streams, so it cannot work in a transaction: its records would be visible before the commit.');
    if (!isSource && task.trigger !== 'allSucceeded')
      throw this.#refuse(name, ` takes a stream, so it has no trigger: it starts together with the task that yields the records.`);
    if (!isSource && task.retry.retries > 0)
      throw this.#refuse(name, ' takes a stream, so it is retried together with its source; set the retries there.');
  }

  /** All of a segment starts together: no part may wait for the end of another. */
  circles(segment: readonly string[], segments: readonly (readonly string[])[]): void {
    const together = new Map(segments.flatMap((names) => names.map((name) => [name, names] as const)));
    const seen = new Set<string>();
    const queue: { readonly at: string; readonly path: readonly string[] }[] = segment.map((at) => ({ at, path: [at] }));
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      for (const edge of this.#edgesFrom(next.at)) {
        if (segment.includes(edge.to))
          throw this.#refuse(
            edge.to,
            ` waits for the end of '${next.path[0]}' (${[...next.path, edge.to].join(' → ')}), with which it is connected by streams: both start together.`,
          );
        for (const to of together.get(edge.to) ?? [edge.to]) {
          if (seen.has(to)) continue;
          seen.add(to);
          queue.push({ at: to, path: [...next.path, to] });
        }
      }
    }
  }

  #edgesFrom(name: string): Edge[] {
    return this.#graph.edges.filter((edge) => edge.from === name && !isStream(this.#sources, edge));
  }

  #refuse(task: string, message: string): BatutaError {
    return refuse('STREAM_MISUSED', `${this.#className}.${task}`, message);
  }
}

const defaultFrom = 100;

/** @throws BatutaError OPTION_INVALID, OPTION_UNKNOWN */
export function maxErrorRateOf(read: OptionReader): TaskDefinition['maxErrorRate'] {
  const value = read.raw['maxErrorRate'];
  if (value === undefined) return null;
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw read.invalid('maxErrorRate', '{ share: 0.01, from: 1000 }');
  const options = value as RawOptions;
  const other = Object.keys(options).find((name) => name !== 'share' && name !== 'from');
  if (other !== undefined) throw refuse('OPTION_UNKNOWN', read.place, `: maxErrorRate has no option '${other}'. It takes share and from.`);
  const own = new OptionReader(read.place, { 'maxErrorRate.share': options['share'], 'maxErrorRate.from': options['from'] });
  const share = own.number('maxErrorRate.share', 0, 1);
  if (share === undefined) throw own.invalid('maxErrorRate.share', 'a number from 0 to 1');
  return { share, from: own.whole('maxErrorRate.from', 1) ?? defaultFrom };
}
