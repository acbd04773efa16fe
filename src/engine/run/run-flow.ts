/**
 * One run from its claim to its end: run the graph or the code, retry the flow, settle, call the hooks, let the lease go.
 *
 * On a crash nothing here is needed any more: what is recorded stays, the lease runs out, and the next owner builds this from the rows.
 */
import type { Timer } from '../../base/clock.ts';
import { formatDuration } from '../../base/duration.ts';
import { BatutaError, isBatutaError } from '../../base/errors.ts';
import type { EngineListener } from '../../model/events.ts';
import { failureOf } from '../../model/failure.ts';
import type { FlowDefinition } from '../../model/flow.ts';
import type { Run, TaskRun } from '../../model/run.ts';
import { isTerminal, stateOf } from '../../model/state.ts';
import type { Claim } from '../../store/store.ts';
import { ActiveRun, isHandedOn } from './active-run.ts';
import { awaitSlot } from '../limits/await-slot.ts';
import { cancelBelow } from './cancel-below.ts';
import { withOrigin } from './failure-origin.ts';
import { flowRetryDelayMs, openTaskRuns } from './flow-retry.ts';
import { callHooks } from './hooks.ts';
import { take } from '../values/given-value.ts';
import { handOn } from './hand-on.ts';
import type { Leases } from '../lease/leases.ts';
import { Parking, type Wait } from '../waiting/parking.ts';
import { runCode } from '../code/run-code.ts';
import { endOf, finalVerdict, messageFor, type Verdict } from './run-end.ts';
import { runGraph } from '../graph/run-graph.ts';
import type { EngineServices } from '../services.ts';
import type { StartSubFlow } from '../code/sub-flow.ts';
import { RunRecord } from './transition.ts';
import { parkUntil } from '../waiting/waits.ts';

export interface FlowRunOptions {
  readonly services: EngineServices;
  readonly leases: Leases;
  readonly subFlows: StartSubFlow;
  readonly definition: FlowDefinition;
  readonly run: Run;
  readonly claim: Claim;
  /** What earlier owners recorded, by key. */
  readonly taskRuns: ReadonlyMap<string, TaskRun>;
  readonly listener: EngineListener | null;
  /** Of the run that this one is a sub-flow of, else null. */
  readonly parentParking: Parking | null;
  /** Monotonic instant at which it was asked for; default now. */
  readonly heldSince?: number | undefined;
  /** Whether it has the slot of its limit, or needs none. */
  readonly hasSlot: boolean;
}

/** A run that this process executes. */
export class FlowRun {
  readonly #options: FlowRunOptions;
  readonly #record: RunRecord;
  #active: ActiveRun;
  #cancelAsked: string | null = null;
  #grace: Timer | null = null;
  /** Tells when the run only waits. */
  readonly parking: Parking;
  /** What it waits for when it was suspended. */
  #suspendedOn: readonly Wait[] = [];
  #given: unknown = undefined;
  /** What made it fail, as it was thrown; null while it has not failed. */
  thrown: unknown = null;
  /** Why the run was left to another owner; null while it was not. */
  givenUp: BatutaError | null = null;

