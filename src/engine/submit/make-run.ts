/** The row of a new run, made from a definition and parameters. */
import { defaultQueue } from '../../broker/broker.ts';
import type { DeploymentOfRun } from '../../model/deployment.ts';
import type { FlowDefinition } from '../../model/flow.ts';
import type { Owner, Run } from '../../model/run.ts';
import { stateOf } from '../../model/state.ts';
import { checkLabels } from './check-labels.ts';
import { concurrencyKeyOf, fairKeyOf, rateSubmitted } from '../limits/limit-key.ts';
import type { NewRun } from '../../store/store.ts';
import { randomName, renderName } from './names.ts';
import { outsideRuns } from '../run/flow-scope.ts';
import { validateParams } from './params.ts';
import { encodeValue } from '../values/results.ts';
import { hidesValues } from '../../base/hidden-values.ts';
import { maskedParams, withSensitivePaths } from '../../model/sensitive.ts';
import { severalOf } from '../../model/slots.ts';
import { type SubmittedOptions, withSubmitted } from '../../model/submitted.ts';
import { submittedBy } from './submitted-by.ts';
import { sensitiveParams } from './json-schema.ts';
import { refuseSecrets } from '../values/refuse-secrets.ts';
import type { EngineServices } from '../services.ts';

export interface MakeRunOptions extends SubmittedOptions {
  /** Default a new one. */
  readonly id?: string;
  /** Default by the flow's `runName`, else two random words. */
  readonly name?: string;
  /** Added after the flow's. */
  readonly tags?: readonly string[];
  readonly parent?: { readonly runId: string; readonly taskRunId: string };
  /** When to start, UTC epoch ms. Default at once. */
  readonly startAt?: number;
  /** No longer begun after this, UTC epoch ms; default none. See `expiryOf`. */
  readonly expiresAt?: number | null;
  /** Calls with this key are gathered in it; see `readDebounce`. */
  readonly debounceKey?: string;
  readonly queue?: string;
  readonly priority?: number;
  /** The deployment it is a run of, with its tags and the name it gives its runs. */
  readonly deployment?: DeploymentOfRun | null;
}

/**
 * Validates the parameters and makes the row, Pending if it starts at once in this process, else Scheduled.
 *
 * @throws BatutaError OPTION_INVALID (name, tags), PARAMS_INVALID, RESULT_NOT_SERIALIZABLE (parameters that cannot be stored)
 */
export function makeRun(
  services: EngineServices,
  definition: FlowDefinition,
  params: unknown,
  state: 'PENDING' | 'SCHEDULED',
  options: MakeRunOptions,
): Promise<NewRun> {
  return outsideRuns(services.log, definition, () => make(services, definition, params, state, options));
}

async function make(...[services, definition, params, state, options]: Parameters<typeof makeRun>): Promise<NewRun> {
  checkLabels(options);
  const said = submittedBy(options, options.parent);
  const { expiresAt = null, debounceKey, id = services.makeId() } = options;
  const first = expiresAt !== null ? { expiresAt } : debounceKey !== undefined ? { debounceKey } : null;
  const validated = await validateParams(definition, params);
  const what = `parameters of flow ${definition.name}`;
  const text = encodeValue(validated, what) ?? 'null';
  if (hidesValues()) refuseSecrets(text, what);
  const sensitive = sensitiveParams(definition.params);
  const { source } = definition;
  const deployment = options.deployment ?? null;
  const keyed = maskedParams(validated, sensitive, 'hash');
  const runName = deployment?.runName ?? definition.runName;
  const traced = services.tracer ? { ...said, traceparent: services.tracer.submit({ id, flow: definition.name }, said.traceparent) } : said;
  const submitted = { ...first, ...traced, ...rateSubmitted(deployment, keyed) };
  return {
    id,
    flow: definition.name,
    flowVersion: definition.version,
    name:
      options.name ?? (runName === null ? randomName(services.random) : renderName(runName, maskedParams(validated, sensitive, 'mask'))),
    deployment: deployment?.name ?? null,
    concurrencyKey: concurrencyKeyOf({
      flow: { name: definition.name, concurrency: definition.runConcurrency },
      deployment,
      params: keyed,
    }),
    // A run that begins at once, in this process, takes no turns.
    fairKey: state === 'SCHEDULED' ? fairKeyOf(deployment?.fairness ?? definition.fairness?.key ?? null, keyed) : null,
    slots: severalOf(deployment?.slots ?? definition.slots),
    parentRunId: options.parent?.runId ?? null,
    parentTaskRunId: options.parent?.taskRunId ?? null,
    state: stateOf(state),
    params: withSubmitted(withSensitivePaths(text, sensitive), submitted, sensitive),
    attempt: 1,
    tags: [...new Set([...definition.tags, ...(deployment?.tags ?? []), ...(options.tags ?? [])])],
    source: source === null ? null : `${source.file}#${source.exportName}`,
    scheduledFor: options.startAt ?? null,
    dueAt: options.startAt ?? null,
    createdAt: services.clock.now(),
    queue: options.queue ?? defaultQueue,
    priority: options.priority ?? 0,
  };
}

/** A new run as the store has it once its maker owns it. */
export function ownedFrom(made: NewRun, owner: Owner, leaseMs: number): Run {
  return {
    ...made,
    queue: made.queue ?? defaultQueue,
    priority: made.priority ?? 0,
    scheduleId: made.scheduleId ?? null,
    backfillId: made.backfillId ?? null,
    concurrencyKey: made.concurrencyKey ?? null,
    result: null,
    resultRef: null,
    error: null,
    recoveries: 0,
    startedAt: null,
    endedAt: null,
    executedMs: null,
    resumedAt: null,
    mapped: null,
    cancelRequestedAt: null,
    epoch: 1,
    owner,
    leaseUntil: made.createdAt + leaseMs,
  };
}
