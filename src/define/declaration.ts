/** Declarations of one class and one method: options checked and turned into datawithout the graph. */
import type { FlowDefinition } from '../model/flow.ts';
import { checkFairness } from '../model/fairness.ts';
import { checkRate } from '../model/rate.ts';
import { isResource } from '../model/resource.ts';
import { type TaskDefinition, triggers } from '../model/task.ts';
import { boundsOf } from './bounds-option.ts';
import { cachePolicyOf } from './cache-option.ts';
import { emitsOf, schemaOf } from './declared-schemas.ts';
import { maxErrorRateOf } from './streams.ts';
import type { AnyClass, FlowRecord, TaskRecord } from './metadata.ts';
import { type Middleware, noMiddleware } from '../model/middleware.ts';
import { checkName } from '../model/names.ts';
import { kebabCase } from './names.ts';
import * as check from './options.ts';
import { slotsOf } from './slots-option.ts';

/** What `@Flow` alone determines. `version` is null if the code's hash is to be used. */
export type FlowDeclaration = Pick<
  FlowDefinition,
  | 'name'
  | 'description'
  | 'tags'
  | 'isPinned'
  | 'params'
  | 'emits'
  | 'runName'
  | 'retry'
  | 'middleware'
  | 'timeoutMs'
  | 'maxParallelTasks'
  | 'runConcurrency'
  | 'rateLimit'
  | 'slots'
  | 'fairness'
  | 'result'
> & {
  /** Default of `spread` for its tasks. */
  readonly spread: boolean;
  readonly version: string | null;
};

/** What happens to a run whose flow has changed when another process continues it. */
const versionings = ['continue', 'pin'] as const;

const flowOptionNames: readonly string[] = [
  ...[
    'name',
    'version',
    'versioning',
    'description',
    'tags',
    'params',
    'runName',
    'timeout',
    'maxParallelTasks',
    'concurrency',
    'rateLimit',
    'slots',
    'fairness',
    'result',
    'spread',
    'middleware',
  ],
  ...check.retryOptions,
];
const taskOptionNames: readonly string[] = [
  ...[
    'needs',
    'after',
    'each',
    'eachLimit',
    'when',
    'trigger',
    'timeout',
    'tags',
    'priority',
    'slots',
    'isolate',
    'memory',
    'profile',
    'spread',
    'queue',
    'persist',
    'cache',
    'rollback',
    'middleware',
    'buffer',
    'maxErrorRate',
  ],
  ...['version', 'description', 'runName', 'transaction'],
  ...check.retryOptions,
];
/** Node.js itself needs about this. */
const minMemoryBytes = 64 * 1024 * 1024;

const wiringOptionNames = ['needs', 'after', 'each', 'eachLimit', 'when', 'trigger', 'buffer', 'maxErrorRate'] as const;

/** A task record's methods are read once; the record serves every class that inherits it. */
const readTasks = new WeakMap<TaskRecord, TaskDefinition>();

/**
 * Checks the decorators of this class only, so that a bad option is refused at the class definition.
 *
 * @throws BatutaError DECORATOR_MISPLACED, OPTION_UNKNOWN, OPTION_INVALID, DURATION_INVALID, NAME_INVALID
 */
export function checkDeclaration(cls: AnyClass, record: FlowRecord, tasks: Iterable<TaskRecord>): void {
  declaredFlow(cls, record);
  for (const task of tasks) declaredTask(classNameOf(cls), task);
}

/** Name of a class for messages. */
export function classNameOf(cls: AnyClass): string {
  return cls.name || '(anonymous class)';
}

