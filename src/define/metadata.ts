/**
 * What decorators store on a class. The only file that writes and reads it.
 *
 * Legacy decorators (`experimentalDecorators`) use reflect-metadata, on the prototype for methods and on the class for `@Flow`. Standard
 * decorators use the metadata object that the language attaches to the class as `Symbol.metadata`. All keys are `Symbol.for`, so that two
 * copies of the library in one process can read each other's records.
 */
import 'reflect-metadata/lite';
import { BatutaError } from '../base/errors.ts';
import type { HookEvent } from '../model/flow.ts';
import type { Graph } from '../model/graph.ts';
import type { Injection } from '../model/resource.ts';
import type { TaskDefinition } from '../model/task.ts';

/** A method as decorators see it. */
export type Method = (this: object, ...args: unknown[]) => unknown;

/** Record of `@Task`: options as written, checked later when the class name is known. */
export interface TaskRecord {
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
  /** The method without the wrapper. */
  readonly method: Method;
}

/** Record of `@On`. */
export interface HookRecord {
  readonly name: string;
  readonly event: HookEvent;
}

/** Record of `@Flow`. */
export interface FlowRecord {
  readonly options: Readonly<Record<string, unknown>>;
  /** Absolute path of the file that declares the class, if the stack shows it. */
  readonly file: string | null;
}

/** What a loader knows better than the class. */
export interface FlowOrigin {
  /** Absolute path of the user's file. */
  readonly file: string;
  readonly exportName: string;
  /** Hash of all code the file brings in. */
  readonly version: string;
  /** Absolute path of that code, as one module. */
  readonly module: string;
}

/** What is known in advance of a code flow whose body calls each task in a fixed order; stored by `makeFlow`. */
export interface FlowPlan {
  /** Its tasks in running order, what follows what, and the last tasks. */
  readonly graph: Graph;
  /** Facts about single tasks: the list a task runs over, in words, and its condition. */
  readonly tasks: ReadonlyMap<string, Partial<Pick<TaskDefinition, 'each' | 'when'>>>;
  /** What determines it besides the code of its file, such as another file's text: its version is a hash of both. Null: nothing. */
  readonly text: string | null;
  /** Source text of what it calls, for a version if the code of its file is unknown. */
  code(): string;
}

/** Any class; methods are on `prototype`. */
export type AnyClass = (abstract new (...args: never[]) => object) & { readonly prototype: object };

/** Where records of a class are: the standard metadata object, or the prototype in legacy mode. */
export type Holder = { readonly metadata: object } | { readonly prototype: object };

const tasksKey = Symbol.for('batuta.tasks');
const hooksKey = Symbol.for('batuta.hooks');
const injectsKey = Symbol.for('batuta.injects');
const flowKey = Symbol.for('batuta.flow');
const originKey = Symbol.for('batuta.origin');
/** Of a class loaded with a file's code, exported or not. */
const loadedKey = Symbol.for('batuta.loadedVersion');
const planKey = Symbol.for('batuta.plan');
const bareKey = Symbol.for('batuta.bare');

// esbuild falls back to Symbol.for('Symbol.metadata') and tsc to nothing, so the symbol must exist before a user's class does.
const symbols = Symbol as { metadata?: symbol };
symbols.metadata ??= Symbol.for('Symbol.metadata');

/** Standard decorator context, or undefined for a legacy call. */
export function standardContext(second: unknown): DecoratorContext | undefined {
  return typeof second === 'object' && second !== null && 'kind' in second && 'name' in second ? (second as DecoratorContext) : undefined;
}

/** Where a standard decorator keeps its records. @throws BatutaError DECORATOR_MISPLACED if the compiler provides no metadata */
export function standardHolder(context: DecoratorContext): Holder {
  if (typeof context.metadata === 'object' && context.metadata !== null) return { metadata: context.metadata };
  throw new BatutaError(
    'DECORATOR_MISPLACED',
    `The compiler of this file provides no metadata to decorators ('${String(context.name)}'). Use TypeScript 5.2 or later, or set "experimentalDecorators": true.`,
  );
}

/** Stores the record of a task; false if the method has one. */
export function writeTask(holder: Holder, record: TaskRecord): boolean {
  const tasks = ownOrNew(holder, tasksKey, () => new Map<string, TaskRecord>());
  if (tasks.has(record.name)) return false;
  tasks.set(record.name, record);
  return true;
}

