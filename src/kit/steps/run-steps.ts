/**
 * A run of a pipeline, as the body of a code flow: each step is a task call, identified by its name and, inside `forEach`, by its items'
 * places. Results of steps are recorded; the data is rebuilt from them when the body runs again after a crash.
 */
import { BatutaError } from '../../base/errors.ts';
import type { Method } from '../../define/metadata.ts';
import { clashesOf, isFields, merged, noFields } from './fields.ts';
import type { Data, ForEachNode, PlanNode, StepNode } from './plan.ts';

/** Arguments of a step. */
export interface StepCall {
  readonly data: Data;
  /** Its conditions, outermost first. */
  readonly conditions: readonly Condition[];
}

/** Needs of a pipeline run. */
export interface StepRunOptions {
  readonly pipeline: string;
  readonly strict: boolean;
  /** The object whose tasks are called. */
  readonly instance: object;
  /** Calls of steps, by name. */
  readonly calls: ReadonlyMap<string, Method>;
  /** Warns that parallel steps returned the same fields. */
  warn(message: string): void;
}

/** Places of items, outermost first; empty outside `forEach`. */
type Path = readonly number[];

export class StepRun {
  readonly #options: StepRunOptions;
  readonly #underWay = new Map<string, StepCall>();
  readonly #background: Promise<unknown>[] = [];

  constructor(options: StepRunOptions) {
    this.#options = options;
  }

  /** All fields at the end. @throws the error of the first failed step */
  async run(steps: readonly PlanNode[], input: Data): Promise<Data> {
    const data = await this.#through(steps, input).catch(async (error: unknown) => {
      await this.#endBackground();
      throw error;
    });
    await this.#endBackground();
    await Promise.all(this.#background);
    return data;
  }

  /** Like `#sequence`, for the whole pipeline: results of its steps are not kept apart from the data, which would double the merging. */
  async #through(steps: readonly PlanNode[], input: Data): Promise<Data> {
    let data = input;
    for (const step of steps) data = merged(data, await this.#node(step, data, [], []));
    return data;
  }

  /** Background steps may add others. */
  async #endBackground(): Promise<void> {
    for (let ended = -1; ended < this.#background.length; ) {
      ended = this.#background.length;
      await Promise.allSettled(this.#background);
    }
  }

  /** Arguments of a running step. */
  callOf(name: string, path: readonly unknown[]): StepCall {
    const call = this.#underWay.get(keyOf(name, path));
    if (call) return call;
    throw new BatutaError('INTERNAL', `Step '${name}' of pipeline '${this.#options.pipeline}' was called by nobody.`);
  }

  /** The fields the steps return, one after the other. */
  async #sequence(steps: readonly PlanNode[], data: Data, path: Path, conditions: readonly Condition[]): Promise<Data> {
    let [seen, all] = [data, noFields];
    for (const step of steps) {
      const given = await this.#node(step, seen, path, conditions);
      if (given === noFields) continue;
      seen = merged(seen, given);
      all = steps.length === 1 ? given : merged(all, given);
    }
    return all;
  }

  #node(node: PlanNode, data: Data, path: Path, conditions: readonly Condition[]): Promise<Data> {
    switch (node.kind) {
      case 'step':
        return this.#step(node, data, path, conditions);
      case 'when':
        return this.#sequence(node.steps, data, path, [...conditions, new Condition(() => node.condition(data))]);
      case 'forEach':
        return this.#forEach(node, data, path, conditions);
      case 'parallel':
        return this.#parallel(node.branches, data, path, conditions);
      case 'background': {
        const started = this.#sequence(node.steps, data, path, conditions);
        started.catch(() => undefined);
        this.#background.push(started);
        return Promise.resolve(noFields);
      }
      case 'sequence':
        return this.#sequence(node.steps, data, path, conditions);
    }
  }

  async #step({ name }: StepNode, data: Data, path: Path, conditions: readonly Condition[]): Promise<Data> {
    const { calls, instance } = this.#options;
    const key = keyOf(name, path);
    this.#underWay.set(key, { data, conditions });
    try {
      const given = await calls.get(name)?.apply(instance, path as number[]);
      noteOutcome(conditions, given !== undefined);
      return isFields(given) && Object.keys(given).length > 0 ? given : noFields;
    } finally {
      this.#underWay.delete(key);
    }
  }

  async #parallel(branches: readonly (readonly PlanNode[])[], data: Data, path: Path, conditions: readonly Condition[]): Promise<Data> {
    const given = await allOf(branches.map((branch) => this.#sequence(branch, data, path, conditions)));
    let all = noFields;
    for (const fields of given) {
      this.#checkClash('Steps that ran at the same time', fields, all);
      all = merged(all, fields);
    }
    return all;
  }

  async #forEach(node: ForEachNode, data: Data, path: Path, conditions: readonly Condition[]): Promise<Data> {
    if (!(await holdAll(conditions))) return noFields;
    const items = this.#itemsOf(node, data);
    const item = { [node.as]: null };
    this.#checkClash(`forEach over ${listName(node)}`, item, data);
    const given: Data[] = Array.from({ length: items.length });
    let next = 0;
    let hasFailed = false;
    const work = async (): Promise<void> => {
      while (next < items.length && !hasFailed) {
        const at = next++;
        try {
          given[at] = await this.#sequence(node.steps, merged(data, { [node.as]: items[at] }), [...path, at], conditions);
        } catch (error) {
          hasFailed = true;
          throw error;
        }
      }
    };
    await allOf(Array.from({ length: Math.min(node.concurrency, items.length) }, work));
    this.#checkClash(`forEach over ${listName(node)}`, { [node.into]: null }, data);
    return { [node.into]: given };
  }

  #itemsOf(node: ForEachNode, data: Data): readonly unknown[] {
    const list = typeof node.list === 'function' ? node.list(data) : data[node.list];
    if (Array.isArray(list)) return list;
    throw new BatutaError(
      'STEP_RESULT_INVALID',
      `Pipeline '${this.#options.pipeline}': forEach goes over ${listName(node)}, which is ${list === null ? 'null' : `of type ${typeof list}`}, not a list.`,
      { details: { pipeline: this.#options.pipeline } },
    );
  }

  /** @throws BatutaError STEP_CLASH in strict mode */
  #checkClash(who: string, given: Data, data: Data): void {
    const clash = clashMessage(who, given, data);
    if (clash === null) return;
    if (this.#options.strict) throw clashError(clash, this.#options.pipeline);
    this.#options.warn(clash);
  }
}

