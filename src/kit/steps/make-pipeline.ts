/** Makes the class of a pipeline: a code flow whose body runs the steps, with their graph known in advance. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { systemClock } from '../../base/clock.ts';
import { hintFor } from '../../base/nearest.ts';
import { BatutaError } from '../../base/errors.ts';
import { makeFlow } from '../../define/make-flow.ts';
import type { Method } from '../../define/metadata.ts';
import type { FlowContext, TaskContext } from '../../model/context.ts';
import type { FlowClass } from '../../model/flow-types.ts';
import { currentScope } from '../../model/run-context.ts';
import { givenFields, isFields, merged, noFields } from './fields.ts';
import { graphOf, stepsKnown } from './graph.ts';
import { type Data, leavesOf, type PlanReader, readPlan, type StepNode } from './plan.ts';
import { clashError, clashMessage, holdAll, StepRun } from './run-steps.ts';

/** Parts of a pipeline. */
export interface PipelineMaking {
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly steps: readonly unknown[];
  readonly file: string | null;
  /** Where an element was written, if not in code. */
  readonly placeOf?: PlanReader['placeOf'];
  /** The steps of an element that stands for a pipeline, besides actual ones. */
  readonly stepsOf?: PlanReader['stepsOf'];
  /** Text of the file with the steps, if it is not code. */
  readonly text?: string | null;
}

/** Pipelines whose code runs the calling code, outermost first. */
const around = new AsyncLocalStorage<readonly string[]>();
/** Pipelines that may run each other in code; a recursion over data ends long before. */
const maxDepth = 100;

const stepsOfClass = new WeakMap<object, readonly unknown[]>();

/** @throws BatutaError as `PipelineBuilder.steps` */
export function makePipeline({ name, options, steps, file, text = null, ...reader }: PipelineMaking): FlowClass {
  const { strict, verbose, params = anyFields, ...flowOptions } = checkedOptions(String(name), options);
  const { placeOf = nowhere, stepsOf: innerSteps = nowhere } = reader;
  const nodes = readPlan(steps, { pipeline: String(name), stepsOf: (value) => innerSteps(value) ?? stepsOf(value), placeOf });
  const leaves = leavesOf(nodes);
  const settings = { pipeline: name, strict: strict === true, verbose: verbose === true };
  const underWay = new Map<string, StepRun>();
  const runs = new WeakMap<object, StepRun>();
  const cls = class {
    static readonly params = params;

    async run(input: unknown, ctx?: FlowContext): Promise<Data> {
      const run = new StepRun({ ...settings, instance: this, calls, warn: (message) => ctx?.log.warn(message) });
      const within = [...(around.getStore() ?? []), name];
      if (within.length > maxDepth) throw endless(within);
      runs.set(this, run);
      const id = ctx?.run.id ?? '';
      underWay.set(id, run);
      try {
        return await around.run(within, () => run.run(nodes, isFields(input) ? merged(noFields, { ...input }) : noFields));
      } finally {
        if (underWay.get(id) === run) underWay.delete(id);
      }
    }
  };
  Object.defineProperty(cls, 'name', { value: classNameOf(String(name)) });
  const methodOf = (step: StepNode): Method =>
    function (...path) {
      const run = runs.get(this);
      return run && callStep(step, run.callOf(step.name, path).data, settings);
    };
  const isMet =
    (step: string) =>
    async (...path: readonly unknown[]) => {
      const run = underWay.get(currentScope()?.runId ?? '');
      return run === undefined || (await holdAll(run.callOf(step, path).conditions));
    };
  const calls = makeFlow(cls, {
    options: { ...flowOptions, name },
    file,
    tasks: leaves.map((step) => ({ name: step.name, options: taskOptions(step), method: methodOf(step) })),
    plan: { graph: graphOf(nodes), tasks: stepsKnown(nodes, isMet), text, code: () => leaves.map(codeOf).join('\n') },
  });
  stepsOfClass.set(cls, steps);
  return cls;
}

