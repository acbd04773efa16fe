/** The steps of a YAML file as `pipeline().steps()` takes them: function names are resolved, nested pipelines inserted. */
import type { Node } from 'yaml';
import { hintFor } from '../../../base/nearest.ts';
import { background, forEach, parallel, when } from '../groups.ts';
import type { YamlFunctions } from '../step-types.ts';
import type { YamlFile, YamlMap } from './yaml-nodes.ts';

const optionKeys = ['retries', 'retryDelay', 'backoff', 'maxRetryDelay', 'jitter', 'timeout', 'description', 'tags', 'priority'];
const stepKeys = ['step', 'run', 'version', ...optionKeys];
/** Group markers and their keys. */
const groupKeys: Readonly<Record<string, readonly string[]>> = {
  when: ['when', 'steps'],
  forEach: ['forEach', 'as', 'into', 'concurrency', 'steps'],
  parallel: ['parallel'],
  background: ['background'],
  pipeline: ['pipeline', 'step'],
};
const elementKeys = [...new Set([...stepKeys, ...Object.values(groupKeys).flat()])];
/** Nesting of lists; an anchor may hold itself. */
const maxDepth = 50;
/** Steps and groups of a file, those of a pipeline counted each time it is named: ten levels of ten are 10 billion. */
const maxElements = 10_000;

/** Needs of reading a file. */
export interface YamlReading {
  readonly file: YamlFile;
  readonly functions: YamlFunctions;
  /** Where elements were written, filled during reading. */
  readonly places: WeakMap<object, string>;
  /** Makes one element from the steps of a nested pipeline. */
  nest(steps: readonly unknown[]): object;
}

export class YamlSteps {
  readonly #reading: YamlReading;
  /** The file's own pipelines: their steps by name. */
  readonly #pipelines = new Map<string, Node>();
  #elements = 0;

  /** @param pipelines the file's map of pipelines */
  constructor(reading: YamlReading, pipelines: Node | undefined) {
    this.#reading = reading;
    if (pipelines === undefined) return;
    const { file } = reading;
    for (const [name, , value] of file.entries(pipelines, 'pipelines')) {
      const steps = file.map(value, `pipeline '${name}'`, ['steps']).get('steps');
      if (steps === undefined) throw file.refuse(value, `pipeline '${name}' has no steps.`);
      this.#pipelines.set(name, steps);
    }
  }

  /**
   * A whole list; also checks pipelines that no step names.
   *
   * @throws BatutaError PIPELINE_INVALID, PIPELINE_CYCLE, STEP_UNKNOWN
   */
  read(steps: Node): readonly unknown[] {
    for (const [name, inner] of this.#pipelines) this.#list(inner, `steps of '${name}'`, [name], 0);
    return this.#list(steps, 'steps', [], 0);
  }

  /** @param within names of the enclosing pipelines, outermost first */
  #list(node: Node, what: string, within: readonly string[], depth: number): unknown[] {
    const { file } = this.#reading;
    return file.list(node, what).map((element) => this.#placed(element, this.#element(element, within, depth)));
  }

  #placed<T>(node: Node, element: T): T {
    if (typeof element === 'object' && element !== null) this.#reading.places.set(element, this.#reading.file.placeOf(node));
    return element;
  }

  #element(node: Node, within: readonly string[], depth: number): unknown {
    const { file } = this.#reading;
    if (depth > maxDepth) throw file.refuse(node, `lists of steps are nested more than ${maxDepth} deep here.`);
    if (++this.#elements > maxElements) throw file.refuse(node, `the file comes to more than ${maxElements} steps here.`);
    const any = file.map(node, 'a step', elementKeys);
    const group = Object.keys(groupKeys).find((key) => any.has(key));
    if (group === undefined) return this.#step(file.map(node, 'a step', stepKeys));
    const map = file.map(node, `a group with '${group}'`, groupKeys[group] ?? []);
    const inner = (key: string): unknown[] => this.#list(this.#need(map, key, group), key, within, depth + 1);
    switch (group) {
      case 'when':
        return when(this.#functionNamed(this.#need(map, 'when', group)) as () => boolean, inner('steps') as never);
      case 'forEach':
        return this.#forEach(map, inner('steps'));
      case 'background':
        return background(inner('background') as never);
      case 'parallel': {
        const branches = file.list(this.#need(map, 'parallel', group), 'parallel');
        return parallel(branches.map((branch) => this.#branch(branch, within, depth + 1)) as never);
      }
      default:
        return this.#nested(map, within, depth);
    }
  }

  #branch(node: Node, within: readonly string[], depth: number): unknown {
    const { file } = this.#reading;
    return this.#placed(node, file.isList(node) ? this.#list(node, 'a branch', within, depth) : this.#element(node, within, depth));
  }

  #step(map: YamlMap): readonly unknown[] {
    const { file } = this.#reading;
    const name = file.text(this.#need(map, 'step', 'step'), 'step');
    const called = this.#functionNamed(this.#need(map, 'run', 'step'));
    const version = map.get('version');
    const options = optionKeys.flatMap((key) => {
      const value = map.get(key);
      return value === undefined ? [] : [[key, file.plain(value, key)] as const];
    });
    const given = options.length === 0 ? [] : [Object.fromEntries(options)];
    // Without options it may be a pipeline as well.
    return [called, name, version === undefined ? undefined : file.text(version, 'version'), ...given];
  }

  #forEach(map: YamlMap, steps: unknown[]): unknown {
    const { file, functions } = this.#reading;
    const list = file.text(this.#need(map, 'forEach', 'forEach'), 'forEach');
    const concurrency = map.get('concurrency');
    const options = {
      as: file.text(this.#need(map, 'as', 'forEach'), 'as'),
      into: file.text(this.#need(map, 'into', 'forEach'), 'into'),
      ...(concurrency === undefined ? {} : { concurrency: file.plain(concurrency, 'concurrency') as number }),
    };
    const given = Object.hasOwn(functions, list) ? (functions[list] as () => readonly unknown[]) : list;
    return forEach(given, options, steps as never);
  }

  #nested(map: YamlMap, within: readonly string[], depth: number): readonly unknown[] {
    const { file, nest } = this.#reading;
    const node = this.#need(map, 'pipeline', 'pipeline');
    const name = file.text(node, 'pipeline');
    const alias = map.get('step');
    const steps = this.#pipelines.get(name);
    if (steps === undefined)
      throw file.refuse(
        node,
        `there is no pipeline '${name}' in this file.${hintFor(name, [...this.#pipelines.keys()], 'Its pipelines are')}`,
        'STEP_UNKNOWN',
      );
    if (within.includes(name)) {
      const circle = [...within.slice(within.indexOf(name)), name].join(' → ');
      throw file.refuse(node, `pipelines stand in each other in a circle: ${circle}. Take one of them out.`, 'PIPELINE_CYCLE');
    }
    const inner = this.#list(steps, `steps of '${name}'`, [...within, name], depth + 1);
    return [nest(inner), alias === undefined ? name : file.text(alias, 'step')];
  }

  #functionNamed(node: Node): unknown {
    const { file, functions } = this.#reading;
    const name = file.text(node, 'the name of a function');
    if (Object.hasOwn(functions, name)) return functions[name];
    throw file.refuse(
      node,
      `there is no function '${name}' among those that fromYaml was given.${hintFor(name, Object.keys(functions), 'They are')}`,
      'STEP_UNKNOWN',
    );
  }

  #need(map: YamlMap, key: string, what: string): Node {
    const node = map.get(key);
    if (node !== undefined) return node;
    throw this.#reading.file.refuse(map.node, `'${key}' is missing here (${what}).`);
  }
}