/** The message about existing fields; null if there are none. */
export function clashMessage(who: string, given: Data, data: Data): string | null {
  const names = clashesOf(given, data);
  if (names.length === 0) return null;
  return `${who} returned ${names.map((name) => `'${name}'`).join(', ')}, already in the data; from here on it holds the newer value.`;
}

/** The error of strict mode. */
export function clashError(message: string, pipeline: string): BatutaError {
  const why = message.replace('; from here on it holds the newer value.', '. The pipeline is strict: give the field another name.');
  return new BatutaError('STEP_CLASH', why, { details: { pipeline } });
}

/** A condition of one `when` in a run: checked once, unless a recorded step of it decides. */
export class Condition {
  readonly #ask: () => unknown;
  #answer: boolean | Promise<boolean> | null = null;

  constructor(ask: () => unknown) {
    this.#ask = ask;
  }

  get isOpen(): boolean {
    return this.#answer === null;
  }

  holds(): boolean | Promise<boolean> {
    this.#answer ??= (async () => Boolean(await this.#ask()))();
    return this.#answer;
  }

  tell(answer: boolean): void {
    this.#answer = answer;
  }
}

/** Whether all hold; stops at the first that does not. */
export async function holdAll(conditions: readonly Condition[]): Promise<boolean> {
  for (const condition of conditions) if (!(await condition.holds())) return false;
  return true;
}

/** What the end of a step, possibly recorded earlier, tells about conditions not evaluated. */
function noteOutcome(conditions: readonly Condition[], hasRun: boolean): void {
  const open = conditions.filter(({ isOpen }) => isOpen);
  // With several unevaluated, nothing tells which one failed.
  if (hasRun || open.length === 1) for (const condition of open) condition.tell(hasRun);
}

/** All values, once all have ended. @throws the first error */
async function allOf<T>(started: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(started);
  return Promise.all(started);
}

function keyOf(name: string, path: readonly unknown[]): string {
  return path.length === 0 ? name : `${name} ${path.join(' ')}`;
}

function listName({ list }: ForEachNode): string {
  return typeof list === 'string' ? `'${list}'` : 'what its function returned';
}
