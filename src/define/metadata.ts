/**
 * What decorators leave on a class. The only file that writes and reads it.
 *
 * Legacy decorators (`experimentalDecorators`) keep it with reflect-metadata, on the prototype for methods and on the class for
 * `@Flow`. Standard decorators keep it in the metadata object that the language hangs on the class as `Symbol.metadata`. All keys
 * are `Symbol.for`, so that two copies of the library in one process read what the other wrote.
 */
import 'reflect-metadata/lite';
import { BatutaError } from '../base/errors.ts';
import type { HookEvent } from '../model/flow.ts';
import type { Graph } from '../model/graph.ts';
import type { Injection } from '../model/resource.ts';
import type { TaskDefinition } from '../model/task.ts';

/** A method as decorators see it. */
export type Method = (this: object, ...args: unknown[]) => unknown;

/** What `@Task` leaves: options as they were written, checked later where the name of the class is known. */
export interface TaskRecord {
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** The method without the wrapper. */
  readonly method: Method;
}

/** What `@On` leaves. */
export interface HookRecord {
  readonly name: string;
  readonly event: HookEvent;
}

/** What `@Flow` leaves. */
export interface FlowRecord {
  readonly options: Readonly<Record<string, unknown>>;
  /** Absolute path of the file that declares the class, as far as the stack tells. */
  readonly file: string | null;
}

/** What a loader knows better than the class itself. */
export interface FlowOrigin {
  /** Absolute path of the user's file. */
  readonly file: string;
  readonly exportName: string;
  /** Hash of all the code that the file brings in. */
  readonly version: string;
  /** Absolute path of that code, as one module. */
  readonly module: string;
}

/** What is known of a code flow before it runs, whose body calls each of its tasks in an order that is fixed; left by `makeFlow`. */
export interface FlowPlan {
  /** Its tasks in running order, what follows what, and the tasks that nothing follows. */
  readonly graph: Graph;
  /** What is known of single tasks: the list a task runs once per item of, in words, and the condition it is asked. */
  readonly tasks: ReadonlyMap<string, Partial<Pick<TaskDefinition, 'each' | 'when'>>>;
  /** What decides about it beside the code of its file, such as the text of another: its version is a hash of both. Null: nothing does. */
  readonly text: string | null;
  /** Source text of what it calls, for a version where the code of its file is not known. */
  code(): string;
}

/** Any class; `prototype` is what methods hang on. */
export type AnyClass = (abstract new (...args: never[]) => object) & { readonly prototype: object };

/** Where records of one class are kept: the standard metadata object, or the prototype in legacy mode. */
export type Holder = { readonly metadata: object } | { readonly prototype: object };

const tasksKey = Symbol.for('batuta.tasks');
const hooksKey = Symbol.for('batuta.hooks');
const injectsKey = Symbol.for('batuta.injects');
const flowKey = Symbol.for('batuta.flow');
const originKey = Symbol.for('batuta.origin');
/** Of a class that came with the code of a file, whether that exports it or not. */
const loadedKey = Symbol.for('batuta.loadedVersion');
const planKey = Symbol.for('batuta.plan');
const bareKey = Symbol.for('batuta.bare');

// esbuild falls back to Symbol.for('Symbol.metadata') and tsc to nothing at all, so the symbol must exist before a user's class does.
const symbols = Symbol as { metadata?: symbol };
symbols.metadata ??= Symbol.for('Symbol.metadata');

/** Standard decorator context, or undefined for a legacy call. */
export function standardContext(second: unknown): DecoratorContext | undefined {
  return typeof second === 'object' && second !== null && 'kind' in second && 'name' in second ? (second as DecoratorContext) : undefined;
}

/** Where a standard decorator keeps its records. @throws BatutaError DECORATOR_MISPLACED when the compiler gives no metadata. */
export function standardHolder(context: DecoratorContext): Holder {
  if (typeof context.metadata === 'object' && context.metadata !== null) return { metadata: context.metadata };
  throw new BatutaError(
    'DECORATOR_MISPLACED',
    `The compiler of this file gives decorators no metadata ('${String(context.name)}'). Use TypeScript 5.2 or later, or set "experimentalDecorators": true.`,
  );
}

/** Keeps the record of a task; false when the method has one already. */
export function writeTask(holder: Holder, record: TaskRecord): boolean {
  const tasks = ownOrNew(holder, tasksKey, () => new Map<string, TaskRecord>());
  if (tasks.has(record.name)) return false;
  tasks.set(record.name, record);
  return true;
}

/** Keeps the record of a hook; false when the method listens to that event already. */
export function writeHook(holder: Holder, record: HookRecord): boolean {
  const hooks = ownOrNew(holder, hooksKey, () => new Map<string, HookRecord>());
  const key = `${record.event} ${record.name}`;
  if (hooks.has(key)) return false;
  hooks.set(key, record);
  return true;
}

/** Keeps the resource of a field; false when the field has one already. */
export function writeInject(holder: Holder, injection: Injection): boolean {
  const injects = ownOrNew(holder, injectsKey, () => new Map<string, Injection>());
  if (injects.has(injection.field)) return false;
  injects.set(injection.field, injection);
  return true;
}

