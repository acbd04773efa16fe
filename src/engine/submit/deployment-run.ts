/** The row of a new run of a deployment, made from what is stored of it: its flow need not be loaded. */
import { maskedParams, sensitivePathsIn } from '../../model/sensitive.ts';
import { severalOf } from '../../model/slots.ts';
import { type Submitted, withSubmitted } from '../../model/submitted.ts';
import type { Deployment } from '../../model/deployment.ts';
import { stateOf } from '../../model/state.ts';
import { decodeValue } from '../../model/values.ts';
import type { NewRun } from '../../store/store.ts';
import { concurrencyKeyOf, fairKeyOf, rateSubmitted, type LimitedRun } from '../limits/limit-key.ts';
import { randomName, renderName } from './names.ts';
import type { EngineServices } from '../services.ts';

export interface DeploymentRunOptions {
  /** Default a new one. */
  readonly id?: string;
  /** Validated parameters, superjson text; default: the deployment's. */
  readonly params?: string;
  /** Stored alongside its parameters. Default nothing. */
  readonly submitted?: Submitted;
  /** The limit on runs that its flow declares; default none. */
  readonly flowConcurrency?: LimitedRun['flow']['concurrency'];
  /** Default by the deployment's `runName`, else two random words. */
  readonly name?: string;
  /** Added after the deployment's. */
  readonly tags?: readonly string[];
  readonly queue?: string;
  readonly priority?: number;
  /** The tick it was made for, or the instant at which to start. */
  readonly scheduledFor?: number | null;
  /** When to start; default `scheduledFor`. */
  readonly dueAt?: number | null;
  readonly scheduleId?: string | null;
  readonly backfillId?: string | null;
}

/**
 * A run that waits for a worker. Units: UTC epoch ms.
 *
 * @throws BatutaError OPTION_INVALID when the flow's function for the key of its limit throws
 */
export function deploymentRun(
  services: Pick<EngineServices, 'makeId' | 'random'> & { readonly clock: Pick<EngineServices['clock'], 'now'> },
  deployment: Deployment,
  options: DeploymentRunOptions = {},
): NewRun {
  const { name, flow, flowVersion, source, runName } = deployment;
  const { params = deployment.params, flowConcurrency = null } = options;
  const values = decodeValue(params);
  const sensitive = sensitivePathsIn(params);
  const scheduledFor = options.scheduledFor ?? null;
  const keyed = maskedParams(values, sensitive, 'hash');
  const submitted = { ...options.submitted, ...rateSubmitted(deployment, keyed) };
  return {
    id: options.id ?? services.makeId(),
    flow,
    flowVersion,
    name: options.name ?? (runName === null ? randomName(services.random) : renderName(runName, maskedParams(values, sensitive, 'mask'))),
    deployment: name,
    parentRunId: null,
    parentTaskRunId: null,
    state: stateOf('SCHEDULED'),
    params: withSubmitted(params, submitted, sensitive),
    attempt: 1,
    tags: options.tags ? [...new Set([...deployment.tags, ...options.tags])] : deployment.tags,
    source,
    scheduledFor,
    dueAt: options.dueAt === undefined ? scheduledFor : options.dueAt,
    createdAt: services.clock.now(),
    queue: options.queue ?? deployment.queue,
    priority: options.priority ?? deployment.priority,
    scheduleId: options.scheduleId ?? null,
    backfillId: options.backfillId ?? null,
    fairKey: fairKeyOf(deployment.fairness ?? null, keyed),
    slots: severalOf(deployment.slots ?? 1),
    concurrencyKey: concurrencyKeyOf({
      flow: { name: flow, concurrency: flowConcurrency },
      deployment,
      params: keyed,
    }),
  };
}
