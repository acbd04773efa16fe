/** `batuta`: the public names. Light to import: the engine and the store are loaded when a flow is run. */
import type { RunOptions } from './client/client.ts';
import type { FlowClass, ResultOf, StartArguments } from './model/flow-types.ts';
import { stopIfLoading } from './model/loading.ts';

export type { StandardSchemaV1 } from '@standard-schema/spec';
export type { Logger } from 'pino';
export type {
  BatutaConfig as ConfigFile,
  ConfigAlert,
  ConfigAlertAction,
  ConfigAlertCondition,
  ConfigDefaults,
  ConfigDeployment,
  ConfigFilterValue,
  ConfigFlow,
  ConfigSchedule,
  ConfigTrigger,
  ConfigTriggerParts,
  OwnHealthAnswer,
  OwnHealthCheck,
  ResolveSecret,
} from './base/config-file.ts';
export type { LogFormat, LogLevel } from './base/settings.ts';
export { defineConfig, type ProjectConfig as BatutaConfig } from './define/project-config.ts';
export { type Duration, formatDuration, parseDuration } from './base/duration.ts';
export { BatutaError, type ErrorCode, errorCodes, type ErrorDetails, type ErrorStage, isBatutaError } from './base/errors.ts';
export { deployment, type DeploymentOptions, type DeploymentSchedule, type ScheduleTiming } from './define/deployment.ts';
export type { CacheFunction, CacheOptions } from './define/cache-option.ts';
export type { FlowDecorator, OnDecorator } from './define/class-wiring.ts';
export { type FairnessOptions, Flow, type FlowOptions, type RateLimitOptions, type RunConcurrencyOptions } from './define/flow.ts';
export { Inject, type InjectDecorator } from './define/inject.ts';
export { Measured, type MeasuredOptions, type StandardMethodDecorator } from './define/measured.ts';
export { On } from './define/on.ts';
export { type RetryOptions, Task, type TaskOptions } from './define/task.ts';
export type { Names, Out, TaskDecorator, When, WiringOf } from './define/wiring.ts';
export type {
  ArtifactWriter,
  FlowContext,
  HookContext,
  Input,
  Metrics,
  ResourceContext,
  RunFacts,
  TaskContext,
  TaskFacts,
} from './model/context.ts';
export type { ArtifactFileOptions, ArtifactImageOptions, ArtifactOptions, ArtifactSource } from './model/artifact.ts';
export type { Connection } from './model/connection.ts';
export type { ConnectionFieldsByKind, ConnectionKind, DatabaseFields } from './model/connection-kinds.ts';
export type { Chart, ChartAxis, ChartType } from './model/chart.ts';
export type { Approval, DecisionLinkOptions, DecisionOptions, DecisionRequest } from './model/decision.ts';
export { adaptiveTtl, type AdaptiveTtl, type CacheUse } from './model/cache.ts';
export type { SqlResource, TransactionContext } from './effects/context.ts';
export type {
  ContextParams,
  EmitsIn,
  EmitsOf,
  FlowClass,
  FlowRef,
  ParamsIn,
  ParamsOf,
  ResultOf,
  SomeParams,
  StartArguments,
  StartFields,
} from './model/flow-types.ts';
export type { Instantiate } from './model/flow.ts';
export {
  type ErrorClass,
  FlowError,
  type FlowErrorOptions,
  NonRetryable,
  registerErrors,
  RetryAfter,
  ValidationError,
} from './model/flow-error.ts';
export { type ContextKey, contextKey, type Middleware, type MiddlewareContext } from './model/middleware.ts';
export { move, type Movable } from './model/move.ts';
export { correlationHeaders } from './model/run-context.ts';
export type {
  OwnCounter,
  OwnGauge,
  OwnHistogram,
  OwnHistogramOptions,
  OwnLabels,
  OwnMetricOptions,
  OwnMetrics,
} from './model/own-metrics.ts';
export type { Failure, FailureOrigin } from './model/failure.ts';
export type { AnyResource, KeyArgument, Resource, ResourceOpener, ResourceScopeName, WithinReach } from './model/resource.ts';
export { connection } from './resources/connection.ts';
export { type Opened, resource, type ResourceOptions } from './resources/resource.ts';
export type { State, StateName, StateType } from './model/state.ts';

/**
 * Runs a flow here and now, recorded in the embedded store (or the one that `BATUTA_DATABASE_URL` names), and gives its value. In a file that
 * is only loaded for its flows (by a thread, a worker, a command) it starts nothing and never resolves.
 *
 * @throws BatutaError PARAMS_INVALID before anything ran; RUN_FAILED (its cause is the task's error), RUN_CANCELLED, FLOW_TIMED_OUT; STORE_… when it could not be
 * recorded.
 * @example
 * ```ts
 * const rows = await run(FlightDelays, { month: '01' });
 * ```
 */
export async function run<C extends FlowClass>(flow: C, ...args: StartArguments<C, [options?: RunOptions]>): Promise<ResultOf<C>> {
  await stopIfLoading();
  const { openClient } = await import('./client/open-client.ts');
  const client = await openClient();
  try {
    const handle = await client.submit(flow, ...args);
    return await handle.result();
  } finally {
    await client.close();
  }
}