/** Stores the record of a hook; false if the method already listens to that event. */
export function writeHook(holder: Holder, record: HookRecord): boolean {
  const hooks = ownOrNew(holder, hooksKey, () => new Map<string, HookRecord>());
  const key = `${record.event} ${record.name}`;
  if (hooks.has(key)) return false;
  hooks.set(key, record);
  return true;
}

/** Stores the resource of a field; false if the field has one. */
export function writeInject(holder: Holder, injection: Injection): boolean {
  const injects = ownOrNew(holder, injectsKey, () => new Map<string, Injection>());
  if (injects.has(injection.field)) return false;
  injects.set(injection.field, injection);
  return true;
}

/** Fields of a class and its bases that hold resources, base fields first; for each name the most derived one. */
export function readInjects(cls: AnyClass): readonly Injection[] {
  const found = new Map<string, Injection>();
  for (const at of lineage(cls))
    for (const injection of readOwn<Map<string, Injection>>(at, at.prototype, injectsKey)?.values() ?? [])
      found.set(injection.field, injection);
  return [...found.values()];
}

/** Tasks decorated in this very class (not its bases), in file order. */
export function readOwnTasks(cls: AnyClass): ReadonlyMap<string, TaskRecord> {
  return readOwn<Map<string, TaskRecord>>(cls, cls.prototype, tasksKey) ?? new Map();
}

/** The same while the class is being decorated: standard decorators attach the metadata to it only afterwards. */
export function readTasksSoFar(cls: AnyClass, context: DecoratorContext | undefined): ReadonlyMap<string, TaskRecord> {
  if (!context) return readOwnTasks(cls);
  return (readOwnOf(standardHolder(context), tasksKey) as Map<string, TaskRecord> | undefined) ?? new Map();
}

/** Hooks decorated in this very class (not its bases), in file order. */
export function readOwnHooks(cls: AnyClass): readonly HookRecord[] {
  return [...(readOwn<Map<string, HookRecord>>(cls, cls.prototype, hooksKey)?.values() ?? [])];
}

/** Stores the options of `@Flow`; false if the class has some. */
export function writeFlow(cls: AnyClass, context: DecoratorContext | undefined, record: FlowRecord): boolean {
  const holder = context ? standardHolder(context) : { prototype: cls };
  if (readOwnOf(holder, flowKey) !== undefined) return false;
  ownOrNew(holder, flowKey, () => record);
  return true;
}

/** Options of `@Flow` on this very class, or undefined. */
export function readFlow(cls: AnyClass): FlowRecord | undefined {
  return readOwn<FlowRecord>(cls, cls, flowKey);
}

/** Stores the plan of a flow made without decorators. */
export function writePlan(cls: AnyClass, plan: FlowPlan): void {
  Reflect.defineMetadata(planKey, plan, cls);
}

/** The plan of a flow made without decorators, or undefined. */
export function readPlan(cls: AnyClass): FlowPlan | undefined {
  return Reflect.getOwnMetadata(planKey, cls) as FlowPlan | undefined;
}

/** Notes where a class was loaded from; a later note replaces it. */
export function writeOrigin(cls: AnyClass, origin: FlowOrigin): void {
  Reflect.defineMetadata(originKey, origin, cls);
}

/** Notes the code version for a class defined while that code was loaded. */
export function writeLoadedVersion(cls: AnyClass, version: string): void {
  Reflect.defineMetadata(loadedKey, version, cls);
}

/** That version, or undefined if the class came with no loaded file. */
export function readLoadedVersion(cls: AnyClass): string | undefined {
  return Reflect.getOwnMetadata(loadedKey, cls) as string | undefined;
}

/** Where the class was loaded from, or undefined if no loader did. */
export function readOrigin(cls: AnyClass): FlowOrigin | undefined {
  return Reflect.getOwnMetadata(originKey, cls) as FlowOrigin | undefined;
}

/** Marks `wrapper` as standing for `bare`. */
export function writeBare(wrapper: Method, bare: Method): void {
  Object.defineProperty(wrapper, bareKey, { value: bare });
}

/** The method a wrapper stands for, or undefined if the function is not one. */
export function readBare(method: unknown): Method | undefined {
  return typeof method === 'function' && Object.hasOwn(method, bareKey) ? (method as { [bareKey]?: Method })[bareKey] : undefined;
}

/** A class and its bases, base first. */
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
