/** Makes the definition of a flow from its class: reads the class and its bases, builds and checks the graph. */
import { BatutaError } from '../base/errors.ts';
import { hintFor } from '../base/nearest.ts';
import type { FlowClass } from '../model/flow-types.ts';
import type { FlowDefinition, HookDefinition } from '../model/flow.ts';
import { buildGraph, type Graph, type GraphFault } from '../model/graph.ts';
import type { Injection } from '../model/resource.ts';
import type { TaskDefinition } from '../model/task.ts';
import { codeTasks, graphTasks, methodOf, recordsOf, withRollback } from './class-tasks.ts';
import { classNameOf, declaredFlow } from './declaration.ts';
import {
  type AnyClass,
  type FlowOrigin,
  type FlowPlan,
  lineage,
  readFlow,
  readInjects,
  readOrigin,
  readOwnHooks,
  readPlan,
  writeOrigin,
} from './metadata.ts';
import { warnOfShortName } from './names.ts';
import { refuse } from './options.ts';
import { createInstance } from './create-instance.ts';
import { checkSlots } from './slots-option.ts';
import { mayStream, planStreams } from './streams.ts';
import { versionOf } from './flow-version.ts';

const definitions = new WeakMap<AnyClass, FlowDefinition>();

/** Whether a value is a class with its own `@Flow` (not only a base's). Never throws. */
export function isFlowClass(value: unknown): value is FlowClass {
  return (
    typeof value === 'function' &&
    typeof value.prototype === 'object' &&
    value.prototype !== null &&
    readFlow(value as unknown as AnyClass) !== undefined
  );
}

/**
 * The definition of a flow class; always the same object.
 *
 * Tasks are in file order, those of base classes first; an overridden one keeps its place. Linear in tasks and edges.
 *
 * @throws BatutaError FLOW_NOT_FOUND if the class has no `@Flow`; NEED_UNKNOWN, GRAPH_CYCLE, FLOW_EMPTY and what `@Flow` throws
 */
export function definitionOf(cls: FlowClass): FlowDefinition {
  const known = definitions.get(cls);
  if (known) return known;
  const made = define(cls);
  definitions.set(cls, made);
  return made;
}

/** Notes where a class was loaded from and remakes its definition with that source and version. @throws as `definitionOf` does */
export function definitionFrom(cls: FlowClass, origin: FlowOrigin): FlowDefinition {
  writeOrigin(cls, origin);
  definitions.delete(cls);
  return definitionOf(cls);
}

/**
 * Refuses invalid use of streams where the class is defined. Faults of its graph, which a derived class may mend, are left for `definitionOf`.
 *
 * @throws BatutaError as `planStreams` does, and what the options of its bases' tasks throw
 */
export function checkStreams(cls: AnyClass): void {
  const record = readFlow(cls);
  if (!record || methodOf(cls, 'run')) return;
  const found = recordsOf(cls);
  const flow = declaredFlow(cls, record);
  const tasks = graphTasks(cls, flow, found);
  if (![...tasks.values()].some(mayStream)) return;
  const built = buildGraph(tasks.values());
  if ('graph' in built) planStreams(classNameOf(cls), tasks, built.graph, flow.result, (name) => found.get(name)?.record.options);
}

function define(cls: FlowClass): FlowDefinition {
  const className = classNameOf(cls);
  const record = readFlow(cls);
  if (!record)
    throw new BatutaError('FLOW_NOT_FOUND', `${className} is no flow: put @Flow() on the class.`, { details: { class: className } });
  const flow = declaredFlow(cls, record);
  const { spread: _, ...declared } = flow;
  const run = methodOf(cls, 'run');
  const found = recordsOf(cls);
  const plan = readPlan(cls);
  const tasks = checkSlots(
    flow,
    className,
    planned(plan, withRollback(cls, found, run ? codeTasks(cls, flow, found) : graphTasks(cls, flow, found))),
  );
  if (tasks.size === 0 && !run) throw refuse('FLOW_EMPTY', className, ' has neither a method with @Task() nor a method run(); add one.');
  if (declared.result !== null) checkResult(cls, declared.result, tasks, run !== undefined);
  if (record.options.name === undefined) warnOfShortName(className, declared.name);
  const graph = plan?.graph ?? graphOf(cls, tasks);
  const streaming = planStreams(className, tasks, graph, declared.result, (name) => found.get(name)?.record.options);
  const origin = readOrigin(cls);
  const file = origin?.file ?? record.file;
  return {
    ...declared,
    className,
    version: declared.version ?? versionOf(cls, plan),
    kind: run ? 'code' : 'graph',
    ...streaming,
    isPlanned: plan !== undefined,
    graph,
    hooks: hooksOf(cls, tasks),
    source: file === null ? null : { file, exportName: origin?.exportName ?? cls.name },
    ...(origin === undefined ? {} : { bundle: { module: origin.module, version: origin.version } }),
    injects: injectsOf(cls),
    // A container does not know classes made by us.
    create: (instantiate = null) => createInstance(cls, plan ? null : instantiate),
    run: run ? (run as FlowDefinition['run']) : null,
  };
}

