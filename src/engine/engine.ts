/**
 * The engine of a process: takes runs, executes them under a lease, and releases them all when it is closed.
 *
 * It owns every run it has started or continued until that run ends. `close` may be called twice.
 */
import { CpuMeter } from './task/cpu-meter.ts';
import { hideSensitive } from './run/hide-sensitive.ts';
import { BatutaError, isBatutaError } from '../base/errors.ts';
import type { FlowClass } from '../model/flow-types.ts';
import type { EngineListener } from '../model/events.ts';
import type { FlowDefinition } from '../model/flow.ts';
import type { FlowVersion } from '../model/pin.ts';
import type { Run, TaskRun } from '../model/run.ts';
import { hasExpired } from '../model/expiry.ts';
import { isTerminal } from '../model/state.ts';
import { Lifecycle } from '../observe/lifecycle.ts';
import type { Claim, FairTicket, FairTurn } from '../store/store.ts';
import { catchEscaped } from './run/catch-escaped.ts';
import { cancelOnAbort } from './run/cancel.ts';
import { Cache } from './cache/cache.ts';
import { Emissions } from './emissions/emissions.ts';
import { claimOf, claimRefusal, knowsNoDeployments } from './lease/claim.ts';
import { describeFlow } from './submit/describe-flow.ts';
import { HeldWork } from './lease/held-work.ts';
import { type ClaimHearer, RunClaims, type WeightOf } from './lease/run-claims.ts';
import { Leases, leasesOfRuns } from './lease/leases.ts';
import { Limits } from './limits/limits.ts';
import type { Activity } from './waiting/activity.ts';
import { submittedIn } from '../model/submitted.ts';
import { makeRun, ownedFrom, type MakeRunOptions } from './submit/make-run.ts';
import { OwnedRun } from './run/owned-run.ts';
import { refuseClaimed } from './run/pinned.ts';
import { processScope } from './run/resource-scopes.ts';
import { RunOutput } from './run/run-output.ts';
import type { EngineServices, GivenServices } from './services.ts';
import { endExpired, endForRoom, startRun } from './run/start-run.ts';
import { endedBefore, type StartSubFlow, type SubFlowOptions, type SubFlowRun } from './code/sub-flow.ts';

export interface SubmitOptions extends MakeRunOptions {
  /** That of the run whose sub-flow this is. */
  readonly activity?: Activity | null;
  /** Aborting cancels the run; if it is already aborted, nothing is executed. */
  readonly signal?: AbortSignal | undefined;
  readonly listener?: EngineListener | null;
  /** See `OwnedRunOptions`. */
  readonly host?: FlowVersion | null;
}

interface Beginning {
  readonly definition: FlowDefinition;
  readonly run: Run;
  readonly taskRuns: ReadonlyMap<string, TaskRun>;
  readonly listener: EngineListener | null;
  readonly parentActivity: Activity | null;
  /** Whether its limit lets it begin at once; otherwise it waits for its slot. */
  readonly hasSlot: boolean;
  readonly host?: FlowVersion | null;
  readonly signal?: AbortSignal | undefined;
}

export class Engine {
  readonly services: EngineServices;
  readonly #definitionOf: (flow: FlowClass) => FlowDefinition;
  readonly #leases: Leases<Claim>;
  readonly #claims: RunClaims;
  readonly #held = new HeldWork<OwnedRun>();
  readonly #endCatching = catchEscaped();
  readonly #described = new Set<string>();

