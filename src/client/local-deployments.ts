/** Deployments of the local client, over an open store. Code that reads schedules is loaded on first use: most processes never need it. */
import { sensitiveParams } from '../engine/submit/json-schema.ts';
import { submittedBy } from '../engine/submit/submitted-by.ts';
import { withSensitivePaths } from '../model/sensitive.ts';
import { checkOptions } from './call-options.ts';
import { checkFilter } from '../model/list-filters.ts';
import type { Clock } from '../base/clock.ts';
import { BatutaError } from '../base/errors.ts';
import { hintFor } from '../base/nearest.ts';
import { expiryOf } from '../engine/submit/expiry.ts';
import { deploymentRun } from '../engine/submit/deployment-run.ts';
import type { Engine } from '../engine/engine.ts';
import { outsideRuns } from '../engine/run/flow-scope.ts';
import { renderName } from '../engine/submit/names.ts';
import { validateParams } from '../engine/submit/params.ts';
import { encodeValue } from '../engine/values/results.ts';
import type { FlowDefinition } from '../model/flow.ts';
import type { Run } from '../model/run.ts';
import type { NewRun, Page, Store, StoredDeployment, WaitingRun } from '../store/store.ts';
import type { EnqueueOptions, RunHandle } from './client.ts';
import type {
  DeploymentFilter,
  DeploymentSpec,
  DeploymentsClient,
  DeploymentView,
  DeployReport,
  TriggersView,
  UpcomingTick,
} from './deployments-client.ts';
import { declaredOf, declaredParams, layOver } from './declared-params.ts';
import { noDeployment } from './find-deployed.ts';
import { refuseSelfFeeding } from './refuse-self-feeding.ts';
import type { DeploymentPlan, WantedDeployment } from './plan-deployment.ts';

export interface LocalDeploymentsOptions {
  readonly store: Store;
  readonly engine: Engine;
  readonly clock: Clock;
  /** The definition of what a user names or passes. @throws BatutaError FLOW_NOT_FOUND, FLOW_AMBIGUOUS, FILE_… */
  readonly definitionOf: (flow: DeploymentSpec['flow']) => Promise<FlowDefinition>;
  /** The definition of a recorded flow. @throws BatutaError FLOW_NOT_FOUND, FILE_… */
  readonly findDefinition: (recorded: Pick<Run, 'flow' | 'source'>) => Promise<FlowDefinition>;
  /** Records the run and wakes a worker; returns the id of the resulting run. */
  readonly submit: (row: WaitingRun) => Promise<string>;
  readonly handleOf: (runId: string) => Promise<RunHandle>;
  /** Has schedulers check at once. Best effort, never rejects. */
  readonly tellSchedulers: (message: string) => Promise<void>;
}

/** Tries of a deploy while others deploy the same. */
const maxTries = 10;
/** Names per statement. */
const chunkNames = 1_000;

export class LocalDeployments implements DeploymentsClient {
  readonly #options: LocalDeploymentsOptions;

  constructor(options: LocalDeploymentsOptions) {
    this.#options = options;
  }

