/** Exports of 'batuta/steps': flows written as lists of steps. */
export { background, forEach, type ForEachOptions, parallel, when } from './groups.ts';
export { pipeline, type PipelineBuilder, type PipelineOptions } from './pipeline.ts';
export type {
  AnyBranch,
  AnyStep,
  BackgroundGroup,
  ForEachGroup,
  ParallelGroup,
  Pipeline,
  StepFunction,
  StepObject,
  StepOptions,
  StepTuple,
  WhenGroup,
  YamlFunctions,
} from './step-types.ts';
export type { YamlOptions, YamlSource } from './yaml/from-yaml.ts';
