/** Reads a list of steps: faults are reported with their place, the rest becomes a tree that can be run and drawn. */
import { BatutaError, type ErrorCode } from '../../base/errors.ts';
import { hintFor } from '../../base/nearest.ts';
import type { TaskContext } from '../../model/context.ts';

/** Data as steps see it. */
export type Data = Readonly<Record<string, unknown>>;

/** One step. Its name is unique in its pipeline. */
export interface StepNode {
  readonly kind: 'step';
  readonly name: string;
  readonly version: string | null;
  readonly options: Readonly<Record<string, unknown>>;
  readonly call: (data: Data, ctx: TaskContext) => unknown;
  /** Source text of its function. */
  readonly code: string;
}

/** An element of a pipeline. */
export type PlanNode =
  | StepNode
  | { readonly kind: 'when'; readonly condition: (data: Data) => unknown; readonly steps: readonly PlanNode[] }
  | ForEachNode
  | { readonly kind: 'parallel'; readonly branches: readonly (readonly PlanNode[])[] }
  | { readonly kind: 'background'; readonly steps: readonly PlanNode[] }
  | { readonly kind: 'sequence'; readonly steps: readonly PlanNode[] };

export interface ForEachNode {
  readonly kind: 'forEach';
  readonly list: string | ((data: Data) => unknown);
  readonly as: string;
  readonly into: string;
  readonly concurrency: number;
  readonly steps: readonly PlanNode[];
}

/** Further needs of reading. */
export interface PlanReader {
  /** Name of the pipeline. */
  readonly pipeline: string;
  /** The steps of a nested pipeline, undefined for other values. */
  stepsOf(value: unknown): readonly unknown[] | undefined;
  /** Where an element was written (`steps.yaml:12:5`), undefined if unknown. */
  placeOf(element: unknown): string | undefined;
}

const stepOptions = [
  ...['retries', 'retryDelay', 'backoff', 'maxRetryDelay', 'jitter', 'retryIf'],
  ...['timeout', 'description', 'tags', 'priority'],
];
/** Names reserved for a pipeline's class. */
const reserved = ['run', 'constructor'];

/**
 * The tree of a step list.
 *
 * @throws BatutaError PIPELINE_INVALID, PIPELINE_CYCLE, TASK_DUPLICATE, OPTION_UNKNOWN
 */
export function readPlan(steps: unknown, reader: PlanReader): readonly PlanNode[] {
  return new Reading(reader).list(steps, 'steps', '');
}

class Reading {
  readonly #reader: PlanReader;
  /** Where each name is. */
  readonly #names = new Map<string, string>();
  /** Lists being read, with their places. */
  readonly #open = new Map<unknown, string>();

  constructor(reader: PlanReader) {
    this.#reader = reader;
  }

  /** @param path place of the list, for messages; @param prefix of its names */
  list(steps: unknown, path: string, prefix: string): PlanNode[] {
    if (!Array.isArray(steps)) throw this.#refuse(path, steps, `is no list of steps`);
    if (steps.length === 0) throw this.#refuse(path, steps, 'has no step; give at least one');
    return this.#within(steps, path, (element, at) => this.#element(element, `${path}[${at}]`, prefix));
  }

