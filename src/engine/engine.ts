/**
 * The engine of a process: takes runs, executes them under a lease, and lets go of all of them when it is closed.
 *
 * It owns every run it has started or continued until that has ended. `close` may be called twice.
 */
import { BatutaError } from '../base/errors.ts';
import type { FlowClass } from '../model/flow-types.ts';
import type { EngineListener } from '../model/events.ts';
import type { FlowDefinition } from '../model/flow.ts';
import type { Run, TaskRun } from '../model/run.ts';
import { isTerminal } from '../model/state.ts';
import { catchEscaped } from './run/catch-escaped.ts';
import { cancelOnAbort } from './run/cancel-on-abort.ts';
import { ClaimBatcher } from './lease/claim-batcher.ts';
import { claimOf } from './lease/claim-of.ts';
import { claimRefusal, knowsNoDeployments } from './lease/claim-refusal.ts';
import { describeFlow } from './submit/describe-flow.ts';
import { Leases } from './lease/leases.ts';
import { LimitDesk } from './limits/limit-desk.ts';
import type { Parking } from './waiting/parking.ts';
import { makeRun, ownedFrom, type MakeRunOptions } from './submit/make-run.ts';
import { FlowRun } from './run/run-flow.ts';
import { RunOutput } from './run/run-output.ts';
import type { EngineServices } from './services.ts';
import { endForRoom, startRun } from './run/start-run.ts';
import { subFlowRun } from './code/sub-flow-run.ts';
import type { StartSubFlow, SubFlowOptions, SubFlowRun } from './code/sub-flow.ts';

export interface SubmitOptions extends MakeRunOptions {
  /** Of the run that this one is a sub-flow of. */
  readonly parking?: Parking | null;
  /** Aborting cancels the run; of one that is aborted already nothing is executed. */
  readonly signal?: AbortSignal | undefined;
  readonly listener?: EngineListener | null;
}

/** A run that this engine executes. */
export interface RunUnderWay {
  readonly flowRun: FlowRun;
  /** The run as last recorded; rejects with `STORE_…` only. */
  readonly ended: Promise<Run>;
}

interface Beginning {
  readonly definition: FlowDefinition;
  readonly run: Run;
  readonly taskRuns: ReadonlyMap<string, TaskRun>;
  readonly listener: EngineListener | null;
  readonly parentParking: Parking | null;
  /** Whether it may begin at once as far as its limit goes; else it waits for its slot. */
  readonly hasSlot: boolean;
  readonly signal?: AbortSignal | undefined;
}

export class Engine {
  readonly services: EngineServices;
  readonly #definitionOf: (flow: FlowClass) => FlowDefinition;
  readonly #leases: Leases;
  readonly #claims: ClaimBatcher;
  readonly #underWay = new Map<string, RunUnderWay>();
  readonly #endCatching = catchEscaped();
  readonly #described = new Set<string>();
  /** When the claim of a run that `claim` gave was asked for, monotonic ms. */
  readonly #heldSince = new WeakMap<Run, number>();
  /** Runs that are being recorded or claimed, and are not under way yet. */
  readonly #starting = new Set<Promise<unknown>>();
  #closing = false;

