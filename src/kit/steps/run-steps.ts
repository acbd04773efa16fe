/**
 * A run of a pipeline, as the body of a code flow: each step is a call of a task, known by its name and, inside `forEach`, by the places of
 * its items. What a step gave is recorded; the data is made of that anew when the body runs again after a crash.
 */
import { BatutaError } from '../../base/errors.ts';
import type { Method } from '../../define/metadata.ts';
import { clashesOf, isFields, merged, noFields } from './fields.ts';
import type { Data, ForEachNode, PlanNode, StepNode } from './plan.ts';

/** What a step is called with. */
export interface StepCall {
  readonly data: Data;
  /** Conditions it stands under, outermost first. */
  readonly conditions: readonly Condition[];
}

/** What a run of a pipeline needs. */
export interface StepRunOptions {
  readonly pipeline: string;
  readonly strict: boolean;
  /** The object that the tasks are called on. */
  readonly instance: object;
  /** Calls of steps, by name. */
  readonly calls: ReadonlyMap<string, Method>;
  /** Says that fields were given twice by steps that ran at the same time. */
  warn(message: string): void;
}

/** Places of items, outermost first; empty outside of `forEach`. */
type Path = readonly number[];

export class StepRun {
  readonly #options: StepRunOptions;
  readonly #underWay = new Map<string, StepCall>();
  readonly #background: Promise<unknown>[] = [];

  constructor(options: StepRunOptions) {
    this.#options = options;
  }

  /** All fields at the end. @throws what the first step threw that failed */
  async run(steps: readonly PlanNode[], input: Data): Promise<Data> {
    const data = await this.#through(steps, input).catch(async (error: unknown) => {
      await this.#endBackground();
      throw error;
    });
    await this.#endBackground();
    await Promise.all(this.#background);
    return data;
  }

  /** As `#sequence`, for the whole pipeline: of what its steps give nothing is kept apart from the data, which would double the merging. */
  async #through(steps: readonly PlanNode[], input: Data): Promise<Data> {
    let data = input;
    for (const step of steps) data = merged(data, await this.#node(step, data, [], []));
    return data;
  }

  /** Steps in the background may put others there. */
  async #endBackground(): Promise<void> {
    for (let ended = -1; ended < this.#background.length; ) {
      ended = this.#background.length;
      await Promise.allSettled(this.#background);
    }
  }

  /** What a step under way was called with. */
  callOf(name: string, path: readonly unknown[]): StepCall {
    const call = this.#underWay.get(keyOf(name, path));
    if (call) return call;
    throw new BatutaError('INTERNAL', `Step '${name}' of pipeline '${this.#options.pipeline}' was called by nobody.`);
  }

  /** The fields that the steps give, one after the other. */
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
      `Pipeline '${this.#options.pipeline}': forEach goes over ${listName(node)}, which is ${list === null ? 'null' : typeof list} and no list.`,
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

/** What is said of fields that are there already; null when there are none. */
export function clashMessage(who: string, given: Data, data: Data): string | null {
  const names = clashesOf(given, data);
  if (names.length === 0) return null;
  return `${who} gave ${names.map((name) => `'${name}'`).join(', ')}, which the data has already; from here on it holds the newer value.`;
}

/** The error of strict mode. */
export function clashError(message: string, pipeline: string): BatutaError {
  const why = message.replace('; from here on it holds the newer value.', '. The pipeline is strict: give the field another name.');
  return new BatutaError('STEP_CLASH', why, { details: { pipeline } });
}

/** A condition of one `when` in a run: asked once, unless the record of one of its steps tells. */
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

/** Whether all hold; those within one that does not are not asked. */
export async function holdAll(conditions: readonly Condition[]): Promise<boolean> {
  for (const condition of conditions) if (!(await condition.holds())) return false;
  return true;
}

/** What the end of a step, which may have been recorded before, says about conditions that were not asked. */
function noteOutcome(conditions: readonly Condition[], hasRun: boolean): void {
  const open = conditions.filter(({ isOpen }) => isOpen);
  // Of several that were not asked nothing tells which one did not hold.
  if (hasRun || open.length === 1) for (const condition of open) condition.tell(hasRun);
}

/** All values, once all have ended. @throws what the first threw */
async function allOf<T>(started: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(started);
  return Promise.all(started);
}

function keyOf(name: string, path: readonly unknown[]): string {
  return path.length === 0 ? name : `${name} ${path.join(' ')}`;
}

function listName({ list }: ForEachNode): string {
  return typeof list === 'string' ? `'${list}'` : 'what its function gave';
}
