/** What one class and one method declare: options checked and turned into data. Needs no look at the graph. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { FlowDefinition } from '../model/flow.ts';
import { type TaskDefinition, triggers } from '../model/task.ts';
import type { AnyClass, FlowRecord, TaskRecord } from './metadata.ts';
import { checkName, kebabCase } from './names.ts';
import { concurrencyOf } from './concurrency.ts';
import * as check from './options.ts';

/** What `@Flow` settles by itself. `version` is null when the code's hash is to be taken. */
export type FlowDeclaration = Pick<
  FlowDefinition,
  'name' | 'description' | 'tags' | 'params' | 'runName' | 'retry' | 'timeoutMs' | 'concurrency' | 'runConcurrency' | 'result'
> & {
  /** Whether its tasks are spread that do not say otherwise. */
  readonly spread: boolean;
  readonly version: string | null;
};

const flowOptionNames: readonly string[] = [
  ...['name', 'version', 'description', 'tags', 'params', 'runName', 'timeout', 'concurrency', 'result', 'spread'],
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
    'isolate',
    'spread',
    'queue',
    'persist',
    'version',
    'description',
    'runName',
  ],
  ...check.retryOptions,
];
const wiringOptionNames = ['needs', 'after', 'each', 'eachLimit', 'when', 'trigger'] as const;

/** The methods of a task record are read once; the same record serves every class that inherits it. */
const readTasks = new WeakMap<TaskRecord, TaskDefinition>();

/**
 * Checks what stands on this very class, so that a bad option is told where the class is defined.
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

/** The checked options of `@Flow`. @throws as `checkDeclaration` does. */
export function declaredFlow(cls: AnyClass, { options }: FlowRecord): FlowDeclaration {
  const place = classNameOf(cls);
  check.checkOptionNames(place, options, flowOptionNames);
  if (cls.length > 0) {
    throw check.refuse(
      'DECORATOR_MISPLACED',
      place,
      `: its constructor requires ${cls.length} argument(s); a flow is made with new ${place}(), so give them defaults.`,
    );
  }
  return {
    name: flowName(cls, options),
    version: check.text(place, 'version', options.version) ?? null,
    description: check.text(place, 'description', options.description) ?? null,
    tags: check.texts(place, 'tags', options.tags),
    params: schemaOf(place, ...saidOnce(cls, options, 'params')),
    runName: check.runNameOf<(params: unknown) => string>(place, options.runName) ?? null,
    retry: check.retryPolicyOf(place, options),
    timeoutMs: check.positiveDurationMs(place, 'timeout', options.timeout) ?? null,
    ...concurrencyOf(place, options.concurrency),
    result: check.text(place, ...saidOnce(cls, options, 'result')) ?? null,
    spread: check.flag(place, 'spread', options.spread) ?? false,
  };
}

/**
 * The checked options of `@Task`. Names of other tasks are not looked up yet.
 *
 * @param className of the class that declares the method, for messages.
 * @throws as `checkDeclaration` does.
 */
export function declaredTask(className: string, record: TaskRecord): TaskDefinition {
  const known = readTasks.get(record);
  if (known) return known;
  const { name, options } = record;
  const place = `${className}.${name}`;
  checkName(`${className}: the task`, name);
  check.checkOptionNames(place, options, taskOptionNames);
  if (options.eachLimit !== undefined && options.each === undefined)
    throw check.refuse('OPTION_INVALID', place, `: eachLimit says nothing without each; add each or leave it out.`);
  const definition: TaskDefinition = {
    name,
    description: check.text(place, 'description', options.description) ?? null,
    version: check.text(place, 'version', options.version) ?? null,
    tags: check.texts(place, 'tags', options.tags),
    ...wiringOf(place, options),
    eachLimit: check.wholeNumber(place, 'eachLimit', options.eachLimit, 1) ?? null,
    when: check.callable<NonNullable<TaskDefinition['when']>>(place, 'when', options.when) ?? null,
    trigger: check.oneOf(place, 'trigger', options.trigger, triggers) ?? 'allSucceeded',
    retry: check.retryPolicyOf(place, options),
    timeoutMs: check.positiveDurationMs(place, 'timeout', options.timeout) ?? null,
    priority: check.finiteNumber(place, 'priority', options.priority) ?? 0,
    isolate: check.oneOf(place, 'isolate', options.isolate, ['thread'] as const) ?? null,
    ...spreadOf(place, options),
    persist: check.flag(place, 'persist', options.persist) ?? true,
    runName: check.runNameOf<(args: readonly unknown[]) => string>(place, options.runName) ?? null,
    method: record.method,
  };
  readTasks.set(record, definition);
  return definition;
}

