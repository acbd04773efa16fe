/**
 * The engine of a process: takes runs, executes them under a lease, and lets go of all of them when it is closed.
 *
 * It owns every run it has started or continued until that has ended. `close` may be called twice.
 */
import { BatutaError } from '../base/errors.ts';
import type { FlowClass } from '../model/context.ts';
import type { EngineListener } from '../model/events.ts';
import type { FlowDefinition } from '../model/flow.ts';
import type { Run, TaskRun } from '../model/run.ts';
import { isTerminal, stateOf } from '../model/state.ts';
import type { Claim } from '../store/store.ts';
import { describeFlow } from './describe-flow.ts';
import { Leases } from './leases.ts';
import { randomName, renderName } from './names.ts';
import { validateParams } from './params.ts';
import { encodeValue } from './results.ts';
import { FlowRun } from './run-flow.ts';
import type { EngineServices } from './services.ts';
import type { StartSubFlow, SubFlowOptions, SubFlowRun } from './sub-flow.ts';

export interface SubmitOptions {
  readonly id?: string;
  readonly name?: string;
  readonly tags?: readonly string[];
  readonly parent?: { readonly runId: string; readonly taskRunId: string };
  readonly listener?: EngineListener | null;
}

/** A run that this engine executes. */
export interface RunUnderWay {
  readonly flowRun: FlowRun;
  /** The run as last recorded; rejects with `STORE_…` only. */
  readonly ended: Promise<Run>;
}

export class Engine {
  readonly services: EngineServices;
  readonly #definitionOf: (flow: FlowClass) => FlowDefinition;
  readonly #leases: Leases;
  readonly #underWay = new Map<string, RunUnderWay>();
  readonly #described = new Set<string>();
  /** Runs that are being recorded or claimed, and are not under way yet. */
  readonly #starting = new Set<Promise<unknown>>();
  #closing = false;

  /** @param definitionOf reads a class; handed in because reading decorators is not the engine's. */
  constructor(services: EngineServices, definitionOf: (flow: FlowClass) => FlowDefinition) {
    this.services = services;
    this.#definitionOf = definitionOf;
    this.#leases = new Leases({ store: services.store, clock: services.leaseClock, log: services.log, settings: services.settings });
  }

  /**
   * Validates the parameters, records the run, and starts it. Durable when the promise resolves.
   *
   * @throws BatutaError PARAMS_INVALID, RESULT_NOT_SERIALIZABLE (parameters that cannot be stored), SHUTDOWN, STORE_…
   */
  submit(definition: FlowDefinition, params: unknown, options: SubmitOptions = {}): Promise<RunUnderWay> {
    return this.#start(() => this.#submit(definition, params, options));
  }

