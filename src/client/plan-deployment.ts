/** The target of a deploy: declaration and rows, made of what a user wrote and what is stored. */
import { sensitiveParams } from '../engine/submit/json-schema.ts';
import { withSensitivePaths } from '../model/sensitive.ts';
import { BatutaError } from '../base/errors.ts';
import { hintFor } from '../base/nearest.ts';
import type { Deployment, DeploymentOrigin, DeploymentSchedule, DeploymentVersion } from '../model/deployment.ts';
import type { FlowDefinition } from '../model/flow.ts';
import { nextAfter } from '../model/schedule/schedule.ts';
import type { Trigger } from '../model/triggers/trigger.ts';
import { encodeValue } from '../model/values.ts';
import { describeFlow } from '../engine/submit/describe-flow.ts';
import { templateFields } from '../engine/submit/names.ts';
import { knownFields, validateParams } from '../engine/submit/params.ts';
import type { DeploymentPut, RunsUnderWay, Store, StoredDeployment } from '../store/store.ts';
import { type CheckedSpec, checkSpec, type DeclaredDeployment } from './declared-deployment.ts';
import { declaredOf, layOver } from './declared-params.ts';
import { deployChanges } from './deploy-changes.ts';
import type { DeployChange, DeploymentSpec, GraphChange, TouchedRuns } from './deployments-client.ts';
import { graphChange } from './graph-changes.ts';

/** A requested deployment, checked against its flow. */
export interface WantedDeployment {
  readonly definition: FlowDefinition;
  readonly checked: CheckedSpec;
  readonly declared: DeclaredDeployment;
  /** Validated parameters, superjson text. */
  readonly params: string;
  /** The same for schedules that have their own, by slug. */
  readonly scheduleParams: ReadonlyMap<string, string>;
  readonly origin: DeploymentOrigin;
}

export interface DeploymentPlan {
  readonly put: DeploymentPut;
  readonly outcome: 'created' | 'changed' | 'unchanged';
  readonly changes: readonly DeployChange[];
  readonly graph: GraphChange | null;
}

/** @throws BatutaError OPTION_INVALID, TRIGGER_INVALID, PARAMS_INVALID, RESULT_NOT_SERIALIZABLE, and what `checkSpec` throws */
export async function wantDeployment(
  spec: DeploymentSpec,
  definition: FlowDefinition,
  origin: DeploymentOrigin,
): Promise<WantedDeployment> {
  const checked = checkSpec(spec, definition.name);
  refuseUnknownKey(checked, definition);
  refuseUnknownParams(checked, definition);
  const what = `parameters of deployment ${checked.name}`;
  const sensitive = sensitiveParams(definition.params);
  const encodeDeclared = (value: unknown): string | null => {
    const text = encodeValue(value, what);
    return text === null ? null : withSensitivePaths(text, sensitive);
  };
  const encode = (value: unknown): string => encodeDeclared(value) ?? 'null';
  const scheduleParams = new Map<string, string>();
  for (const { slug, params } of checked.schedules) {
    if (params !== undefined) scheduleParams.set(slug, encode(await validateParams(definition, layOver(spec.params, params))));
  }
  // What a trigger maps is known when it fires, and checked when its run begins.
  const isMapped = (checked.triggers ?? []).some(({ rule }) => Object.keys(rule.params).length > 0);
  const othersHaveAll = scheduleParams.size === checked.schedules.length && (checked.schedules.length > 0 || isMapped);
  const validated = await validateParams(definition, spec.params).then(
    (value) => ({ value, complete: true }),
    (error: unknown) => {
      if (othersHaveAll) return { value: spec.params ?? {}, complete: false };
      throw error;
    },
  );
  const { paused: _, ...facts } = checked;
  const declared: DeclaredDeployment = {
    ...facts,
    runName: checked.runName ?? (typeof definition.runName === 'string' ? definition.runName : null),
    params: encodeDeclared(spec.params),
    complete: validated.complete,
    schedules: checked.schedules.map(({ slug, schedule, params, jitterMs }) => ({
      slug,
      schedule,
      params: encodeDeclared(params),
      jitterMs,
    })),
  };
  return { definition, checked, declared, params: encode(validated.value), scheduleParams, origin };
}