/** The task in its flow: spread as the flow is, where nothing else is said and its result can travel. */
export function spreadAs(flow: FlowDeclaration, task: TaskDefinition, { options }: TaskRecord): TaskDefinition {
  return flow.spread && options.spread === undefined && task.persist ? { ...task, spread: true } : task;
}

/** The first option of a task that only a class without `run()` may have, or undefined. */
export function wiringOptionOf(record: TaskRecord): string | undefined {
  return wiringOptionNames.find((name) => record.options[name] !== undefined);
}

function spreadOf(place: string, options: check.RawOptions): Pick<TaskDefinition, 'spread' | 'queue'> {
  const queue = check.queueName(place, options.queue) ?? null;
  const spread = check.flag(place, 'spread', options.spread);
  if (queue !== null && spread === false)
    throw check.refuse('OPTION_INVALID', place, `: queue says nothing with spread: false; leave one of them out.`);
  const isSpread = spread ?? queue !== null;
  if (isSpread && options.persist === false)
    throw check.refuse(
      'OPTION_INVALID',
      place,
      `: persist: false does not go with ${queue === null ? 'spread' : 'queue'}, for the result has to travel.`,
    );
  return { spread: isSpread, queue };
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

function wiringOf(place: string, options: check.RawOptions): Pick<TaskDefinition, 'needs' | 'after' | 'each'> {
  const needs = check.texts(place, 'needs', options.needs);
  const after = check.texts(place, 'after', options.after);
  const each = check.text(place, 'each', options.each) ?? null;
  const inNeeds = new Set<string>();
  for (const name of needs) {
    if (inNeeds.has(name)) throw check.refuse('OPTION_INVALID', place, ` needs '${name}' twice; name it once.`);
    inNeeds.add(name);
  }
  const inAfter = new Set<string>();
  for (const name of after) {
    if (inAfter.has(name)) throw check.refuse('OPTION_INVALID', place, ` comes after '${name}' twice; name it once.`);
    if (inNeeds.has(name) || name === each) {
      throw check.refuse(
        'OPTION_INVALID',
        place,
        `: '${name}' stands in ${name === each ? 'each' : 'needs'} and in after; ${name === each ? 'each' : 'needs'} alone is enough.`,
      );
    }
    inAfter.add(name);
  }
  return { needs, after, each };
}

/** What the class says by a static member, its own or inherited, or else by an option: how messages name it, and its value. */
function saidOnce(cls: AnyClass, options: check.RawOptions, name: 'params' | 'result'): [string, unknown] {
  const member = (cls as unknown as Readonly<Record<string, unknown>>)[name];
  if (member === undefined) return [name, options[name]];
  if (options[name] !== undefined)
    throw check.refuse('OPTION_INVALID', classNameOf(cls), `: ${name} is given as an option and as a static member; keep the static one.`);
  return [`static ${name}`, member];
}

function schemaOf(place: string, name: string, value: unknown): StandardSchemaV1 | null {
  if (value === undefined) return null;
  // arktype's schemas are functions, zod's and valibot's are objects.
  const standard =
    (typeof value === 'object' || typeof value === 'function') && value !== null
      ? (value as { '~standard'?: { validate?: unknown } })['~standard']
      : undefined;
  if (typeof standard?.validate === 'function') return value as StandardSchemaV1;
  throw check.invalid(place, name, value, 'a Standard Schema, e.g. z.object({ … }) of zod');
}
