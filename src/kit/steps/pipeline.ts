/** `pipeline()`: a flow written as a list of steps. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { callingFile, type FlowOptions } from '../../define/flow.ts';
import { makePipeline } from './make-pipeline.ts';
import type { Data } from './plan.ts';
import type { AnyStep, Chain, Pipeline } from './step-types.ts';
import { fromYaml } from './yaml/from-yaml.ts';

/** Options of `pipeline()`: those of `@Flow` that apply to a list of steps, and two of its own. */
export interface PipelineOptions extends Omit<FlowOptions, 'name' | 'result' | 'spread' | 'params'> {
  /** True makes it an error if a step returns a field that the data already has; otherwise a warning. Default false. */
  readonly strict?: boolean | undefined;
  /** True logs each step as it begins and ends: its version, duration, and added fields. Default false. */
  readonly verbose?: boolean | undefined;
}

/** Result of `pipeline()`: takes the steps. */
export interface PipelineBuilder<Raw, In extends object> {
  /**
   * The pipeline: the class of a flow, to run, test and deploy like any other. Its result is all fields at the end, including the input.
   *
   * @param steps each `[function or object, name, version, options]`, or a group: `when`, `forEach`, `parallel`, `background`
   * @throws BatutaError PIPELINE_INVALID, PIPELINE_CYCLE, TASK_DUPLICATE, NAME_INVALID, OPTION_UNKNOWN, OPTION_INVALID, DURATION_INVALID
   */
  steps<const S extends readonly AnyStep[]>(steps: S & Chain<S, In>['checked']): Pipeline<In, Chain<S, In>['data'], Raw>;
}

/**
 * Begins a pipeline: a flow that runs a list of steps. Each step gets one object with the input and all results of earlier steps.
 *
 * @param name of the flow
 * @typeParam In its input, if no schema defines it; default no field
 * @example
 * ```ts
 * export const Orders = pipeline<{ file: string }>('orders', { version: 'v1.0' }).steps([
 *   [readOrders, 'Read', 'v1.0'],
 *   [new SumUp(), 'Sum up', 'v1.2', { retries: 2 }],
 * ]);
 * ```
 */
export function pipeline<S extends StandardSchemaV1<unknown, object>>(
  name: string,
  options: PipelineOptions & { readonly params: S },
): PipelineBuilder<StandardSchemaV1.InferInput<S>, StandardSchemaV1.InferOutput<S>>;
export function pipeline<In extends object = {}>(name: string, options?: PipelineOptions): PipelineBuilder<In, In>;
export function pipeline(
  name: string,
  options: PipelineOptions & { readonly params?: StandardSchemaV1 } = {},
): PipelineBuilder<Data, Data> {
  const file = callingFile();
  return { steps: (steps) => makePipeline({ name, options: { ...options }, steps, file }) as never };
}

pipeline.fromYaml = fromYaml;
