/** A flow's stored description, for listing and drawing it without loading its file. */
import type { DeclaredConcurrency, FlowDefinition } from '../../model/flow.ts';
import type { FlowRate, Rate } from '../../model/rate.ts';
import type { RetryPolicy } from '../../model/retry.ts';
import type { TaskDefinition } from '../../model/task.ts';
import type { StoredFlow } from '../../store/store.ts';
import { jsonSchemaOf } from './json-schema.ts';

/** A flow as plain JSON. `graph` holds `nodes` (one object per task, in running order), `edges`, `sinks`, and the flow's `options`. */
export function describeFlow(definition: FlowDefinition, updatedAt: number): StoredFlow {
  const { name, version, description, tags, kind, graph, tasks, source } = definition;
  const isGraph = kind === 'graph' || definition.isPlanned === true;
  const nodes = isGraph ? graph.nodes.flatMap((node) => tasks.get(node) ?? []) : [...tasks.values()];
  return {
    name,
    version,
    description,
    tags,
    // Known before a run can be drawn, however it is executed.
    kind: isGraph ? 'graph' : 'code',
    graph: { nodes: nodes.map(describeTask), edges: graph.edges, sinks: graph.sinks, options: describeOptions(definition) },
    concurrency: describeConcurrency(definition),
    ...(definition.rateLimit ? { rateLimit: describeRate(definition.rateLimit) } : {}),
    paramsSchema: jsonSchemaOf(definition.params),
    source: source === null ? null : `${source.file}#${source.exportName}`,
    updatedAt,
  };
}

/** A key function stays with the class. */
function describeConcurrency({ runConcurrency }: FlowDefinition): DeclaredConcurrency | null {
  if (runConcurrency === null) return null;
  const { limit, key, onConflict } = runConcurrency;
  return typeof key === 'function' ? { limit, key: null, onConflict, byFunction: true } : { limit, key, onConflict };
}

function describeRate({ limit, perMs, key }: FlowRate): Rate {
  return { limit, perMs, key: typeof key === 'function' ? null : key };
}

function describeOptions({
  className,
  retry,
  timeoutMs,
  maxParallelTasks,
  slots,
  fairness,
  result,
  hooks,
  params,
  isPinned = false,
}: FlowDefinition): Record<string, unknown> {
  return {
    className,
    retries: retry.retries,
    ...describeDelay(retry),
    timeoutMs,
    maxParallelTasks,
    slots,
    // A key function stays with the class.
    fairness: fairness === null ? null : typeof fairness.key === 'string' ? fairness.key : 'a function of the parameters',
    result,
    hooks: hooks.map(({ event, name }) => ({ event, name })),
    hasParams: params !== null,
    // Omitted if it is the default, so that flows without it keep their description.
    ...(isPinned ? { versioning: 'pin' } : {}),
  };
}

function describeTask(task: TaskDefinition): Record<string, unknown> {
  const {
    name,
    description,
    version,
    tags,
    needs,
    after,
    each,
    eachLimit,
    trigger,
    retry,
    timeoutMs,
    priority,
    slots,
    isolate,
    memoryBytes,
    profile,
  } = task;
  return {
    name,
    description,
    version,
    tags,
    needs,
    after,
    each,
    eachLimit,
    conditional: task.when !== null,
    trigger,
    retries: retry.retries,
    ...describeDelay(retry),
    maxRetryDelayMs: retry.maxDelayMs,
    jitter: retry.jitter,
    timeoutMs,
    priority,
    slots,
    isolate,
    memoryBytes,
    profile,
    spread: task.spread,
    queue: task.queue,
    persist: task.persist,
  };
}

/** Null stands for a wait that a function computes. */
function describeDelay({ delayMs, backoff }: RetryPolicy): Record<string, unknown> {
  return { retryDelayMs: typeof delayMs === 'function' ? null : delayMs, backoff };
}