/** Fields of a class and its bases that hold resources, those of bases first; of a name the one that stands nearest. */
export function readInjects(cls: AnyClass): readonly Injection[] {
  const found = new Map<string, Injection>();
  for (const at of lineage(cls))
    for (const injection of readOwn<Map<string, Injection>>(at, at.prototype, injectsKey)?.values() ?? [])
      found.set(injection.field, injection);
  return [...found.values()];
}

/** Tasks decorated in this very class (not its bases), in the order of the file. */
export function readOwnTasks(cls: AnyClass): ReadonlyMap<string, TaskRecord> {
  return readOwn<Map<string, TaskRecord>>(cls, cls.prototype, tasksKey) ?? new Map();
}

/** The same while the class is still being decorated: standard decorators hang the metadata on it only afterwards. */
export function readTasksSoFar(cls: AnyClass, context: DecoratorContext | undefined): ReadonlyMap<string, TaskRecord> {
  if (!context) return readOwnTasks(cls);
  return (readOwnOf(standardHolder(context), tasksKey) as Map<string, TaskRecord> | undefined) ?? new Map();
}

/** Hooks decorated in this very class (not its bases), in the order of the file. */
export function readOwnHooks(cls: AnyClass): readonly HookRecord[] {
  return [...(readOwn<Map<string, HookRecord>>(cls, cls.prototype, hooksKey)?.values() ?? [])];
}

/** Keeps what `@Flow` was given; false when the class has it already. */
export function writeFlow(cls: AnyClass, context: DecoratorContext | undefined, record: FlowRecord): boolean {
  const holder = context ? standardHolder(context) : { prototype: cls };
  if (readOwnOf(holder, flowKey) !== undefined) return false;
  ownOrNew(holder, flowKey, () => record);
  return true;
}

/** What `@Flow` was given on this very class, or undefined. */
export function readFlow(cls: AnyClass): FlowRecord | undefined {
  return readOwn<FlowRecord>(cls, cls, flowKey);
}

/** Notes the plan of a flow that was made without decorators. */
export function writePlan(cls: AnyClass, plan: FlowPlan): void {
  Reflect.defineMetadata(planKey, plan, cls);
}

/** The plan of a flow that was made without decorators, or undefined. */
export function readPlan(cls: AnyClass): FlowPlan | undefined {
  return Reflect.getOwnMetadata(planKey, cls) as FlowPlan | undefined;
}

/** Notes where a class was loaded from; a later note replaces it. */
export function writeOrigin(cls: AnyClass, origin: FlowOrigin): void {
  Reflect.defineMetadata(originKey, origin, cls);
}

/** Notes the version of the code with which a class came that was defined while that was loaded. */
export function writeLoadedVersion(cls: AnyClass, version: string): void {
  Reflect.defineMetadata(loadedKey, version, cls);
}

/** That version, or undefined when the class came with no file that was loaded. */
export function readLoadedVersion(cls: AnyClass): string | undefined {
  return Reflect.getOwnMetadata(loadedKey, cls) as string | undefined;
}

/** Where the class was loaded from, or undefined when no loader brought it in. */
export function readOrigin(cls: AnyClass): FlowOrigin | undefined {
  return Reflect.getOwnMetadata(originKey, cls) as FlowOrigin | undefined;
}

/** Marks `wrapper` as standing for `bare`. */
export function writeBare(wrapper: Method, bare: Method): void {
  Object.defineProperty(wrapper, bareKey, { value: bare });
}

/** The method that a wrapper stands for, or undefined when the function is no wrapper. */
export function readBare(method: unknown): Method | undefined {
  return typeof method === 'function' && Object.hasOwn(method, bareKey) ? (method as { [bareKey]?: Method })[bareKey] : undefined;
}

/** A class and its bases, the eldest first. */
export function lineage(cls: AnyClass): AnyClass[] {
  const classes: AnyClass[] = [];
  for (let at: unknown = cls; typeof at === 'function' && at !== Function.prototype; at = Object.getPrototypeOf(at))
    classes.unshift(at as unknown as AnyClass);
  return classes;
}

function readOwn<T>(cls: AnyClass, legacyTarget: object, key: symbol): T | undefined {
  const metadataKey = symbols.metadata as symbol;
  const metadata: unknown = Object.hasOwn(cls, metadataKey) ? (cls as unknown as Record<symbol, unknown>)[metadataKey] : undefined;
  const standard = typeof metadata === 'object' && metadata !== null ? readOwnOf({ metadata }, key) : undefined;
  return (standard ?? readOwnOf({ prototype: legacyTarget }, key)) as T | undefined;
}

function readOwnOf(holder: Holder, key: symbol): unknown {
  if ('prototype' in holder) return Reflect.getOwnMetadata(key, holder.prototype);
  return Object.hasOwn(holder.metadata, key) ? (holder.metadata as Record<symbol, unknown>)[key] : undefined;
}

function ownOrNew<T>(holder: Holder, key: symbol, make: () => T): T {
  const present = readOwnOf(holder, key);
  if (present !== undefined) return present as T;
  const made = make();
  if ('prototype' in holder) Reflect.defineMetadata(key, made, holder.prototype);
  else Object.defineProperty(holder.metadata, key, { value: made });
  return made;
}