/** The checked options of `@Flow`. @throws as `checkDeclaration` does */
export function declaredFlow(cls: AnyClass, { options }: FlowRecord): FlowDeclaration {
  const place = classNameOf(cls);
  const read = new check.OptionReader(place, options);
  check.checkOptionNames(place, options, flowOptionNames);
  return {
    name: flowName(cls, options),
    version: read.text('version') ?? null,
    description: read.text('description') ?? null,
    tags: read.texts('tags'),
    ...(read.oneOf('versioning', versionings) === 'pin' ? { isPinned: true } : {}),
    params: schemaOf(place, ...saidOnce(cls, options, 'params')),
    emits: emitsOf(place, (cls as unknown as { readonly emits?: unknown }).emits),
    runName: read.runName<(params: unknown) => string>() ?? null,
    retry: read.retryPolicy(),
    timeoutMs: read.positiveMs('timeout') ?? null,
    ...boundsOf(read, options),
    ...(options.rateLimit === undefined ? {} : { rateLimit: checkRate(place, options.rateLimit, { keyByFunction: true }) }),
    slots: slotsOf(read),
    fairness: options.fairness === undefined ? null : checkFairness(place, options.fairness),
    result: resultOf(place, ...saidOnce(cls, options, 'result')),
    spread: read.flag('spread') ?? false,
    middleware: middlewareOf(read),
  };
}

/**
 * The checked options of `@Task`. Names of other tasks are not resolved yet.
 *
 * @param className class that declares the method, for messages
 * @throws as `checkDeclaration` does
 */
export function declaredTask(className: string, record: TaskRecord): TaskDefinition {
  const known = readTasks.get(record);
  if (known) return known;
  const { name, options } = record;
  const place = `${className}.${name}`;
  const read = new check.OptionReader(place, options);
  checkName(`${className}: the task`, name);
  check.checkOptionNames(place, options, taskOptionNames);
  if (options.eachLimit !== undefined && options.each === undefined)
    throw check.refuse('OPTION_INVALID', place, `: eachLimit has no effect without each; add each or leave it out.`);
  const definition: TaskDefinition = {
    name,
    description: read.text('description') ?? null,
    version: read.text('version') ?? null,
    tags: read.texts('tags'),
    ...wiringOf(read),
    eachLimit: read.whole('eachLimit', 1) ?? null,
    when: read.callable<NonNullable<TaskDefinition['when']>>('when') ?? null,
    trigger: read.oneOf('trigger', triggers) ?? 'allSucceeded',
    retry: read.retryPolicy(),
    timeoutMs: read.positiveMs('timeout') ?? null,
    priority: read.number('priority') ?? 0,
    slots: slotsOf(read),
    ...isolationOf(read),
    profile: read.flag('profile') ?? false,
    ...spreadOf(read),
    persist: read.flag('persist') ?? true,
    cache: cachePolicyOf(read),
    // Resolved where the class's other methods are known.
    rollback: null,
    middleware: middlewareOf(read),
    transaction: transactionOf(read),
    buffer: read.whole('buffer', 1) ?? null,
    maxErrorRate: maxErrorRateOf(read),
    runName: read.runName<(args: readonly unknown[]) => string>() ?? null,
    method: record.method,
  };
  readTasks.set(record, definition);
  return definition;
}

function isolationOf(read: check.OptionReader): Pick<TaskDefinition, 'isolate' | 'memoryBytes'> {
  const isolate = read.oneOf('isolate', ['thread', 'process'] as const) ?? null;
  const memoryBytes = read.bytes('memory', minMemoryBytes) ?? null;
  if (memoryBytes !== null && isolate === null)
    throw check.refuse(
      'OPTION_INVALID',
      read.place,
      ": memory has no effect without isolate: 'thread' or 'process'; add it or leave memory out.",
    );
  return { isolate, memoryBytes };
}

/** The task in its flow: by default spread like the flow, if its result can be transferred. */
export function spreadAs(flow: FlowDeclaration, task: TaskDefinition, { options }: TaskRecord): TaskDefinition {
  return flow.spread && options.spread === undefined && task.persist ? { ...task, spread: true } : task;
}

/** The first option of a task allowed only in a class without `run()`, or undefined. */
export function wiringOptionOf(record: TaskRecord): string | undefined {
  return wiringOptionNames.find((name) => record.options[name] !== undefined);
}

