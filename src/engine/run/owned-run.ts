/**
 * One run from its claim to its end: run the graph or the code, retry the flow, settle, call the hooks, release the lease.
 *
 * A crash loses nothing that is needed: what is recorded stays, the lease expires, and the next owner rebuilds this from the rows.
 */
import type { Timer } from '../../base/clock.ts';
import { BatutaError } from '../../base/errors.ts';
import type { Run, TaskRun } from '../../model/run.ts';
import { isTerminal, stateOf } from '../../model/state.ts';
import { RunAttempt, isHandedBack } from './run-attempt.ts';
import { awaitRate } from '../limits/await-rate.ts';
import { awaitSlot, beginRun, executeAttempt } from './execute-attempt.ts';
import { cancelBelow } from './cancel.ts';
import { withOrigin } from './failure-origin.ts';
import { openNextAttempt } from './flow-retry.ts';
import { callHooks } from './hooks.ts';
import { take } from '../values/given-value.ts';
import { giveUp, handBackRun, reasonToGiveUp } from './hand-back.ts';
import { Activity, type Wait } from '../waiting/activity.ts';
import { endOf, type FailedVerdict, type Verdict } from './run-end.ts';
import type { SubFlowRun } from '../code/sub-flow.ts';
import type { OwnedRunOptions } from './owned-run-options.ts';
import { beginRollback, begunRollback, endRolledBack } from '../rollback/run-rollback.ts';
import { type IntendedEnd, isUndo } from '../../model/rollback.ts';
import { checkTriggered, isUnchecked } from './triggered-params.ts';
import { RunRecord } from './transition.ts';
import { noValue, type StoredValue } from '../values/results.ts';
import { waitUntil } from '../waiting/waits.ts';

/** A run that this process executes. The parent of a sub-flow sees only its `SubFlowRun`. */
export class OwnedRun implements SubFlowRun {
  readonly #options: OwnedRunOptions;
  readonly #record: RunRecord;
  #active: RunAttempt;
  #ended: Promise<Run> | null = null;
  #cancelAsked: string | null = null;
  #grace: Timer | null = null;
  /** Whether its work is being undone: a cancel then changes nothing. */
  #isRollingBack = false;
  /** Notices when the run only waits. */
  readonly activity: Activity;
  /** What it waited for when it was suspended. */
  #suspendedOn: readonly Wait[] = [];
  #given: unknown = undefined;
  /** The error that made it fail, as thrown; null if it has not failed. */
  thrown: unknown = null;
  /** Why the run was left to another owner; null if it was not. */
  givenUp: BatutaError | null = null;