  /** @param definitionOf reads a class; handed in because reading decorators is not the engine's. */
  constructor(given: Omit<EngineServices, 'limits' | 'output'>, definitionOf: (flow: FlowClass) => FlowDefinition) {
    const services: EngineServices = { ...given, limits: new LimitDesk(given), output: new RunOutput(given, this.#underWay) };
    this.services = services;
    this.#definitionOf = definitionOf;
    this.#leases = new Leases({ store: services.store, clock: services.leaseClock, log: services.log, settings: services.settings });
    const { store, owner, settings, limits } = services;
    this.#claims = new ClaimBatcher((ids, missing) =>
      store.fleet.claimMany(ids, owner, settings.leaseMs, {
        isAlone: settings.isAlone,
        missing,
        cancelled: (run) => limits.runs.cancelled([run]),
      }),
    );
    // An owner hears of a cancel by looking, which it need not where it sits in this process.
    limits.runs.onCancelled((run) => endForRoom(services, run, this.#underWay.get(run.id)?.flowRun));
  }

  /**
   * Validates the parameters, records the run, and starts it. Durable when the promise resolves.
   * @throws BatutaError PARAMS_INVALID, RESULT_NOT_SERIALIZABLE (parameters that cannot be stored), SHUTDOWN, STORE_…
   */
  submit(definition: FlowDefinition, params: unknown, options: SubmitOptions = {}): Promise<RunUnderWay> {
    return this.#start(() => this.#submit(definition, params, options));
  }

  async #submit(definition: FlowDefinition, params: unknown, options: SubmitOptions): Promise<RunUnderWay> {
    const { services } = this;
    const made = await makeRun(services, definition, params, 'PENDING', options);
    const { leaseMs } = services.settings;
    const run = ownedFrom(made, services.owner, leaseMs);
    await this.describe(definition);
    const begun = await startRun(services, made, run);
    const { listener = null, parking = null, signal } = options;
    return this.#execute({ ...begun, definition, taskRuns: new Map(), listener, parentParking: parking, signal });
  }

  /**
   * Claims a run that nobody holds and continues it from what is recorded.
   *
   * @throws BatutaError RUN_NOT_FOUND, RUN_OWNED, RUN_STATE_REFUSED (it has ended), SHUTDOWN, STORE_…
   */
  resume(
    runId: string,
    definition: FlowDefinition,
    listener: EngineListener | null = null,
    parking: Parking | null = null,
  ): Promise<RunUnderWay> {
    return this.#start(() => this.#resume(runId, definition, listener, parking));
  }

  async #resume(runId: string, definition: FlowDefinition, listener: EngineListener | null, parking: Parking | null): Promise<RunUnderWay> {
    const { services } = this;
    const outcome = await services.store.runs.claim(runId, services.owner, services.settings.leaseMs, services.isOwnerGone);
    if (!outcome.claimed) throw claimRefusal(runId, outcome);
    const hasSlot = outcome.run.concurrencyKey === null;
    return this.#continue({ run: outcome.run, definition, listener, parentParking: parking, hasSlot });
  }

  /** Goes on with a run that is this process's already. */
  async #continue(begun: Omit<Beginning, 'taskRuns'>): Promise<RunUnderWay> {
    const { run, definition } = begun;
    const { store, log } = this.services;
    let taskRuns: ReadonlyMap<string, TaskRun>;
    try {
      await this.describe(definition);
      // Nobody had it before, so nothing can have been recorded.
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
   * Claims a run that waits; null when it is not to be had: unknown, ended, held or not due. Claims of one turn are one statement.
   *
   * @param onMissing is told beforehand where it is unknown
   * @throws BatutaError STORE_…
   */
  async claim(runId: string, onMissing?: () => void): Promise<Run | null> {
    const askedAt = this.services.leaseClock.monotonic();
    const run = await this.#claims.claim(runId, onMissing);
    if (run) this.#heldSince.set(run, askedAt);
    return run;
  }

  /**
   * Executes a run that `claim` gave. When it cannot begin, it is given back.
   *
   * @throws BatutaError SHUTDOWN, STORE_…
   */
  execute(run: Run, definition: FlowDefinition, listener: EngineListener | null = null): Promise<RunUnderWay> {
    return this.#start(() => this.#continue({ run, definition, listener, parentParking: null, hasSlot: true }));
  }

  /**
   * Lets runs under way finish until the deadline, then leaves the rest to other owners: each is Scheduled (Resuming) and nobody's.
   * Starts nothing from then on. Gives the runs that were left.
   */
  async handBack(deadlineMs: number): Promise<readonly Run[]> {
    const { leaseClock } = this.services;
    const deadline = new AbortController();
    const late = leaseClock.sleep(deadlineMs, deadline.signal).catch(() => undefined);
    const ended = async (): Promise<void> => {
      while (this.#underWay.size > 0 || this.#starting.size > 0)
        await Promise.allSettled([...this.#starting, ...[...this.#underWay.values()].map((one) => one.ended)]);
    };
    await Promise.race([ended(), late]);
    deadline.abort();
    this.#closing = true;
    const left: RunUnderWay[] = [];
    const reason = new BatutaError(
      'SHUTDOWN',
      `The process ${this.services.owner.id} was shut down; another goes on from what is recorded.`,
    );
    while (this.#underWay.size > 0 || this.#starting.size > 0) {
      const now = [...this.#underWay.values()].filter((one) => !left.includes(one));
      for (const { flowRun } of now) flowRun.abandon(reason);
      left.push(...now);
      await Promise.allSettled([...this.#starting, ...now.map((one) => one.ended)]);
    }
    return left.map(({ flowRun }) => flowRun.run).filter(({ state }) => !isTerminal(state.type));
  }

  /** Starts a run, unless this engine is closing, which waits for those it has begun to start. */
  async #start(start: () => Promise<RunUnderWay>): Promise<RunUnderWay> {
    if (this.#closing) throw new BatutaError('SHUTDOWN', 'This process takes no new runs: it is shutting down.');
    const starting = start();
    this.#starting.add(starting);
    try {
      return await starting;
    } finally {
      this.#starting.delete(starting);
    }
  }

  /** The run of that id, while this engine executes it. */
  underWay(runId: string): RunUnderWay | undefined {
    return this.#underWay.get(runId);
  }

  /**
   * Cancels what is under way, waits for it at most `graceMs`, then settles it as it is. Resolves when all of it is recorded.
   */
  async close({ graceMs = this.services.settings.graceMs, message = 'The process that ran it was shut down.' } = {}): Promise<void> {
    this.#closing = true;
    for (const { flowRun } of this.#underWay.values()) flowRun.cancel(message);
    while (this.#starting.size > 0) await Promise.allSettled(this.#starting);
    const runs = [...this.#underWay.values()];
    for (const { flowRun } of runs) flowRun.cancel(message);
    const force = (): void => runs.forEach(({ flowRun }) => flowRun.force());
    const timer = this.services.leaseClock.setTimer(graceMs, force);
    if (graceMs === 0) force();
    await Promise.allSettled(runs.map(({ ended }) => ended));
    timer.cancel();
    await this.services.limits.close();
    await this.services.isolate.close();
    this.#endCatching();
  }

  #execute({ definition, run, taskRuns, listener, parentParking, hasSlot, signal }: Beginning): RunUnderWay {
    const claim = claimOf(run);
    const subFlows: StartSubFlow = {
      definitionOf: this.#definitionOf,
      findDeployed: (name, given) => this.services.findDeployed?.(name, given) ?? Promise.reject(knowsNoDeployments(name)),
      start: (child, params, options) =>
        this.#startSubFlow(child, params, options, { queue: run.queue, priority: run.priority, listener, parking: options.parking }),
    };
    const flowRun = new FlowRun({
      services: this.services,
      leases: this.#leases,
      subFlows,
      definition,
      run,
      claim,
      taskRuns,
      listener,
      parentParking,
      heldSince: this.#heldSince.get(run),
      hasSlot,
    });
    const forgetSignal = cancelOnAbort(signal, flowRun);
    const ended = flowRun.execute().finally(() => {
      forgetSignal();
      this.services.limits.runs.freed(run.concurrencyKey);
      // It may have been lost, and taken anew by this very process.
      if (this.#underWay.get(run.id) === underWay) this.#underWay.delete(run.id);
    });
    // Whoever waits for it gets the error; when nobody does, it is not unhandled.
    ended.catch(() => undefined);
    const underWay: RunUnderWay = { flowRun, ended };
    this.#underWay.set(run.id, underWay);
    return underWay;
  }

  /** Stores what the flow looks like, once per process and version. */
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
    inherited: Required<Pick<SubmitOptions, 'queue' | 'priority' | 'listener' | 'parking'>>,
  ): Promise<SubFlowRun> {
    const { id, parent, anew, deployment } = options;
    const { runs } = this.services.store;
    const recorded = await runs.get(id);
    if (!recorded) return subFlowRun(await this.submit(definition, params, { id, parent, deployment, ...inherited }));
    const { type } = recorded.state;
    if (isTerminal(type)) {
      const standing = { runId: id, ended: Promise.resolve(recorded), parking: null, outcome: null, stop: () => undefined };
      if (!anew || type === 'COMPLETED') return standing;
      await runs.reopen(id, this.services.clock.now());
    }
    return subFlowRun(await this.resume(id, definition, inherited.listener, inherited.parking));
  }
}
