/** `pipeline.fromYaml`: a pipeline with steps in a file, and functions in code. */
import { isUtf8 } from 'node:buffer';
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { BatutaError, isBatutaError } from '../../../base/errors.ts';
import { callingFile } from '../../../define/flow.ts';
import { fileNotFound, shownPath } from '../../../define/load-errors.ts';
import type { FlowClass } from '../../../model/flow-types.ts';
import { noteFileRead } from '../../../model/loading.ts';
import { makePipeline } from '../make-pipeline.ts';
import type { Any, Pipeline, YamlFunctions } from '../step-types.ts';
import { YamlFile } from './yaml-nodes.ts';
import { YamlSteps } from './yaml-steps.ts';

/** The YAML: a file, relative to the working directory or by URL; or the text itself, with its name in messages. */
export type YamlSource = string | URL | { readonly text: string; readonly name?: string };

/** Options of `pipeline.fromYaml`. */
export interface YamlOptions<S extends StandardSchemaV1 = StandardSchemaV1> {
  /** What the file may use: steps (functions, objects with `run` or `call`, pipelines), conditions, lists. */
  readonly functions: YamlFunctions;
  /** Schema of the input. Default: any object. */
  readonly params?: S;
}

const flowKeys = [
  ...['version', 'versioning', 'description', 'tags', 'strict', 'verbose', 'runName', 'concurrency', 'timeout'],
  ...['retries', 'retryDelay', 'backoff', 'maxRetryDelay', 'jitter'],
];
const textKeys = ['version', 'versioning', 'description', 'runName'];

/**
 * A pipeline from a YAML file. Checked as a whole at once; changing the file changes the version of its flow.
 *
 * @throws BatutaError FILE_NOT_FOUND; PIPELINE_INVALID, STEP_UNKNOWN, PIPELINE_CYCLE, TASK_DUPLICATE, OPTION_INVALID, DURATION_INVALID,
 *   NAME_INVALID, each with file, line and column
 * @example
 * ```ts
 * export const Orders = pipeline.fromYaml(new URL('./orders.yaml', import.meta.url), { functions: { readOrders, sumUp } });
 * ```
 */
export function fromYaml<S extends StandardSchemaV1<unknown, object> = StandardSchemaV1<Any, Any>>(
  source: YamlSource,
  options: YamlOptions<S>,
): Pipeline<StandardSchemaV1.InferOutput<S>, Record<string, unknown>, StandardSchemaV1.InferInput<S>> {
  return makeFromYaml(source, options, callingFile()) as never;
}

function makeFromYaml(source: YamlSource, { functions, params }: YamlOptions, callers: string | null): FlowClass {
  const { name: fileName, text } = readSource(source);
  const file = new YamlFile(fileName, text);
  const places = new WeakMap<object, string>();
  const inner = new WeakMap<object, readonly unknown[]>();
  const nest = (steps: readonly unknown[]): object => {
    const element = {};
    inner.set(element, steps);
    return element;
  };
  const root = file.map(file.root, 'the file', ['pipeline', ...flowKeys, 'steps', 'pipelines']);
  const [nameNode, stepsNode] = [root.get('pipeline'), root.get('steps')];
  if (nameNode === undefined) throw file.refuse(root.node, "'pipeline' is missing: the name of the pipeline.");
  if (stepsNode === undefined) throw file.refuse(root.node, "'steps' is missing.");
  const name = file.text(nameNode, 'pipeline');
  const steps = new YamlSteps({ file, functions, places, nest }, root.get('pipelines')).read(stepsNode);
  const options = flowKeys.flatMap((key) => {
    const node = root.get(key);
    return node === undefined ? [] : [[key, textKeys.includes(key) ? file.text(node, key) : file.plain(node, key)] as const];
  });
  const placeOf = (element: unknown): string | undefined =>
    typeof element === 'object' && element !== null ? places.get(element) : undefined;
  try {
    return makePipeline({
      ...{ name, steps, file: callers, text, placeOf },
      options: { ...Object.fromEntries(options), ...(params === undefined ? {} : { params }) },
      stepsOf: (value) => (typeof value === 'object' && value !== null ? inner.get(value) : undefined),
    });
  } catch (error) {
    throw located(error, file, steps, placeOf);
  }
}

/** The error of a step's option with the place of the step; of a flow's option with the file. */
function located(error: unknown, file: YamlFile, steps: readonly unknown[], placeOf: (element: unknown) => string | undefined): unknown {
  if (!isBatutaError(error) || error.message.includes(`${file.name}:`)) return error;
  const place = placeOf(elementNamed(steps, String(error.details['method'] ?? ''))) ?? file.name;
  return new BatutaError(error.code, `${place}: ${error.message}`, { cause: error, details: { ...error.details, place } });
}

/** The step with that name, at any depth. */
function elementNamed(elements: readonly unknown[], name: string): unknown {
  for (const element of elements) {
    if (Array.isArray(element) && element[1] === name) return element;
    const below = Array.isArray(element) ? element : (element as { readonly steps?: unknown } | null)?.steps;
    const found = Array.isArray(below)
      ? elementNamed(
          below.filter((inner) => typeof inner === 'object'),
          name,
        )
      : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** @throws BatutaError FILE_NOT_FOUND */
function readSource(source: YamlSource): { readonly name: string; readonly text: string } {
  if (typeof source === 'object' && 'text' in source) return { name: source.name ?? 'pipeline.yaml', text: source.text };
  const path = source instanceof URL ? fileURLToPath(source) : resolve(source);
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) {
    noteFileRead(path, '');
    throw fileNotFound(path);
  }
  const bytes = readFileSync(path);
  const text = bytes.toString('utf8');
  noteFileRead(path, text);
  if (!isUtf8(bytes))
    throw new BatutaError('PIPELINE_INVALID', `${shownPath(path)}:1:1: the file is not UTF-8; save it as UTF-8.`, {
      details: { file: shownPath(path) },
    });
  return { name: shownPath(path), text };
}
