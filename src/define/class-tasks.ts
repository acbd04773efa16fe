/** The tasks of a class and its bases: their records, and what they make of them in a graph and in a code flow. */
import { classNameOf, declaredTask, type FlowDeclaration, spreadAs, wiringOptionOf } from './declaration.ts';
import { type AnyClass, lineage, type Method, readBare, readOwnTasks, type TaskRecord } from './metadata.ts';
import { refuse } from './options.ts';
import { rollbackOf, undoNames } from './rollback.ts';
import { wrap } from './task.ts';
import type { TaskDefinition } from '../model/task.ts';

/** A task of a static graph is the method as found on the class, including other decorators. */
export function graphTasks(cls: AnyClass, flow: FlowDeclaration, found: ReadonlyMap<string, Found>): Map<string, TaskDefinition> {
  const tasks = new Map<string, TaskDefinition>();
  const undoing = undoNames(found.values());
  for (const [name, { declaredBy, record }] of found) {
    // It is executed only when its run has ended badly.
    if (undoing.has(name)) continue;
    const method = methodOf(cls, name) ?? record.method;
    tasks.set(name, { ...spreadAs(flow, declaredTask(classNameOf(declaredBy), record), record), method: readBare(method) ?? method });
  }
  return tasks;
}

/**
 * A task of a code flow is the method inside the wrapper: other decorators run around the call in `run`.
 *
 * An override without `@Task()` keeps the base's options, and is wrapped here so that calls of it become task runs too.
 */
export function codeTasks(cls: AnyClass, flow: FlowDeclaration, found: ReadonlyMap<string, Found>): Map<string, TaskDefinition> {
  const tasks = new Map<string, TaskDefinition>();
  for (const [name, { declaredBy, record, overriddenBy }] of found) {
    const className = classNameOf(declaredBy);
    const option = wiringOptionOf(record);
    if (name === 'run')
      throw refuse(
        'DECORATOR_MISPLACED',
        `${className}.run`,
        ' is the body of the flow and no task; take @Task() away or name the method differently.',
      );
    if (option !== undefined) {
      throw refuse(
        'OPTION_INVALID',
        `${className}.${name}`,
        `: '${option}' has no effect in a class with run(), where the calls in run() wire the tasks; leave it out or remove run().`,
      );
    }
    tasks.set(name, {
      ...spreadAs(flow, declaredTask(className, record), record),
      method: overriddenBy ? wrapOverride(overriddenBy, name) : record.method,
    });
  }
  return tasks;
}

/** The same tasks, each with its undo. */
export function withRollback(
  cls: AnyClass,
  found: ReadonlyMap<string, Found>,
  tasks: Map<string, TaskDefinition>,
): Map<string, TaskDefinition> {
  for (const [name, task] of tasks) {
    const declared = found.get(name);
    const rollback = declared?.record.options.rollback === undefined ? null : rollbackOf(declared, found, methodsOf(cls));
    if (rollback !== null) tasks.set(name, { ...task, rollback });
  }
  return tasks;
}

/** A task's record, and where it is from. */
export interface Found {
  readonly record: TaskRecord;
  readonly declaredBy: AnyClass;
  /** Class that overrides the method without decorating it, if any. */
  readonly overriddenBy: AnyClass | undefined;
}

/** The records of a class and its bases by name, in file order, those of bases first; of an overridden task the last one. */
export function recordsOf(cls: AnyClass): Map<string, Found> {
  const found = new Map<string, Found>();
  for (const at of lineage(cls)) {
    const own = readOwnTasks(at);
    for (const [name, earlier] of found) {
      if (!own.has(name) && Object.hasOwn(at.prototype, name)) found.set(name, { ...earlier, overriddenBy: at });
    }
    for (const record of own.values()) found.set(record.name, { record, declaredBy: at, overriddenBy: undefined });
  }
  return found;
}

function wrapOverride(cls: AnyClass, name: string): Method {
  const property = Object.getOwnPropertyDescriptor(cls.prototype, name);
  const written: unknown = property?.value;
  if (typeof written !== 'function')
    throw refuse('DECORATOR_MISPLACED', `${classNameOf(cls)}.${name}`, ' overrides a task of its base with something that is no method.');
  const bare = readBare(written);
  if (bare) return bare;
  Object.defineProperty(cls.prototype, name, { ...property, value: wrap(name, written as Method) });
  return written as Method;
}

function methodsOf(cls: AnyClass): Map<string, Method> {
  const names = lineage(cls).flatMap((at) => Object.getOwnPropertyNames(at.prototype));
  return new Map(
    names.flatMap((name) => [[name, methodOf(cls, name)] as const]).filter((pair): pair is [string, Method] => pair[1] !== undefined),
  );
}

/** The method instances have under this name; does not run getters. */
export function methodOf(cls: AnyClass, name: string): Method | undefined {
  if (name === 'constructor') return undefined;
  for (let at: object | null = cls.prototype; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at) as object | null) {
    const property = Object.getOwnPropertyDescriptor(at, name);
    if (property) return typeof property.value === 'function' ? (property.value as Method) : undefined;
  }
  return undefined;
}
