/** Plans what follows from firings of triggers: a run, or none because its chain is too long or its parameters are unavailable. */
import type { MakeId } from '../src/base/id.ts';
import { layOver } from '../src/client/declared-params.ts';
import { deploymentRun } from '../src/engine/submit/deployment-run.ts';
import { decodeValue, encodeValue } from '../src/engine/values/results.ts';
import { sensitivePathsIn, withSensitivePaths } from '../src/model/sensitive.ts';
import { stateOf } from '../src/model/state.ts';
import { maxHops } from '../src/model/triggers/trigger.ts';
import type { DueFiring, PlannedFiring } from '../src/store/store.ts';

export interface FiringParts {
  readonly makeId: MakeId;
  /** In [0, 1); for the names of runs. */
  readonly random: () => number;
}

/** In the order of the firings. One that cannot be planned fails, with the reason, and holds up no other. */
export function planFirings(due: readonly DueFiring[], parts: FiringParts): readonly PlannedFiring[] {
  return due.map((one) => {
    try {
      return planOne(one, parts);
    } catch (error) {
      return { outcome: 'failed', run: null, message: error instanceof Error ? error.message : String(error) };
    }
  });
}

function planOne(one: DueFiring, { makeId, random }: FiringParts): PlannedFiring {
  const { trigger, deployment, flowConcurrency, causes, count, firingId, now } = one;
  const fault = causes.find((cause) => cause.fault !== null)?.fault;
  if (fault) return { outcome: 'failed', run: null, message: fault };
  const last = causes.at(-1);
  if (last === undefined) return { outcome: 'failed', run: null, message: 'Nothing is known of what it fired for.' };
  const hops = Math.max(...causes.map((cause) => cause.hops)) + 1;
  const given = mappedParams(one);
  const run = deploymentRun({ makeId, random, clock: { now: () => now } }, deployment, {
    ...(given === null ? {} : { params: given }),
    flowConcurrency,
    submitted: {
      ...(last.traceparent === null ? {} : { traceparent: last.traceparent }),
      ...(last.callerRunId === null ? {} : { callerRunId: last.callerRunId }),
      trigger: {
        ...{ slug: trigger.slug, firing: firingId, cause: last.label, causeId: last.subject, count, hops },
        ...(given === null ? {} : { unchecked: true }),
      },
    },
  });
  if (hops <= maxHops) return { outcome: 'started', run, message: null };
  const message = `Triggers have started one another ${maxHops} times in a row; the chain ends here, for it seems to feed itself.`;
  return { outcome: 'refused', run: { ...run, dueAt: null, state: stateOf('CANCELLED', 'Skipped', message), endedAt: now }, message };
}

/**
 * The deployment's parameters overridden by the mapped ones, superjson text; null if nothing is mapped. Earlier sources take precedence.
 */
function mappedParams({ trigger, deployment, causes }: DueFiring): string | null {
  if (Object.keys(trigger.rule.params).length === 0) return null;
  const bySource = [...causes].sort((a, b) => b.source - a.source).map(({ given }) => decodeValue(given));
  const mapped = bySource.reduce((all, values) => layOver(all, values), {});
  const sensitive = sensitivePathsIn(deployment.params);
  const params = layOver(decodeValue(deployment.params), mapped);
  return withSensitivePaths(encodeValue(params, `parameters of deployment ${deployment.name}`) ?? 'null', sensitive);
}