  async deploy(
    specs: readonly DeploymentSpec[],
    { origin = 'command', dryRun = false, prune = false }: NonNullable<Parameters<DeploymentsClient['deploy']>[1]> = {},
  ): Promise<readonly DeployReport[]> {
    const { definitionOf, engine, store, tellSchedulers } = this.#options;
    const { wantDeployment } = await import('./plan-deployment.ts');
    const wanted: WantedDeployment[] = [];
    for (const spec of specs) {
      const definition = await definitionOf(spec.flow);
      wanted.push(
        await this.#calls(definition, () => wantDeployment(spec, definition, origin)).catch((error: unknown) => {
          throw specs.length === 1 ? error : inDeployment(spec.name ?? definition.name, error);
        }),
      );
    }
    refuseTwice(wanted.map(({ declared }) => declared.name));
    for (let tries = 1; ; tries++) {
      const plans = await this.#plan(wanted);
      const removed = prune ? await this.#toPrune(new Set(wanted.map(({ declared }) => declared.name))) : [];
      await refuseSelfFeeding(store, plans, removed);
      const puts = plans.filter(({ outcome }) => outcome !== 'unchanged').map(({ put }) => put);
      if (!dryRun && puts.length + removed.length > 0) {
        for (const { definition } of wanted) await engine.describe(definition);
        if (!(await store.deployments.put(puts, removed))) {
          if (tries < maxTries) continue;
          throw new BatutaError(
            'STORE_UNAVAILABLE',
            'The same deployments are being deployed concurrently. Nothing was changed; try again.',
          );
        }
        await tellSchedulers(puts.length === 1 ? (puts[0]?.deployment.name ?? '') : '');
      }
      return await this.#reports(plans, removed);
    }
  }

  async list(filter: DeploymentFilter = {}): Promise<Page<DeploymentView>> {
    checkFilter('deployments', filter);
    const { items, next } = await this.#options.store.deployments.list(filter);
    return { items: await this.#views(items), next };
  }

  async get(name: string): Promise<DeploymentView> {
    const [view] = await this.#views([await this.#stored(name)]);
    if (!view) throw await this.#unknown(name);
    return view;
  }

  async versions(...[name, page]: Parameters<DeploymentsClient['versions']>): ReturnType<DeploymentsClient['versions']> {
    await this.#stored(name);
    return await this.#options.store.deployments.versions(name, page);
  }

  async run(name: string, params?: Readonly<Record<string, unknown>>, options: EnqueueOptions = {}): Promise<RunHandle> {
    checkOptions('enqueue', options);
    const { startAt, idempotencyKey, ttl, debounce, traceparent, callerRunId, refreshCache, ...rest } = options;
    if (debounce !== undefined)
      throw new BatutaError('OPTION_INVALID', 'Runs of deployments cannot be debounced; submit its flow instead.');
    const said = submittedBy({ traceparent, callerRunId, refreshCache });
    const expiresAt = expiryOf(ttl, startAt, this.#options.clock.now());
    const { deployment, definition, text } = await this.#paramsOf(name, params);
    const { tracer, makeId } = this.#options.engine.services;
    const id = makeId();
    const traced = tracer ? { ...said, traceparent: tracer.submit({ id, flow: deployment.flow }, said.traceparent) } : said;
    const submitted = expiresAt === null ? traced : { expiresAt, ...traced };
    const scheduledFor = startAt === undefined ? null : Number(startAt);
    const calls = <T>(work: () => T): T => (definition ? this.#calls(definition, work) : work());
    const named = rest.name ?? calls(() => (definition ? nameByFlow(deployment, definition, text.value) : undefined));
    const flow = definition ? definition.runConcurrency : ((await this.#options.store.flows.get(deployment.flow))?.concurrency ?? null);
    const made = { ...rest, id, submitted, params: text.encoded, flowConcurrency: flow, scheduledFor };
    const run: NewRun = calls(() =>
      deploymentRun(this.#options.engine.services, deployment, { ...made, ...(named === undefined ? {} : { name: named }) }),
    );
    const placed = await this.#options.submit({ run, idempotencyKey: idempotencyKey ?? null, expiresAt });
    return await this.#options.handleOf(placed);
  }

  pause(name: string, schedule?: string): Promise<DeploymentView> {
    return this.#switch(name, schedule, (slug) => this.#options.store.deployments.pause(name, slug, this.#options.clock.now()));
  }

  resume(name: string, schedule?: string): Promise<DeploymentView> {
    return this.#switch(name, schedule, (slug) => this.#options.store.deployments.resume(name, slug, this.#options.clock.now()));
  }

  async delete(name: string): Promise<void> {
    if (!(await this.#options.store.deployments.delete(name))) throw await this.#unknown(name);
    await this.#options.tellSchedulers(name);
  }

  async upcoming(options: { readonly deployment?: string; readonly limit?: number } = {}): Promise<readonly UpcomingTick[]> {
    const { store, clock } = this.#options;
    if (options.deployment !== undefined) await this.#stored(options.deployment);
    const { upcomingTicks } = await import('./upcoming.ts');
    return await upcomingTicks(store, clock.now(), options);
  }

  async triggers(name: string, { limit = 20 }: { readonly limit?: number } = {}): Promise<TriggersView> {
    checkFilter('firings', { limit });
    await this.#stored(name);
    const { triggers } = this.#options.store;
    return { waits: await triggers.waits(name), firings: await triggers.firings(name, limit) };
  }

  async #plan(wanted: readonly WantedDeployment[]): Promise<DeploymentPlan[]> {
    const { store, clock, engine } = this.#options;
    const { planDeployment } = await import('./plan-deployment.ts');
    const plans: DeploymentPlan[] = [];
    for (let start = 0; start < wanted.length; start += chunkNames) {
      const chunk = wanted.slice(start, start + chunkNames);
      const names = chunk.map(({ declared }) => declared.name);
      const stored = new Map((await store.deployments.getMany(names)).map((one) => [one.name, one]));
      const versions = new Map((await store.deployments.presentVersions(names)).map((one) => [one.deployment, one]));
      const now = clock.now();
      plans.push(
        ...chunk.map((one) => {
          const { name } = one.declared;
          return planDeployment(one, stored.get(name) ?? null, versions.get(name) ?? null, now, engine.services.makeId);
        }),
      );
    }
    return plans;
  }

  async #toPrune(kept: ReadonlySet<string>): Promise<readonly StoredDeployment[]> {
    const { deployments } = this.#options.store;
    const names = (await deployments.names('config')).map(({ name }) => name).filter((name) => !kept.has(name));
    return await deployments.getMany(names);
  }

  async #reports(plans: readonly DeploymentPlan[], removed: readonly StoredDeployment[]): Promise<readonly DeployReport[]> {
    const shown = plans.map(({ put, outcome }) => {
      const version = outcome === 'unchanged' ? put.deployment.version - 1 : put.deployment.version;
      const { schedules, triggers } = put;
      return { ...put.deployment, version, schedules, ...(triggers && { triggers }) };
    });
    const views = await this.#views([...shown, ...removed]);
    const { touchedRuns } = await import('./plan-deployment.ts');
    const touched = await touchedRuns(this.#options.store, plans);
    return views.map((deployment, at) => {
      const plan = plans[at];
      return plan
        ? {
            outcome: plan.outcome,
            deployment,
            changes: plan.changes,
            graph: plan.graph,
            touched: plan.outcome === 'unchanged' ? null : (touched.get(deployment.flow) ?? null),
          }
        : { outcome: 'deleted', deployment, changes: [], graph: null, touched: null };
    });
  }

  async #views(stored: readonly StoredDeployment[]): Promise<DeploymentView[]> {
    if (stored.length === 0) return [];
    const last = await this.#options.store.deployments.lastRuns(stored.map(({ name }) => name));
    return stored.map((one) => ({ ...one, lastRun: last.get(one.name) ?? null }));
  }

  /** The deployment's with the given ones merged over them, validated; the flow is only loaded if needed. */
  async #paramsOf(name: string, params: Readonly<Record<string, unknown>> | undefined) {
    const deployment = await this.#stored(name);
    const [version = null] = await this.#options.store.deployments.presentVersions([name]);
    if (params === undefined && version && declaredOf(version)?.complete === true)
      return { deployment, definition: null, text: { encoded: deployment.params, value: undefined } };
    const definition = await this.#options.findDefinition(deployment);
    const value = await this.#calls(definition, () => validateParams(definition, layOver(declaredParams(version), params)));
    return {
      deployment,
      definition,
      text: {
        encoded: withSensitivePaths(encodeValue(value, `parameters of deployment ${name}`) ?? 'null', sensitiveParams(definition.params)),
        value,
      },
    };
  }

  async #switch(name: string, schedule: string | undefined, change: (slug: string | null) => Promise<boolean>): Promise<DeploymentView> {
    const stored = await this.#stored(name);
    const slugs = stored.schedules.map(({ slug }) => slug);
    if (schedule !== undefined && !slugs.includes(schedule)) throw unknownSchedule(name, schedule, slugs);
    if (!(await change(schedule ?? null))) throw await this.#unknown(name);
    await this.#options.tellSchedulers(name);
    return await this.get(name);
  }

  async #stored(name: string): Promise<StoredDeployment> {
    const stored = await this.#options.store.deployments.get(name);
    if (!stored) throw await this.#unknown(name);
    return stored;
  }

  /** See `outsideRuns`. */
  #calls<T>(definition: FlowDefinition, work: () => T): T {
    return outsideRuns(this.#options.engine.services.log, definition, work);
  }

  #unknown(name: string): Promise<BatutaError> {
    return noDeployment(this.#options.store, name);
  }
}

/** A name that only a function of the flow can make; the deployment itself knows templates. */
function nameByFlow({ runName }: StoredDeployment, definition: FlowDefinition, params: unknown): string | undefined {
  return runName === null && typeof definition.runName === 'function' ? renderName(definition.runName, params) : undefined;
}

function unknownSchedule(deployment: string, schedule: string, slugs: readonly string[]): BatutaError {
  const hint = slugs.length === 0 ? ' It has none.' : hintFor(schedule, slugs, 'Its schedules are');
  return new BatutaError('DEPLOYMENT_NOT_FOUND', `Deployment ${deployment} has no schedule '${schedule}'.${hint}`, {
    details: { deployment, schedule },
  });
}

/** If many are deployed together, the error names the one it is about. */
function inDeployment(name: string, error: unknown): unknown {
  if (!(error instanceof BatutaError) || error.code === 'NAME_INVALID' || error.message.startsWith(`Deployment ${name}`)) return error;
  return new BatutaError(error.code, `Deployment ${name}: ${error.message}`, { details: error.details, cause: error });
}

function refuseTwice(names: readonly string[]): void {
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice === undefined) return;
  throw new BatutaError('NAME_INVALID', `Two deployments are called '${twice}'; give each a name of its own.`, {
    details: { deployment: twice },
  });
}