function planned(plan: FlowPlan | undefined, tasks: Map<string, TaskDefinition>): Map<string, TaskDefinition> {
  for (const [name, known] of plan?.tasks ?? []) {
    const task = tasks.get(name);
    if (task) tasks.set(name, { ...task, ...known });
  }
  return tasks;
}

/** @throws BatutaError RESOURCE_DUPLICATE for two resources of one name */
function injectsOf(cls: AnyClass): readonly Injection[] {
  const injects = readInjects(cls);
  for (const [at, { resource, field }] of injects.entries()) {
    const other = injects.slice(0, at).find((earlier) => earlier.resource.name === resource.name && earlier.resource !== resource);
    if (other)
      throw refuse(
        'RESOURCE_DUPLICATE',
        `${classNameOf(cls)}.${field}`,
        ` and ${other.field} hold two resources named '${resource.name}'; rename one.`,
      );
  }
  return injects;
}

function graphOf(cls: AnyClass, tasks: ReadonlyMap<string, TaskDefinition>): Graph {
  const built = buildGraph(tasks.values());
  if ('graph' in built) return built.graph;
  throw graphError(cls, tasks, built.fault);
}

function graphError(cls: AnyClass, tasks: ReadonlyMap<string, TaskDefinition>, fault: GraphFault): BatutaError {
  const className = classNameOf(cls);
  if (fault.kind === 'cycle') {
    const path = fault.path.join(' → ');
    return new BatutaError(
      'GRAPH_CYCLE',
      `The tasks of ${className} wait for each other in a circle: ${path}. Take one of these needs away.`,
      { details: { class: className, path: fault.path } },
    );
  }
  const verb = { needs: 'needs', after: 'comes after', each: 'runs for each item of' }[fault.option];
  return refuse('NEED_UNKNOWN', `${className}.${fault.task}`, ` ${verb} '${fault.need}', ${noTask(cls, tasks, fault.need)}`);
}

function noTask(cls: AnyClass, tasks: ReadonlyMap<string, TaskDefinition>, name: string): string {
  if (methodOf(cls, name)) return `which is a method without @Task(); put @Task() on ${classNameOf(cls)}.${name}.`;
  return `which is no task of ${classNameOf(cls)}.${hintFor(name, [...tasks.keys()], 'The tasks are')}`;
}

function checkResult(cls: AnyClass, result: string, tasks: ReadonlyMap<string, TaskDefinition>, code: boolean): void {
  const className = classNameOf(cls);
  if (code)
    throw refuse(
      'OPTION_INVALID',
      className,
      `: 'result' has no effect in a class with run(), whose return value is the flow's; leave it out.`,
    );
  const task = tasks.get(result);
  if (!task) throw refuse('NEED_UNKNOWN', className, ` returns the result of '${result}', ${noTask(cls, tasks, result)}`);
  // The type of a static result is the method's, and does not show that there is a list of it.
  if (task.each !== null && 'result' in cls)
    throw refuse(
      'OPTION_INVALID',
      className,
      `: static result names '${result}', which runs once for each item; name a task that needs it, or use the option result of @Flow.`,
    );
}

function hooksOf(cls: AnyClass, tasks: ReadonlyMap<string, TaskDefinition>): HookDefinition[] {
  const hooks = new Map<string, HookDefinition>();
  for (const at of lineage(cls)) {
    for (const { event, name } of readOwnHooks(at)) {
      const method = methodOf(cls, name);
      if (tasks.has(name) || name === 'run')
        throw refuse(
          'DECORATOR_MISPLACED',
          `${classNameOf(at)}.${name}`,
          ` is a ${name === 'run' ? 'flow body' : 'task'} and a hook; make the hook a separate method.`,
        );
      if (method) hooks.set(`${event} ${name}`, { event, name, method });
    }
  }
  return [...hooks.values()];
}