/** @param within names, outermost first; the last is one of those before it */
function endless(within: readonly string[]): BatutaError {
  const last = within.at(-1) ?? '';
  const circle = within.slice(within.lastIndexOf(last, -2)).join(' → ');
  const why = `Pipelines run each other in their code without an end: ${circle}, ${maxDepth} levels deep. Let one of them stop.`;
  return new BatutaError('PIPELINE_CYCLE', why, { details: { pipeline: last, circle } });
}

function nowhere(): undefined {
  return undefined;
}

const ownOptions = ['strict', 'verbose', 'params'];
const flowOptionNames = [
  ...['version', 'versioning', 'description', 'tags', 'runName', 'timeout', 'concurrency', 'middleware'],
  ...['retries', 'retryDelay', 'backoff', 'maxRetryDelay', 'jitter', 'retryIf'],
];

/** @throws BatutaError OPTION_UNKNOWN, OPTION_INVALID */
function checkedOptions(pipeline: string, options: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const known = [...ownOptions, ...flowOptionNames];
  for (const [option, value] of Object.entries(options)) {
    const refuse = (code: 'OPTION_UNKNOWN' | 'OPTION_INVALID', why: string): BatutaError =>
      new BatutaError(code, `Pipeline '${pipeline}': ${why}`, { details: { pipeline, option } });
    if (!known.includes(option))
      throw refuse('OPTION_UNKNOWN', `there is no option '${option}'.${hintFor(option, known, 'The options are')}`);
    if ((option === 'strict' || option === 'verbose') && value !== undefined && typeof value !== 'boolean')
      throw refuse('OPTION_INVALID', `${option} must be true or false, not ${JSON.stringify(value)}.`);
  }
  return options;
}

/** Identifies the step's code. */
function codeOf({ name, version, code }: StepNode): string {
  return `${name} ${version ?? ''} ${code}`;
}

/** The steps of a pipeline, undefined for other values. */
function stepsOf(value: unknown): readonly unknown[] | undefined {
  return typeof value === 'function' ? stepsOfClass.get(value) : undefined;
}

function taskOptions({ options, version }: StepNode): Readonly<Record<string, unknown>> {
  return version === null ? options : { ...options, version };
}

interface StepSettings {
  readonly pipeline: string;
  readonly strict: boolean;
  readonly verbose: boolean;
}

/** Calls a step, in the scope of its task. Sync results stay sync. */
function callStep(step: StepNode, data: Data, settings: StepSettings): unknown {
  const ctx = currentScope()?.context as TaskContext;
  const startedAt = settings.verbose ? systemClock.monotonic() : 0;
  const shown = step.version === null ? step.name : `${step.name} ${step.version}`;
  if (settings.verbose) ctx?.log.info(`${shown} begins`);
  const finish = (value: unknown): Data => {
    const given = givenFields(step.name, value, data);
    const clash = clashMessage(`Step '${step.name}'`, given, data);
    if (clash !== null && settings.strict) throw clashError(clash, settings.pipeline);
    if (clash !== null) ctx?.log.warn(clash);
    if (settings.verbose)
      ctx?.log.info(`${shown} took ${(systemClock.monotonic() - startedAt).toFixed(1)} ms and returned ${namesIn(given)}`);
    return given;
  };
  const value = step.call(data, ctx);
  return isThenable(value) ? value.then(finish) : finish(value);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

function namesIn(given: Data): string {
  return Object.keys(given).join(', ') || 'no field';
}

/** `microservice-1` → `Microservice1`. */
function classNameOf(name: string): string {
  const words = name.match(/[\p{L}\p{N}]+/gu) ?? [];
  const joined = words.map((word) => word[0]?.toUpperCase() + word.slice(1)).join('');
  return /^\p{L}/u.test(joined) ? joined : `Pipeline${joined}`;
}

/** Default schema of a pipeline: any object. */
const anyFields: StandardSchemaV1<object, object> = {
  '~standard': {
    version: 1,
    vendor: 'batuta',
    validate: (value) =>
      value === undefined || isFields(value)
        ? { value: value ?? {} }
        : { issues: [{ message: `A pipeline takes an object, not ${Array.isArray(value) ? 'a list' : typeof value}.` }] },
  },
};