  constructor(options: FlowRunOptions) {
    const { services, run, claim, definition, listener } = options;
    this.#options = options;
    this.#record = new RunRecord({
      ...{ run, claim, definition, listener },
      owner: services.owner,
      recorder: services.store.recorder,
      clock: services.clock,
    });
    this.parking = new Parking({ services, parent: options.parentParking, onIdle: (waits) => this.#suspend(waits) });
    this.#active = this.#newAttempt(options.taskRuns);
  }

  get run(): Run {
    return this.#record.run;
  }

  /** The flow's value, at each call another that nobody else has; undefined until the run has completed. */
  takeValue(): unknown {
    return take(this.#given);
  }

  /**
   * Executes the run to its end. Gives the run as it was last recorded: terminal, unless it was abandoned.
   *
   * @throws BatutaError STORE_… when its end could not be recorded.
   */
  async execute(): Promise<Run> {
    const { leases, taskRuns } = this.#options;
    const { state, cancelRequestedAt } = this.run;
    leases.hold(
      { claim: this.#record.claim, onLost: () => this.#lose(), onCancel: () => void this.#cancelAsAsked() },
      this.#options.heldSince,
    );
    try {
      if (taskRuns.size > 0) await this.#record.recall(taskRuns.values());
      if (state.type === 'CANCELLING' || cancelRequestedAt !== null)
        this.cancel(state.type === 'CANCELLING' ? state.message : null, 'recorded');
      if (!this.#options.hasSlot && (await awaitSlot(this.#active, () => this.#lose())) === 'skipped') return this.run;
      if (state.name === 'AwaitingRetry') await this.#awaitDue();
      for (;;) {
        await this.#begin();
        const verdict = await this.#attempt();
        const next = verdict.kind === 'error' ? await this.#retry(verdict) : verdict;
        if (next === 'again') continue;
        await this.#settle(next);
        return this.run;
      }
    } catch (error) {
      await this.#giveUp(error);
      throw error;
    } finally {
      this.#grace?.cancel();
      leases.letGo(this.#record.claim);
    }
  }

  /**
   * Cancels: Cancelling now, Cancelled when all has settled or the grace is over. Harmless when it has ended.
   *
   * @param asked `recorded`: by another process, which has written the transition.
   */
  cancel(message: string | null, asked: 'new' | 'recorded' = 'new'): void {
    if (this.#cancelAsked !== null || isTerminal(this.run.state.type)) return;
    const reason = message ?? 'The run was cancelled.';
    this.#cancelAsked = reason;
    const { services } = this.#options;
    const state = stateOf('CANCELLING', 'Cancelling', reason);
    (asked === 'new' ? this.#record.setRun(state) : this.#record.repeatRun(state)).catch(() => undefined);
    this.#active.stop(new BatutaError('RUN_CANCELLED', reason, { details: { runId: this.run.id } }), false);
    this.#grace = services.leaseClock.setTimer(services.settings.graceMs, () => this.force(), { unref: true });
  }

  /** Ends the grace of a cancel: what has not settled is Cancelled as it is. */
  force(): void {
    const { stopReason } = this.#active;
    if (stopReason) this.#active.stop(stopReason, true);
  }

  /** Stops at once and writes nothing more; another owner goes on from what is recorded. */
  abandon(reason: BatutaError): void {
    this.givenUp ??= reason;
    this.#active.stop(reason, true);
  }

  /** Lets go of a run that only waits, sub-flows included. */
  #suspend(waits: readonly Wait[]): void {
    if (this.#active.stopReason || isTerminal(this.run.state.type)) return;
    this.#suspendedOn = waits;
    const more = waits.length > 1 ? ` And ${waits.length - 1} more.` : '';
    this.abandon(new BatutaError('RUN_SUSPENDED', `${waits[0]?.why ?? ''}${more}`, { details: { runId: this.run.id } }));
  }

  #lose(): void {
    const { id } = this.run;
    this.abandon(new BatutaError('LEASE_LOST', `Another process has taken over run ${id}.`, { details: { runId: id } }));
  }

  /** What the other process said when it asked stands in the row. */
  async #cancelAsAsked(): Promise<void> {
    const asked = await this.#options.services.store.runs.get(this.run.id).catch(() => null);
    this.cancel(asked?.state.type === 'CANCELLING' ? asked.state.message : null, 'recorded');
  }

  /** Waits until the next attempt is due, or less when the run is stopped. */
  async #awaitDue(): Promise<void> {
    await this.parking.work(() => parkUntil(this.#active, this.run.dueAt ?? 0, 'The flow is tried again.', true));
  }

  async #begin(): Promise<void> {
    const { run } = this;
    if (this.#active.stopReason) return;
    const now = this.#options.services.clock.now();
    // Not awaited: it shares the flush of the first tasks; the run itself is durable since it was accepted or claimed.
    this.#record
      .setRun(stateOf('RUNNING', run.attempt > 1 ? 'Retrying' : 'Running'), { startedAt: run.startedAt ?? now, dueAt: null, error: null })
      .catch(() => undefined);
    await callHooks(this.#active, this.run.state, null, undefined);
  }

  async #attempt(): Promise<Verdict> {
    const active = this.#active;
    const { definition, services, subFlows } = this.#options;
    const timer = definition.timeoutMs === null ? null : services.clock.setTimer(definition.timeoutMs, () => this.#timeOut());
    try {
      active.makeInstance();
      if (definition.kind === 'code') {
        const given = await runCode(active, subFlows);
        return await finalVerdict(active, { kind: 'value', given });
      }
      const { given, failed } = await runGraph(active);
      return await finalVerdict(active, failed ? { kind: 'error', error: failed.error, task: failed.task } : { kind: 'value', given });
    } catch (error) {
      if (active.stopReason) return { kind: 'stopped', reason: active.stopReason };
      if (isBatutaError(error) && (error.code.startsWith('STORE_') || error.code === 'INTERNAL')) throw error;
      return { kind: 'error', error, task: null };
    } finally {
      timer?.cancel();
    }
  }

  #timeOut(): void {
    const { definition } = this.#options;
    this.#active.stop(
      new BatutaError('FLOW_TIMED_OUT', `The run took longer than the timeout of its flow, ${formatDuration(definition.timeoutMs ?? 0)}.`, {
        details: { runId: this.run.id, timeoutMs: definition.timeoutMs },
      }),
      true,
    );
  }

  /** Opens the next attempt when the flow's retries allow one, after its wait. Only what is not completed runs again. */
  async #retry(verdict: Verdict & { readonly kind: 'error' }): Promise<'again' | Verdict> {
    const active = this.#active;
    const { services, definition } = this.#options;
    const { attempt } = this.run;
    const waitMs = await flowRetryDelayMs(active, verdict.error);
    if (waitMs === null) return active.stopReason ? { kind: 'stopped', reason: active.stopReason } : verdict;
    await active.whenFlushed(false);
    const taskRuns = await services.store.taskRuns.byKeyOfRun(this.run.id);
    if (active.stopReason) return { kind: 'stopped', reason: active.stopReason };
    const opened = await openTaskRuns(active, taskRuns);
    if (active.stopReason) return { kind: 'stopped', reason: active.stopReason };
    const error = withOrigin(failureOf(verdict.error), this.#record, definition, verdict.task);
    const state = stateOf('SCHEDULED', 'AwaitingRetry', messageFor(error, verdict.task));
    const awaited = this.#record.setRun(state, { attempt: attempt + 1, dueAt: services.clock.now() + waitMs, error });
    active.log.warn({ err: verdict.error }, `Attempt ${attempt} of the run failed, next in ${formatDuration(waitMs)}: ${error.message}`);
    await awaited;
    await this.#awaitDue();
    if (active.stopReason) return { kind: 'stopped', reason: active.stopReason };
    this.#active = this.#newAttempt(opened);
    return 'again';
  }

  async #settle(verdict: Verdict): Promise<void> {
    const { services, definition } = this.#options;
    if (verdict.kind === 'stopped' && isHandedOn(verdict.reason)) return handOn(services, this.#record, verdict.reason, this.#suspendedOn);
    const end = await endOf(definition, verdict, services.results, `${this.run.id}/result-${this.#record.claim.epoch}`);
    this.#given = end.given;
    this.thrown = end.thrown;
    const message = verdict.kind === 'stopped' ? verdict.reason.message : 'The run went on without it.';
    const leftOpen = this.#record.cancelOpen(message);
    // The end of the run may share the flush of its last tasks; nothing may be recorded after what could not be.
    await this.#active.whenFlushed(true);
    const error =
      end.error === null ? null : withOrigin(end.error, this.#record, definition, verdict.kind === 'error' ? verdict.task : null);
    await this.#record.setRun(end.state, { ...end.stored, error, endedAt: services.clock.now(), dueAt: null });
    if (this.givenUp) return;
    if (leftOpen > 0) await cancelBelow(services, this.run.id, message);
    await callHooks(this.#active, end.state, error, this.#given);
  }

  /**
   * The store has failed in the middle. Where others go on, and it was only away, the run has not failed: it is left to them. Else one
   * more try to leave a true state, so that nothing is left Running.
   */
  async #giveUp(error: unknown): Promise<void> {
    const { services, definition } = this.#options;
    if (services.settings.abortUnrenewed && isBatutaError(error, 'STORE_UNAVAILABLE')) {
      const { id } = this.run;
      const message = `The database was away for too long; another process goes on with run ${id} from what is recorded.`;
      this.abandon(new BatutaError('LEASE_LOST', message, { details: { runId: id }, cause: error }));
    }
    this.abandon(error instanceof BatutaError ? error : new BatutaError('INTERNAL', String(error), { cause: error }));
    if (isTerminal(this.run.state.type)) return;
    await services.store.recorder.flush().catch(() => undefined);
    if (this.givenUp && isHandedOn(this.givenUp)) {
      // When it cannot be told, the lease ends by itself.
      await services.store.runs.release(this.#record.claim).catch(() => undefined);
      return;
    }
    if (isBatutaError(error, 'STORE_FULL')) services.store.freeReserve();
    this.#record.cancelOpen('The run was given up.');
    const failure = withOrigin(failureOf(error), this.#record, definition, null);
    await this.#record
      .setRun(stateOf('FAILED', 'Failed', failure.message), { error: failure, endedAt: services.clock.now(), dueAt: null })
      .catch(() => undefined);
  }

  #newAttempt(recorded: ReadonlyMap<string, TaskRun>): ActiveRun {
    const { services, definition } = this.#options;
    return new ActiveRun({
      services,
      definition,
      params: this.run.params,
      record: this.#record,
      recorded,
      parking: this.parking,
      confirmLease: () => this.#options.leases.confirm(this.#record.claim),
    });
  }
}