  constructor(options: OwnedRunOptions) {
    const { services, run, claim, definition, listener } = options;
    const { owner, store, clock, lifecycle } = services;
    this.#options = options;
    this.#record = new RunRecord({ run, claim, definition, listener, owner, recorder: store.recorder, clock, lifecycle });
    this.activity = new Activity({ services, parent: options.parentActivity, onIdle: (waits) => this.#suspend(waits) });
    this.#active = this.#newAttempt(options.taskRuns);
  }

  get run(): Run {
    return this.#record.run;
  }

  get id(): string {
    return this.run.id;
  }

  get outcome(): this {
    return this;
  }

  /** The run as last recorded: terminal, unless it was abandoned. Rejects with `STORE_…` if its end could not be recorded. */
  get ended(): Promise<Run> {
    if (this.#ended) return this.#ended;
    throw new BatutaError('INTERNAL', `The run ${this.run.id} was not started.`);
  }

  /** Executes the run to its end, once. @param onEnd called when nothing more is done for it here */
  start(onEnd: () => void): void {
    this.#ended = this.#execute().finally(onEnd);
    // Whoever waits for it gets the error; without a waiter it is not unhandled.
    this.#ended.catch(() => undefined);
  }

  /** The flow's value, a fresh copy on each call; undefined until the run has completed. */
  takeValue(): unknown {
    return take(this.#given);
  }

  async #execute(): Promise<Run> {
    const { leases, heldSince, hasSlot } = this.#options;
    const { claim } = this.#record;
    leases.hold({ claim, onLost: () => this.#lose(), onCancel: () => void this.#cancelAsAsked() }, heldSince);
    try {
      const { name } = this.run.state;
      const begun = await begunRollback(this.#active);
      this.#isRollingBack = begun !== null;
      await this.#takeUp();
      if (begun !== null) {
        await this.#settleRolledBack(begun, noValue);
        return this.run;
      }
      if (!hasSlot && (await awaitSlot(this.#active, () => this.#lose())) === 'skipped') return this.run;
      if (name === 'AwaitingRetry') await this.#awaitDue();
      await this.#settle(await this.#attempts());
      return this.run;
    } catch (error) {
      await this.#giveUp(error);
      throw error;
    } finally {
      this.#grace?.cancel();
      leases.release(claim);
    }
  }

  /** Takes up the recorded state: what earlier owners did, and whether its end was requested. */
  async #takeUp(): Promise<void> {
    const { taskRuns } = this.#options;
    const { state, cancelRequestedAt } = this.run;
    if (taskRuns.size > 0) await this.#record.recall(taskRuns.values());
    if (state.name === 'Resuming') this.#record.reportRecovered();
    if (state.type === 'CANCELLING' || cancelRequestedAt !== null)
      this.cancel(state.type === 'CANCELLING' ? state.message : null, 'recorded');
  }

  /** Runs attempts until the flow's retries allow no more. */
  async #attempts(): Promise<Verdict> {
    const refusal = isUnchecked(this.run) ? await this.#checkParams() : null;
    if (refusal !== null) return refusal;
    const suspend = this.#options.parentActivity === null ? (wait: Wait) => this.#suspend([wait]) : null;
    for (let isFirst = true; ; isFirst = false) {
      const kept = await awaitRate(this.#active, suspend, isFirst);
      if (kept?.kind === 'stopped') return kept;
      await beginRun(this.#active);
      if (kept !== null) return kept;
      const verdict = await executeAttempt(this.#active, this.#options.subFlows);
      const next = verdict.kind === 'error' && !verdict.isFinal ? await this.#retry(verdict) : verdict;
      if (next !== 'again') return next;
    }
  }

  /** If a trigger made the run: replaces its parameters by the schema's output, before anything sees them. @throws BatutaError STORE_… */
  async #checkParams(): Promise<Verdict | null> {
    const refusal = await checkTriggered(this.#options, this.#record);
    if (refusal !== null) await beginRun(this.#active);
    else if (this.#active.stopReason === null) this.#active = this.#newAttempt(this.#options.taskRuns);
    return refusal;
  }

  /**
   * Cancels: Cancelling now, Cancelled when all has settled or the grace period is over. No-op if it has ended.
   *
   * @param asked `recorded`: by another process, which has written the transition.
   */
  cancel(message: string | null, asked: 'new' | 'recorded' = 'new'): void {
    if (this.#cancelAsked !== null || this.#isRollingBack || isTerminal(this.run.state.type)) return;
    const reason = message ?? 'The run was cancelled.';
    this.#cancelAsked = reason;
    const { services } = this.#options;
    const state = stateOf('CANCELLING', 'Cancelling', reason);
    (asked === 'new' ? this.#record.setRun(state) : this.#record.repeatRun(state)).catch(() => undefined);
    this.#active.stop(new BatutaError('RUN_CANCELLED', reason, { details: { runId: this.run.id } }), false);
    this.#grace = services.leaseClock.setTimer(services.settings.graceMs, () => this.force(), { unref: true });
  }

  /** Ends a cancel's grace period: what has not settled is Cancelled as it is. */
  force(): void {
    const { stopReason } = this.#active;
    if (stopReason) this.#active.stop(stopReason, true);
    else if (this.#isRollingBack) this.#abandonAs('SHUTDOWN', 'The process was shut down during a rollback; another process continues it.');
  }

  /** Its parent was stopped. */
  stop(reason: BatutaError, force: boolean): void {
    if (isHandedBack(reason)) this.abandon(reason);
    else this.cancel(reason.message);
    if (force) this.force();
  }

  /** Stops at once and writes nothing more; another owner continues from what is recorded. */
  abandon(reason: BatutaError): void {
    this.givenUp ??= reason;
    this.#active.stop(reason, true);
  }

  /** Releases a run that only waits, sub-flows included. */
  #suspend(waits: readonly Wait[]): void {
    if (this.#active.stopReason || isTerminal(this.run.state.type)) return;
    this.#suspendedOn = waits;
    const more = waits.length > 1 ? ` And ${waits.length - 1} more.` : '';
    this.#abandonAs('RUN_SUSPENDED', `${waits[0]?.why ?? ''}${more}`);
  }

  #lose(): void {
    this.#record.lose();
    this.#abandonAs('LEASE_LOST', `Another process has taken over run ${this.id}.`);
  }

  #abandonAs(code: 'RUN_SUSPENDED' | 'LEASE_LOST' | 'SHUTDOWN', message: string): void {
    this.abandon(new BatutaError(code, message, { details: { runId: this.id } }));
  }

  /** The other process's message is in the row. */
  async #cancelAsAsked(): Promise<void> {
    const asked = await this.#options.services.store.runs.get(this.run.id).catch(() => null);
    this.cancel(asked?.state.type === 'CANCELLING' ? asked.state.message : null, 'recorded');
  }

  /** Waits until the next attempt is due or the run is stopped. */
  async #awaitDue(): Promise<void> {
    await this.activity.work(() => waitUntil(this.#active, this.run.dueAt ?? 0, 'The flow is tried again.', true));
  }

  /** Opens the next attempt, after its wait, if the flow's retries allow one. Only what is not completed runs again. */
  async #retry(verdict: FailedVerdict): Promise<'again' | Verdict> {
    const active = this.#active;
    const opened = await openNextAttempt(active, verdict);
    if (opened !== null) await this.#awaitDue();
    if (active.stopReason) return { kind: 'stopped', reason: active.stopReason };
    if (opened === null) return verdict;
    this.#active = this.#newAttempt(opened);
    return 'again';
  }

  async #settle(verdict: Verdict): Promise<void> {
    const { services, definition } = this.#options;
    if (verdict.kind === 'stopped' && isHandedBack(verdict.reason)) {
      this.givenUp ??= verdict.reason;
      return handBackRun(this.#active, verdict.reason, this.#suspendedOn);
    }
    const end = await endOf(definition, verdict, services.results, `${this.run.id}/result-${this.#record.claim.epoch}`);
    this.#given = end.given;
    this.thrown = end.thrown;
    const message = verdict.kind === 'stopped' ? verdict.reason.message : 'The run went on without it.';
    const leftOpen = this.#record.cancelOpen(message);
    // The run's end may share the flush of its last tasks; if a write failed, nothing may be recorded after it.
    await this.#active.laterWrites.flushed(true);
    const error =
      end.error === null ? null : withOrigin(end.error, this.#record, definition, verdict.kind === 'error' ? verdict.task : null);
    if (await beginRollback(this.#active, { state: end.state, error })) {
      // Sub-flows must not do more of what is being undone here.
      if (leftOpen > 0) await cancelBelow(services, this.run.id, message);
      await this.#settleRolledBack({ state: end.state, error }, end.stored);
    } else await this.#end({ state: end.state, error }, end.stored, leftOpen > 0 ? message : null);
  }

  /** @param below why its remaining sub-flows are cancelled; null: none are */
  async #end({ state, error }: IntendedEnd, stored: StoredValue, below: string | null): Promise<void> {
    const { services } = this.#options;
    await this.#record.setRun(state, { ...stored, error, endedAt: services.clock.now(), dueAt: null });
    if (this.givenUp) return;
    if (below !== null) await cancelBelow(services, this.run.id, below);
    await callHooks(this.#active, state, error, this.#given);
  }

  /** Undoes its work, then ends as intended; what cannot be finished here continues elsewhere. */
  async #settleRolledBack(intended: IntendedEnd, stored: StoredValue): Promise<void> {
    const { services } = this.#options;
    this.#isRollingBack = true;
    this.#grace?.cancel();
    this.#record.cancelOpen(intended.state.message ?? 'The run has ended.', (row) => !isUndo(row));
    await services.store.recorder.flush();
    this.#active = this.#newAttempt(await services.store.taskRuns.byKeyOfRun(this.run.id));
    if (this.givenUp) this.abandon(this.givenUp);
    const undoing = this.#active;
    let end: IntendedEnd | null;
    try {
      end = await endRolledBack(undoing, intended);
    } finally {
      await undoing.closeResources(undoing.stopReason && { error: undoing.stopReason });
    }
    const { stopReason } = undoing;
    if (end !== null) await this.#end(end, stored, null);
    else if (stopReason) await handBackRun(undoing, stopReason, this.#suspendedOn);
  }

  async #giveUp(error: unknown): Promise<void> {
    const { services, definition } = this.#options;
    this.abandon(reasonToGiveUp(services, this.run.id, error));
    await giveUp({ services, definition, record: this.#record, reason: this.givenUp, error });
  }

  #newAttempt(recorded: ReadonlyMap<string, TaskRun>): RunAttempt {
    const { services, definition } = this.#options;
    return new RunAttempt({
      services,
      definition,
      params: this.run.params,
      record: this.#record,
      recorded,
      activity: this.activity,
      host: this.#options.host ?? null,
      confirmLease: () => this.#options.leases.confirm(this.#record.claim),
    });
  }
}
