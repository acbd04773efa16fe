/**
 * A spread task run that this worker holds, from its claim to its end: inputs, attempts and retries as in a local task, record, news.
 *
 * On a crash its lease expires; then it waits again and another worker takes it.
 */
import { hideSensitive } from '../run/hide-sensitive.ts';
import type { Timer } from '../../base/clock.ts';
import { BatutaError } from '../../base/errors.ts';
import { failureOf } from '../../model/failure.ts';
import type { FlowDefinition } from '../../model/flow.ts';
import { isTerminal, stateOf } from '../../model/state.ts';
import type { TaskDefinition } from '../../model/task.ts';
import type { ClaimedTask } from '../../store/store.ts';
import { RunAttempt, isHandedBack } from '../run/run-attempt.ts';
import type { SpreadRecorder } from './spread-recorder.ts';
import { Activity, type Wait } from '../waiting/activity.ts';
import { runTaskHere } from '../task/run-task.ts';
import type { EngineServices } from '../services.ts';
import { unpackInputs } from './spread-inputs.ts';
import { RunRecord } from '../run/transition.ts';
import type { TaskRequest } from '../task/task-request.ts';

export interface OwnedTaskOptions {
  readonly services: EngineServices;
  readonly claimed: ClaimedTask;
  readonly definition: FlowDefinition;
  readonly task: TaskDefinition;
  readonly writer: SpreadRecorder;
  /** See `Leases.confirm`. */
  readonly confirmLease: () => Promise<void> | null;
}

/** `ended`: recorded · `lost`: another's, or over · else it is to be given back, until then. */
export type OwnedTaskEnd = 'ended' | 'lost' | { readonly dueAt: number | null };

export class OwnedTask {
  readonly #options: OwnedTaskOptions;
  readonly #active: RunAttempt;
  #grace: Timer | null = null;
  #dueAt: number | null = null;

  constructor(options: OwnedTaskOptions) {
    const { services, claimed, definition, writer } = options;
    const { run, taskRun, claim } = claimed;
    this.#options = options;
    const record = new RunRecord({
      run,
      claim: { runId: run.id, epoch: claim.epoch },
      emissionClaim: claim,
      writer: `spread-${claim.epoch}`,
      owner: services.owner,
      definition,
      recorder: writer.writerFor(claim, () => this.lose()),
      clock: services.clock,
      lifecycle: services.lifecycle,
      listener: null,
    });
    this.#active = new RunAttempt({
      services,
      definition,
      params: run.params,
      record,
      recorded: new Map([[taskRun.key, taskRun]]),
      activity: new Activity({ services, parent: null, onIdle: (waits) => this.#suspend(waits) }),
      confirmLease: options.confirmLease,
      isSpread: true,
    });
  }

  /** Executes it. @throws BatutaError STORE_… when its end could not be recorded */
  async run(): Promise<OwnedTaskEnd> {
    const { claimed, task } = this.#options;
    const { taskRun } = claimed;
    const show = hideSensitive(claimed.run.params);
    const { key, index, dependsOn, itemHash, callArgs } = taskRun;
    try {
      await this.#active.record.recall([taskRun]);
      if (taskRun.state.name === 'Resuming') this.#active.record.reportRecovered(taskRun);
      const args = await this.#args();
      const outcome = args && (await runTaskHere(this.#active, { definition: task, key, index, args, dependsOn, itemHash, callArgs }));
      await this.#active.closeResources(outcome && 'error' in outcome ? { error: outcome.error } : null);
      const { stopReason } = this.#active;
      if (stopReason === null || !isHandedBack(stopReason)) return 'ended';
      if (stopReason.code === 'LEASE_LOST') return 'lost';
      return await this.#handBack(stopReason);
    } finally {
      show?.();
      this.#grace?.cancel();
    }
  }

  /** Its run is cancelled or over: its code gets the signal and a grace period. */
  cancel(): void {
    if (this.#active.stopReason) return;
    const { services, claimed } = this.#options;
    this.#active.stop(new BatutaError('RUN_CANCELLED', 'The run was cancelled.', { details: { runId: claimed.run.id } }), false);
    this.#grace = services.leaseClock.setTimer(services.settings.graceMs, () => this.#force(), { unref: true });
  }

  /** Claimed by another: stops at once and writes nothing more. */
  lose(): void {
    const { key } = this.#options.claimed.taskRun;
    this.#active.record.lose();
    this.#active.stop(new BatutaError('LEASE_LOST', `Another process has taken over the task run ${key}, or it was ended.`), true);
    this.#force();
  }

  /** Stops at once, to be given back. */
  abandon(reason: BatutaError): void {
    this.#active.stop(reason, true);
  }

  #force(): void {
    const { stopReason } = this.#active;
    if (stopReason) this.#active.stop(stopReason, true);
  }

  /** A long wait for the next attempt needs no worker. */
  #suspend(waits: readonly Wait[]): void {
    if (this.#active.stopReason) return;
    this.#dueAt = waits[0]?.dueAt ?? null;
    this.abandon(new BatutaError('RUN_SUSPENDED', waits[0]?.why ?? ''));
  }

  /** Null if they are gone, which ends the task run. */
  async #args(): Promise<TaskRequest['args'] | null> {
    const { services, claimed } = this.#options;
    const { run, taskRun, inputs, inputsRef } = claimed;
    try {
      return await unpackInputs(
        services.results,
        services.store.taskRuns,
        { runId: run.id, definition: this.#options.task },
        { result: inputs, resultRef: inputsRef },
      );
    } catch (error) {
      if (error instanceof BatutaError && error.code.startsWith('STORE_')) throw error;
      const failure = failureOf(error);
      const state = stateOf('FAILED', 'Failed', failure.message);
      await this.#active.record.endTask(taskRun.state.type, taskRun, state, { error: failure });
      return null;
    }
  }

  async #handBack(reason: BatutaError): Promise<OwnedTaskEnd> {
    const { record } = this.#active;
    const row = record.taskRun(this.#options.claimed.taskRun.id);
    if (row === null || isTerminal(row.state.type)) return 'ended';
    if (row.state.type !== 'SCHEDULED')
      await record.setTask(row.state.type, { ...row, state: stateOf('SCHEDULED', 'Resuming', reason.message) });
    return { dueAt: this.#dueAt };
  }
}