  async #submit(definition: FlowDefinition, params: unknown, options: SubmitOptions): Promise<RunUnderWay> {
    const { services } = this;
    const validated = await validateParams(definition, params);
    const now = services.clock.now();
    const text = encodeValue(validated, `parameters of flow ${definition.name}`) ?? 'null';
    const run: Run = {
      id: options.id ?? services.makeId(),
      flow: definition.name,
      flowVersion: definition.version,
      name: options.name ?? (definition.runName === null ? randomName(services.random) : renderName(definition.runName, validated)),
      deployment: null,
      parentRunId: options.parent?.runId ?? null,
      parentTaskRunId: options.parent?.taskRunId ?? null,
      state: stateOf('PENDING'),
      params: text,
      result: null,
      resultRef: null,
      error: null,
      attempt: 1,
      recoveries: 0,
      tags: [...new Set([...definition.tags, ...(options.tags ?? [])])],
      source: definition.source === null ? null : `${definition.source.file}#${definition.source.exportName}`,
      scheduledFor: null,
      dueAt: null,
      createdAt: now,
      startedAt: null,
      endedAt: null,
      cancelRequestedAt: null,
      epoch: 1,
      owner: services.owner,
      leaseUntil: now + services.settings.leaseMs,
    };
    await this.#describe(definition);
    await services.store.recorder.addRun(run, services.owner, services.settings.leaseMs);
    return this.#execute(definition, run, [], options.listener ?? null);
  }

  /**
   * Claims a run that nobody holds and continues it from what is recorded.
   *
   * @throws BatutaError RUN_NOT_FOUND, RUN_OWNED, RUN_STATE_REFUSED (it has ended), SHUTDOWN, STORE_…
   */
  resume(runId: string, definition: FlowDefinition, listener: EngineListener | null = null): Promise<RunUnderWay> {
    return this.#start(() => this.#resume(runId, definition, listener));
  }

  async #resume(runId: string, definition: FlowDefinition, listener: EngineListener | null): Promise<RunUnderWay> {
    const { services } = this;
    const outcome = await services.store.runs.claim(runId, services.owner, services.settings.leaseMs, services.isOwnerGone);
    if (!outcome.claimed) throw refusal(runId, outcome);
    let taskRuns: readonly TaskRun[];
    try {
      await this.#describe(definition);
      taskRuns = await services.store.taskRuns.ofRun(outcome.run.id);
    } catch (error) {
      await services.store.runs.release({ runId: outcome.run.id, epoch: outcome.run.epoch }).catch(() => undefined);
      throw error;
    }
    if (outcome.run.flowVersion !== definition.version) {
      services.log.warn(
        { runId: outcome.run.id },
        `Flow ${definition.name} has changed since this run began (${outcome.run.flowVersion} → ${definition.version}); what is recorded is matched by name and inputs.`,
      );
    }
    return this.#execute(definition, outcome.run, taskRuns, listener);
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
    const force = (): void => {
      for (const { flowRun } of runs) flowRun.force();
    };
    const timer = this.services.leaseClock.setTimer(graceMs, force);
    if (graceMs === 0) force();
    await Promise.allSettled(runs.map(({ ended }) => ended));
    timer.cancel();
    await this.services.isolate.close();
  }

  #execute(definition: FlowDefinition, run: Run, taskRuns: readonly TaskRun[], listener: EngineListener | null): RunUnderWay {
    const claim: Claim = { runId: run.id, epoch: run.epoch };
    const subFlows: StartSubFlow = {
      definitionOf: this.#definitionOf,
      start: (child, params, options) => this.#startSubFlow(child, params, options, listener),
    };
    const flowRun = new FlowRun({ services: this.services, leases: this.#leases, subFlows, definition, run, claim, taskRuns, listener });
    const ended = flowRun.execute().finally(() => this.#underWay.delete(run.id));
    // Whoever waits for it gets the error; when nobody does, it is not unhandled.
    ended.catch(() => undefined);
    const underWay = { flowRun, ended };
    this.#underWay.set(run.id, underWay);
    return underWay;
  }

  /** Stores what the flow looks like, once per process and version. */
  async #describe(definition: FlowDefinition): Promise<void> {
    const key = `${definition.name}@${definition.version}`;
    if (this.#described.has(key)) return;
    await this.services.store.flows.put(describeFlow(definition, this.services.clock.now()));
    this.#described.add(key);
  }

  async #startSubFlow(
    definition: FlowDefinition,
    params: unknown,
    options: SubFlowOptions,
    listener: EngineListener | null,
  ): Promise<SubFlowRun> {
    const { id, parent, anew } = options;
    const { runs } = this.services.store;
    const recorded = await runs.get(id);
    if (!recorded) return subFlowRun(await this.submit(definition, params, { id, parent, listener }));
    const { type } = recorded.state;
    if (isTerminal(type)) {
      if (!anew || type === 'COMPLETED') return { runId: id, ended: Promise.resolve(recorded), outcome: null, stop: () => undefined };
      await runs.reopen(id, this.services.clock.now());
    }
    return subFlowRun(await this.resume(id, definition, listener));
  }
}

function subFlowRun({ flowRun, ended }: RunUnderWay): SubFlowRun {
  return {
    runId: flowRun.run.id,
    ended,
    outcome: flowRun,
    stop(reason, force) {
      if (reason.code === 'LEASE_LOST' || reason.code === 'SHUTDOWN') flowRun.abandon(reason);
      else flowRun.cancel(reason.message);
      if (force) flowRun.force();
    },
  };
}

function refusal(
  runId: string,
  outcome: {
    readonly reason: 'held' | 'ended' | 'missing';
    readonly owner: { readonly id: string } | null;
    readonly leaseUntil: number | null;
  },
): BatutaError {
  const details = { runId, owner: outcome.owner?.id ?? null, leaseUntil: outcome.leaseUntil };
  if (outcome.reason === 'missing') return new BatutaError('RUN_NOT_FOUND', `No run has the id ${runId}.`, { details });
  if (outcome.reason === 'ended')
    return new BatutaError('RUN_STATE_REFUSED', `Run ${runId} has ended; to run it again use retry.`, { details });
  const until = outcome.leaseUntil === null ? '' : ` until ${new Date(outcome.leaseUntil).toISOString()} unless it renews`;
  return new BatutaError(
    'RUN_OWNED',
    `Run ${runId} is being executed by ${outcome.owner?.id ?? 'another process'}, which holds it${until}.`,
    { details },
  );
}