  /** @param definitionOf reads a class; injected, as reading decorators is not the engine's job. */
  constructor(given: GivenServices, definitionOf: (flow: FlowClass) => FlowDefinition) {
    const services: EngineServices = {
      ...given,
      limits: new Limits(given),
      ...{ cache: new Cache(given), output: new RunOutput(given, this.#held.byId), emissions: new Emissions(given) },
      ...{ lifecycle: new Lifecycle(), cpuMeter: new CpuMeter() },
      resources: processScope(given),
    };
    this.services = services;
    this.#definitionOf = definitionOf;
    const { store, settings, limits, leaseClock: clock, log } = services;
    this.#leases = new Leases({ store: leasesOfRuns(store), clock, log, settings });
    store.recorder.onFenced((claim) => this.#leases.lose(claim));
    this.#claims = new RunClaims(services);
    // An owner polls for cancels; one in this process need not.
    limits.runs.onCancelled((run) => endForRoom(services, run, this.#held.byId.get(run.id)));
  }

  /**
   * Validates the parameters, records the run, and starts it. Durable when the promise resolves.
   * @throws BatutaError PARAMS_INVALID, RESULT_NOT_SERIALIZABLE (parameters that cannot be stored), SHUTDOWN, STORE_…
   */
  submit(definition: FlowDefinition, params: unknown, options: SubmitOptions = {}): Promise<OwnedRun> {
    return this.#held.start(() => this.#submit(definition, params, options));
  }

  async #submit(definition: FlowDefinition, params: unknown, options: SubmitOptions): Promise<OwnedRun> {
    const { services } = this;
    const made = await makeRun(services, definition, params, 'PENDING', options);
    const run = ownedFrom(made, services.owner, services.settings.leaseMs);
    await this.describe(definition);
    const begun = await startRun(services, made, run);
    const { listener = null, activity = null, host = null, signal } = options;
    return this.#execute({ ...begun, definition, taskRuns: new Map(), listener, parentActivity: activity, host, signal });
  }

  /**
   * Claims a run that has no owner and continues it from what is recorded.
   *
   * @throws BatutaError RUN_NOT_FOUND, RUN_OWNED, RUN_STATE_REFUSED (it has ended), RUN_PINNED (to another version), SHUTDOWN, STORE_…
   */
  resume(
    runId: string,
    definition: FlowDefinition,
    listener: EngineListener | null = null,
    { activity = null, host = null }: Pick<SubmitOptions, 'activity' | 'host'> = {},
  ): Promise<OwnedRun> {
    return this.#held.start(() => this.#resume(runId, { definition, listener, parentActivity: activity, host }));
  }

  async #resume(runId: string, begun: Pick<Beginning, 'definition' | 'listener' | 'parentActivity' | 'host'>): Promise<OwnedRun> {
    const { services } = this;
    const outcome = await services.store.runs.claim(runId, services.owner, services.settings.leaseMs, services.isOwnerGone);
    if (!outcome.claimed) throw claimRefusal(runId, outcome);
    if (hasExpired(outcome.run, services.settings.leaseMs) && (await endExpired(services, outcome.run)))
      throw claimRefusal(runId, { claimed: false, reason: 'ended', owner: null, leaseUntil: null });
    const { run } = outcome;
    await refuseClaimed(services.store, run, begun.definition);
    return this.#continue({ ...begun, run, hasSlot: run.concurrencyKey === null });
  }

  /** Continues a run that this process already owns. */
  async #continue(begun: Omit<Beginning, 'taskRuns'>): Promise<OwnedRun> {
    const { run, definition } = begun;
    const { store, log } = this.services;
    let taskRuns: ReadonlyMap<string, TaskRun>;
    try {
      await this.describe(definition);
      // It had no owner before, so nothing can have been recorded.
      taskRuns = run.epoch === 1 ? new Map() : await store.taskRuns.byKeyOfRun(run.id);
    } catch (error) {
      await store.runs.release(claimOf(run)).catch(() => undefined);
      throw error;
    }
    if (run.flowVersion !== definition.version && taskRuns.size > 0) {
      log.warn(
        { runId: run.id },
        `Flow ${definition.name} has changed since this run began (${run.flowVersion} → ${definition.version}); what is recorded is matched by name and inputs.`,
      );
    }
    return this.#execute({ ...begun, taskRuns });
  }

  /**
   * Claims a waiting run; null if it is unavailable: unknown, ended, expired, held or not due. Claims of one turn are one statement.
   *
   * @param hearer notified beforehand if the run takes several places or is unknown
   * @throws BatutaError STORE_…
   */
  claim(runId: string, hearer?: ClaimHearer): Promise<Run | null> {
    return this.#claims.claim(runId, hearer);
  }

  /** The same for a run that takes several places, of which the caller has `slots`. @throws BatutaError STORE_… */
  claimHeavy(runId: string, slots: number): Promise<Run | null> {
    return this.#claims.claimHeavy(runId, slots);
  }

  /**
   * The run whose turn it is, for a ticket that grants one; null if none waits. Calls for the same queue and priority in one turn of the
   * event loop share a transaction.
   *
   * @throws BatutaError STORE_…
   */
  takeTurn(ticket: FairTicket, weightOf: WeightOf): Promise<FairTurn | null> {
    return this.#claims.takeTurn(ticket, weightOf);
  }

  /**
   * Executes a run returned by `claim`. If it cannot begin, it is given back.
   *
   * @throws BatutaError SHUTDOWN, STORE_…
   */
  execute(run: Run, definition: FlowDefinition, listener: EngineListener | null = null): Promise<OwnedRun> {
    const { lifecycle } = this.services;
    if (lifecycle.isObserved) lifecycle.tell({ kind: 'claimed', run, taskRun: null });
    return this.#held.start(() => this.#continue({ run, definition, listener, parentActivity: null, hasSlot: true }));
  }

  /**
   * Lets active runs finish until the deadline, then hands back the rest: each is Scheduled (Resuming), without an owner. Starts nothing
   * from then on. Returns the runs handed back.
   */
  async handBack(deadlineMs: number): Promise<readonly Run[]> {
    const { leaseClock, owner } = this.services;
    const reason = new BatutaError('SHUTDOWN', `The process ${owner.id} was shut down; another continues from what is recorded.`);
    const left = await this.#held.handBack(leaseClock, deadlineMs, reason);
    return left.map(({ run }) => run).filter(({ state }) => !isTerminal(state.type));
  }

  /** The run with that id, while this engine executes it. */
  underWay(runId: string): OwnedRun | undefined {
    return this.#held.byId.get(runId);
  }

  /** Cancels all active runs, waits at most `graceMs`, then settles them as they are. Resolves when everything is recorded. */
  async close({ graceMs = this.services.settings.graceMs, message = 'The process that ran it was shut down.' } = {}): Promise<void> {
    const runs = await this.#held.close((run) => run.cancel(message));
    const force = (): void => runs.forEach((run) => run.force());
    const timer = this.services.leaseClock.setTimer(graceMs, force);
    if (graceMs === 0) force();
    await Promise.allSettled(runs.map(({ ended }) => ended));
    timer.cancel();
    await this.services.resources.close(null);
    await this.services.limits.close();
    await this.services.cache.close();
    await this.services.isolate.close();
    this.#endCatching();
  }

  #execute({ definition, run, taskRuns, listener, parentActivity, hasSlot, host = null, signal }: Beginning): OwnedRun {
    const subFlows: StartSubFlow = {
      definitionOf: this.#definitionOf,
      findDeployed: (name, given) => this.services.findDeployed?.(name, given) ?? Promise.reject(knowsNoDeployments(name)),
      start: (child, params, options) =>
        this.#startSubFlow(child, params, options, {
          ...{ queue: run.queue, priority: run.priority, listener, activity: options.activity },
          refreshCache: submittedIn(run.params).refreshCache ?? false,
          // A class that this one names came from the same file; what a deployment names has its own.
          host: options.deployment === null ? (host ?? { flow: definition.name, version: definition.version }) : null,
        }),
    };
    const owned = new OwnedRun({
      services: this.services,
      leases: this.#leases,
      subFlows,
      definition,
      run,
      claim: claimOf(run),
      taskRuns,
      listener,
      parentActivity,
      heldSince: this.#claims.askedAt(run),
      hasSlot,
      host,
    });
    const forgetSignal = cancelOnAbort(signal, owned);
    const show = hideSensitive(run.params);
    owned.start(() => {
      show?.();
      forgetSignal();
      this.services.limits.runs.freed(run.concurrencyKey);
      this.#held.remove(owned);
    });
    this.#held.add(owned);
    return owned;
  }

  /** Stores the flow's description, once per process and version. */
  async describe(definition: FlowDefinition): Promise<void> {
    const key = `${definition.name}@${definition.version}`;
    if (this.#described.has(key)) return;
    await this.services.store.flows.put(describeFlow(definition, this.services.clock.now()));
    this.#described.add(key);
  }

  async #startSubFlow(
    definition: FlowDefinition,
    params: unknown,
    options: SubFlowOptions,
    inherited: Required<Pick<SubmitOptions, 'queue' | 'priority' | 'listener' | 'activity' | 'refreshCache' | 'host'>>,
  ): Promise<SubFlowRun> {
    const { id, parent, anew, deployment } = options;
    const { runs } = this.services.store;
    const recorded = await runs.get(id);
    if (!recorded) return await this.submit(definition, params, { id, parent, deployment, ...inherited });
    const { type } = recorded.state;
    if (isTerminal(type)) {
      if (!anew || type === 'COMPLETED') return endedBefore(recorded);
      await runs.reopen(id, this.services.clock.now());
    }
    try {
      return await this.resume(id, definition, inherited.listener, inherited);
    } catch (error) {
      // A former owner that has lost our run may have ended it since it was read.
      const ended = isBatutaError(error, 'RUN_STATE_REFUSED') ? await runs.get(id) : null;
      if (ended === null || !isTerminal(ended.state.type)) throw error;
      return endedBefore(ended);
    }
  }
}