  /** Reads each element. A list may have come to contain itself since it was given to a pipeline. */
  #within<T>(steps: readonly unknown[], path: string, read: (element: unknown, at: number) => T): T[] {
    const around = this.#open.get(steps);
    if (around !== undefined)
      throw this.#refuse(path, steps, `leads back to ${around}, in a circle. Take one of them out`, 'PIPELINE_CYCLE');
    this.#open.set(steps, path);
    try {
      return steps.map(read);
    } finally {
      this.#open.delete(steps);
    }
  }

  #element(element: unknown, path: string, prefix: string): PlanNode {
    if (Array.isArray(element)) return this.#step(element, path, prefix);
    const { group, ...fields } = (element ?? {}) as Record<string, unknown>;
    switch (group) {
      case 'when':
        if (typeof fields['condition'] !== 'function') throw this.#refuse(path, element, 'has a condition that is no function');
        return {
          kind: 'when',
          condition: fields['condition'] as (data: Data) => unknown,
          steps: this.list(fields['steps'], `${path}.steps`, prefix),
        };
      case 'forEach':
        return this.#forEach(element, fields, path, prefix);
      case 'parallel':
        return { kind: 'parallel', branches: this.#branches(fields['steps'], path, prefix) };
      case 'background':
        return { kind: 'background', steps: this.list(fields['steps'], `${path}.steps`, prefix) };
      default:
        throw this.#refuse(
          path,
          element,
          "is no step; write [function, 'name', 'version'], or when(), forEach(), parallel(), background()",
        );
    }
  }

  #branches(steps: unknown, path: string, prefix: string): PlanNode[][] {
    if (!Array.isArray(steps) || steps.length === 0) throw this.#refuse(path, steps, 'has no step; give at least one');
    return this.#within(steps, `${path}.steps`, (branch, at) => {
      const place = `${path}.steps[${at}]`;
      const isBranch = Array.isArray(branch) && (branch.length === 0 || typeof branch[1] !== 'string');
      return isBranch ? this.list(branch, place, prefix) : [this.#element(branch, place, prefix)];
    });
  }

  #forEach(element: unknown, fields: Readonly<Record<string, unknown>>, path: string, prefix: string): ForEachNode {
    const { list, as, into, concurrency, steps } = fields;
    const isField = (value: unknown): value is string => typeof value === 'string' && value !== '';
    if (typeof list !== 'function' && !isField(list))
      throw this.#refuse(path, element, 'has a list that is neither the name of a field nor a function');
    if (!isField(as) || !isField(into))
      throw this.#refuse(path, element, 'needs the names of two fields: as (the item) and into (what is given)');
    if (!Number.isSafeInteger(concurrency) || Number(concurrency) < 1)
      throw this.#refuse(path, element, `has concurrency ${String(concurrency)}, which is no whole number from 1`);
    return {
      kind: 'forEach',
      list: list as ForEachNode['list'],
      ...{ as, into, concurrency: Number(concurrency), steps: this.list(steps, `${path}.steps`, prefix) },
    };
  }

  #step(tuple: readonly unknown[], path: string, prefix: string): PlanNode {
    const [called, name, third, fourth] = tuple;
    if (typeof name !== 'string') throw this.#refuse(path, tuple, "has no name; write [function, 'name', 'version']");
    const [version, options] = typeof third === 'object' && third !== null ? [undefined, third] : [third, fourth];
    if (version !== undefined && typeof version !== 'string') throw this.#refuse(path, tuple, `('${name}') has a version that is no text`);
    const inner = this.#reader.stepsOf(called);
    if (inner !== undefined) {
      this.#checkName(`${prefix}${name}`, path, tuple);
      if (options !== undefined) throw this.#refuse(path, tuple, `('${name}') is a pipeline; give options to its steps`);
      return { kind: 'sequence', steps: this.list(inner, `${path} ('${name}')`, `${prefix}${name}: `) };
    }
    const call = callOf(called);
    if (call === null)
      throw this.#refuse(path, tuple, `('${name}') is neither a function nor an object with a method run(data) or call(data)`);
    const whole = `${prefix}${name}`;
    this.#checkName(whole, path, tuple);
    return {
      kind: 'step',
      name: whole,
      version: version ?? null,
      options: this.#options(options, name, path, tuple),
      call,
      code: sourceOf(called),
    };
  }

  #checkName(name: string, path: string, tuple: unknown): void {
    if (reserved.includes(name)) throw this.#refuse(path, tuple, `cannot be named '${name}'; give it another name`);
    const place = this.#place(path, tuple);
    const other = this.#names.get(name);
    if (other !== undefined) {
      throw new BatutaError(
        'TASK_DUPLICATE',
        `Pipeline '${this.#reader.pipeline}': two steps are named '${name}', at ${other} and at ${place}. Give one of them another name.`,
        { details: { pipeline: this.#reader.pipeline, step: name, places: [other, place] } },
      );
    }
    this.#names.set(name, place);
  }

  #options(options: unknown, name: string, path: string, tuple: unknown): Readonly<Record<string, unknown>> {
    if (options === undefined) return {};
    if (typeof options !== 'object' || options === null || Array.isArray(options))
      throw this.#refuse(path, tuple, `('${name}') has options that are no object`);
    for (const option of Object.keys(options)) {
      if (!stepOptions.includes(option))
        throw this.#refuse(
          path,
          tuple,
          `('${name}') has no option '${option}'.${hintFor(option, stepOptions, 'The options are')}`,
          'OPTION_UNKNOWN',
        );
    }
    return options as Readonly<Record<string, unknown>>;
  }

  #place(path: string, element: unknown): string {
    return this.#reader.placeOf(element) ?? path;
  }

  #refuse(path: string, element: unknown, why: string, code: ErrorCode = 'PIPELINE_INVALID'): BatutaError {
    const place = this.#place(path, element);
    return new BatutaError(code, `Pipeline '${this.#reader.pipeline}': ${place} ${why}${/[.?]$/.test(why) ? '' : '.'}`, {
      details: { pipeline: this.#reader.pipeline, place },
    });
  }
}

/** A function itself, an object's method `run`, else `call`. */
function callOf(called: unknown): StepNode['call'] | null {
  if (typeof called === 'function') return isClass(called) ? null : (called as StepNode['call']);
  if (typeof called !== 'object' || called === null) return null;
  const object = called as Readonly<Record<string, unknown>>;
  for (const method of ['run', 'call']) {
    if (typeof object[method] === 'function') return (data, ctx) => (object[method] as StepNode['call']).call(object, data, ctx);
  }
  return null;
}

function sourceOf(called: unknown): string {
  const code: unknown = typeof called === 'function' ? called : (called as Readonly<Record<string, unknown>>)['constructor'];
  return typeof code === 'function' ? Function.prototype.toString.call(code) : '';
}

/** A class instead of an instance is a mistake that would only show when the step is called. */
function isClass(called: unknown): boolean {
  return /^class\b/.test(Function.prototype.toString.call(called));
}

/** All steps, in the order written. */
export function leavesOf(nodes: readonly PlanNode[]): StepNode[] {
  return nodes.flatMap((node) =>
    node.kind === 'step' ? [node] : node.kind === 'parallel' ? node.branches.flatMap(leavesOf) : leavesOf(node.steps),
  );
}