function spreadOf(read: check.OptionReader): Pick<TaskDefinition, 'spread' | 'queue'> {
  const { place } = read;
  const queue = read.queue() ?? null;
  const spread = read.flag('spread');
  if (queue !== null && spread === false)
    throw check.refuse('OPTION_INVALID', place, `: queue has no effect with spread: false; leave one of them out.`);
  const isSpread = spread ?? queue !== null;
  if (isSpread && read.raw.persist === false) {
    const option = queue === null ? 'spread' : 'queue';
    throw check.refuse('OPTION_INVALID', place, `: persist: false does not go with ${option}, for the result has to travel.`);
  }
  return { spread: isSpread, queue };
}

function transactionOf(read: check.OptionReader): TaskDefinition['transaction'] {
  const { transaction, persist, cache } = read.raw;
  if (transaction === undefined) return null;
  if (!isResource(transaction)) throw read.invalid('transaction', "a resource of a database, such as postgres('warehouse', { url })");
  if (persist === false)
    throw check.refuse(
      'OPTION_INVALID',
      read.place,
      ': persist: false does not go with transaction, which records the result with its effect.',
    );
  if (cache !== undefined)
    throw check.refuse(
      'OPTION_INVALID',
      read.place,
      ': cache does not go with transaction: a cached result has no effect in the database.',
    );
  return transaction;
}

function flowName(cls: AnyClass, options: check.RawOptions): string {
  if (options.name !== undefined) {
    if (typeof options.name !== 'string') throw check.invalid(classNameOf(cls), 'name', options.name, 'text');
    checkName(`${classNameOf(cls)}: the flow's name`, options.name);
    return options.name;
  }
  const name = kebabCase(cls.name);
  // `export default class {}` is called "default" by the language and "" or "…_default" by compilers.
  if (name === '' || /(^|-)default$/.test(name))
    throw check.refuse('NAME_INVALID', 'A class without a name', " needs @Flow({ name: '…' }).");
  checkName(`${classNameOf(cls)}: the flow's name`, name);
  return name;
}

function wiringOf(read: check.OptionReader): Pick<TaskDefinition, 'needs' | 'after' | 'each'> {
  const [needs, after, each] = [read.texts('needs'), read.texts('after'), read.text('each') ?? null];
  const refuse = (message: string): never => {
    throw check.refuse('OPTION_INVALID', read.place, message);
  };
  const [inNeeds, inAfter] = [new Set(needs), new Set(after)];
  if (inNeeds.size < needs.length) refuse(` needs '${firstRepeated(needs)}' twice; name it once.`);
  if (inAfter.size < after.length) refuse(` comes after '${firstRepeated(after)}' twice; name it once.`);
  const both = after.find((name) => name === each || inNeeds.has(name));
  const other = both === each ? 'each' : 'needs';
  if (both !== undefined) refuse(`: '${both}' is in ${other} and in after; ${other} alone is enough.`);
  return { needs, after, each };
}

function firstRepeated(names: readonly string[]): string | undefined {
  return names.find((name, at) => names.indexOf(name) < at);
}

/** What the class declares by a static member, own or inherited, or else by an option: its name in messages, and its value. */
function saidOnce(cls: AnyClass, options: check.RawOptions, name: 'params' | 'result'): [string, unknown] {
  const member = (cls as unknown as Readonly<Record<string, unknown>>)[name];
  if (member === undefined) return [name, options[name]];
  if (options[name] !== undefined)
    throw check.refuse('OPTION_INVALID', classNameOf(cls), `: ${name} is given as an option and as a static member; keep the static one.`);
  return [`static ${name}`, member];
}

function resultOf(place: string, name: string, value: unknown): string | null {
  return new check.OptionReader(place, { [name]: value }).text(name) ?? null;
}

/** The option `middleware`: a list, outermost first; the one empty list by default. @throws BatutaError OPTION_INVALID */
function middlewareOf(read: check.OptionReader): readonly Middleware[] {
  const given = read.raw['middleware'];
  if (given === undefined) return noMiddleware;
  if (!Array.isArray(given) || !given.every((one) => typeof one === 'function'))
    throw read.invalid('middleware', 'a list of functions (ctx, next) => …');
  return given.length === 0 ? noMiddleware : Object.freeze([...(given as Middleware[])]);
}