/** The rows to write, besides what is stored; an existing deployment keeps identity, pauses and the ticks of unchanged rules. */
export function planDeployment(
  wanted: WantedDeployment,
  stored: StoredDeployment | null,
  version: DeploymentVersion | null,
  now: number,
  makeId: () => string,
): DeploymentPlan {
  const { definition, declared, origin } = wanted;
  const { graph } = describeFlow(definition, now);
  const source = sourceOf(definition);
  const before = stored && version ? declaredOf(version) : null;
  const facts = { flowVersion: definition.version, source, origin };
  const earlier = stored && { flowVersion: stored.flowVersion, source: stored.source, origin: stored.origin };
  const changes = earlier && before ? deployChanges({ ...before, ...earlier }, { ...declared, ...facts }) : [];
  const rewired = version ? graphChange(version.graph, graph) : null;
  const outcome = !stored ? 'created' : changes.length > 0 || rewired || !before ? 'changed' : 'unchanged';
  const deployment: Deployment = {
    id: stored?.id ?? makeId(),
    ...{ name: declared.name, flow: definition.name, flowVersion: definition.version, source },
    version: (stored?.version ?? 0) + 1,
    description: declared.description ?? definition.description,
    params: wanted.params,
    tags: [...new Set([...definition.tags, ...declared.tags])],
    ...{ queue: declared.queue, priority: declared.priority, concurrency: declared.concurrency },
    ...(declared.rateLimit ? { rateLimit: declared.rateLimit } : {}),
    ...slotsOf(declared.slots, definition),
    ...fairnessOf(declared.fairness, definition),
    ...{ catchup: declared.catchup, catchupWindowMs: declared.catchupWindowMs, overlap: declared.overlap },
    ...{ retentionMs: declared.retentionMs, runName: declared.runName },
    pausedAt: stored ? stored.pausedAt : wanted.checked.paused ? now : null,
    origin,
    createdAt: stored?.createdAt ?? now,
    updatedAt: now,
  };
  const schedules = wanted.checked.schedules.map((one): DeploymentSchedule => {
    const earlier = stored?.schedules.find(({ slug }) => slug === one.slug);
    const isSame = earlier && JSON.stringify(earlier.schedule) === JSON.stringify(one.schedule);
    return {
      id: earlier?.id ?? makeId(),
      ...{ deployment: declared.name, slug: one.slug, schedule: one.schedule },
      params: wanted.scheduleParams.get(one.slug) ?? null,
      jitterMs: one.jitterMs,
      pausedAt: earlier ? earlier.pausedAt : one.paused ? now : null,
      nextTickAt: isSame && earlier.fault === undefined ? earlier.nextTickAt : nextAfter(one.schedule, now),
      createdAt: earlier?.createdAt ?? now,
    };
  });
  const triggers = (declared.triggers ?? []).map(({ slug, rule }): Trigger => {
    const earlier = stored?.triggers?.find((one) => one.slug === slug);
    return { id: earlier?.id ?? makeId(), deployment: declared.name, slug, rule, createdAt: earlier?.createdAt ?? now };
  });
  return {
    put: { deployment, schedules, ...(triggers.length === 0 ? {} : { triggers }), graph, spec: declared },
    outcome,
    changes,
    graph: rewired,
  };
}

/** The flow's are stored in the deployment as well: a run of it can be made without the class. */
function slotsOf(declared: number | undefined, { slots }: FlowDefinition): Pick<Deployment, 'slots'> {
  return declared === undefined && slots === 1 ? {} : { slots: declared ?? slots };
}

function fairnessOf(declared: string | undefined, { fairness }: FlowDefinition): Pick<Deployment, 'fairness'> {
  if (declared !== undefined) return { fairness: declared };
  return typeof fairness?.key === 'string' ? { fairness: fairness.key } : {};
}

/** A key over a missing parameter would be the same for all runs. */
function refuseUnknownKey({ name, concurrency, rateLimit, fairness }: CheckedSpec, definition: FlowDefinition): void {
  const known = definition.params && knownFields(definition.params);
  for (const [option, key] of Object.entries({ concurrency: concurrency?.key, rateLimit: rateLimit?.key, fairness })) {
    if (!known || !key) continue;
    const unknown = templateFields(key).find((field) => !known.includes(field));
    if (unknown === undefined) continue;
    throw new BatutaError(
      'OPTION_INVALID',
      `Deployment ${name}: the key of ${option} names {${unknown}}, which is no parameter of flow ${definition.name}.${hintFor(unknown, known, 'Its parameters are')}`,
      { details: { option, deployment: name } },
    );
  }
}

/** What a trigger maps must be a parameter of the flow. */
function refuseUnknownParams({ name, triggers = [] }: CheckedSpec, definition: FlowDefinition): void {
  const known = definition.params && knownFields(definition.params);
  if (!known) return;
  for (const { slug, rule } of triggers) {
    const unknown = Object.keys(rule.params).find((field) => !known.includes(field));
    if (unknown === undefined) continue;
    throw new BatutaError(
      'TRIGGER_INVALID',
      `Deployment ${name}, trigger ${slug}: flow ${definition.name} has no parameter '${unknown}'.${hintFor(unknown, known, 'Its parameters are')}`,
      { details: { deployment: name, trigger: slug } },
    );
  }
}

function sourceOf({ source }: FlowDefinition): string | null {
  return source === null ? null : `${source.file}#${source.exportName}`;
}

/** By flow, for plans that change something; flows without such runs are omitted. One statement. @throws BatutaError STORE_… */
export async function touchedRuns(
  { pins }: Pick<Store, 'pins'>,
  plans: readonly DeploymentPlan[],
): Promise<ReadonlyMap<string, TouchedRuns>> {
  const deployed = plans.filter(({ outcome }) => outcome !== 'unchanged').map(({ put }) => put.deployment);
  const versions = new Map(deployed.map(({ flow, flowVersion }) => [flow, flowVersion]));
  const touched = new Map<string, RunsUnderWay[]>();
  for (const row of await pins.byVersion([...versions.keys()])) {
    if (row.version !== versions.get(row.flow)) touched.set(row.flow, [...(touched.get(row.flow) ?? []), row]);
  }
  return new Map([...touched].map(([flow, rows]) => [flow, { continuing: byState(rows, false), pinned: byState(rows, true) }]));
}

function byState(rows: readonly RunsUnderWay[], pinned: boolean): TouchedRuns['pinned'] {
  const counts: Record<string, number> = {};
  for (const { name, runs, isPinned } of rows) if (isPinned === pinned) counts[name] = (counts[name] ?? 0) + runs;
  return counts;
}
