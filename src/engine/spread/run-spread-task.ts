/**
 * A spread task as seen by the owner of its run: offer it to the workers, wait for its end, continue with its result.
 *
 * The owner never executes it. While it waits it holds only a place among those of the run. If the owner is lost, the task run continues;
 * the next owner finds it recorded, and waits for it in the same way.
 */
import type { BatutaError } from '../../base/errors.ts';
import { failureOf } from '../../model/failure.ts';
import type { TaskRun } from '../../model/run.ts';
import { isTerminal, type StateType, stateOf } from '../../model/state.ts';
import { type RunAttempt, isHandedBack, type Stoppable } from '../run/run-attempt.ts';
import { outcomeOf, type TaskOutcome } from '../task/outcome.ts';
import type { StoredValue } from '../values/results.ts';
import { dropped, isDropped } from '../waiting/dropped.ts';
import type { EndHeld } from '../../store/store.ts';
import type { SpreadOffers } from './spread-offers.ts';
import { packInputs } from './spread-inputs.ts';
import { requestedRow, type TaskRequest } from '../task/task-request.ts';

/** Between checks whether a task that nothing can want any more waits again, ms. */
const lookEveryMs = 1_000;
/** For tickets. */
const highestPriority = 100;

/**
 * Has a task executed by any worker of its queue. The outcome is durable when the promise resolves.
 *
 * @throws BatutaError STORE_… when it could not be offered.
 */
export function runSpreadTask(active: RunAttempt, request: TaskRequest, desk: SpreadOffers): Promise<TaskOutcome> {
  return active.activity.work(async () => {
    const { priority, slots } = request.definition;
    const place = active.slots.take(priority, slots);
    const isTurnedAway = place !== null && (await place);
    try {
      return await new SpreadTask(active, request, desk).run(isTurnedAway && isDropped(active));
    } finally {
      active.slots.give(slots);
    }
  });
}

class SpreadTask {
  readonly #active: RunAttempt;
  readonly #request: TaskRequest;
  readonly #desk: SpreadOffers;
  readonly #row: TaskRun;
  /** Type of its recorded state; null if nothing of it is recorded or it is reopened. */
  readonly #from: StateType | null;

  constructor(active: RunAttempt, request: TaskRequest, desk: SpreadOffers) {
    const previous = active.recorded.get(request.key) ?? null;
    this.#active = active;
    this.#request = request;
    this.#desk = desk;
    this.#row = requestedRow(active, request, previous);
    this.#from = previous && !isTerminal(previous.state.type) ? previous.state.type : null;
  }

  /** @param isDroppedNow whether the body failed while it waited for its place */
  async run(isDroppedNow: boolean): Promise<TaskOutcome> {
    const reason = this.#active.stopReason ?? (isDroppedNow ? dropped : null);
    // One that another owner has offered may be running: it is ended like any other.
    if (reason && (this.#from === null || isHandedBack(reason))) return this.#settleUnoffered(reason);
    let inputs: StoredValue;
    try {
      const { runId, id } = this.#row;
      inputs = await packInputs(this.#active, this.#request, `${runId}/${id}-inputs-${this.#active.record.claim.epoch}`);
    } catch (error) {
      return this.#settleFailed(error);
    }
    const row = await this.#ended(inputs);
    if (row === null) return this.#stopped();
    this.#active.record.tellTask(row);
    return row.state.type === 'CANCELLED' ? this.#stopped() : outcomeOf(this.#active, row);
  }

  /** Offers it and waits. Returns the row once ended, null if the run is to continue elsewhere. */
  async #ended(inputs: StoredValue): Promise<TaskRun | null> {
    const active = this.#active;
    const { record } = active;
    let settle: (row: TaskRun | null) => void = () => undefined;
    let fail: (error: unknown) => void = () => undefined;
    const ended = new Promise<TaskRun | null>((resolve, reject) => {
      settle = resolve;
      fail = reject;
    });
    const over = new AbortController();
    // There may be no waiter yet when it fails.
    ended.catch(() => undefined);
    const stoppable: Stoppable = {
      stop: (reason, force) => {
        if (isHandedBack(reason)) settle(null);
        else this.#end(reason, force ? 'all' : 'none').catch(fail);
      },
      drop: () => void this.#endOnceWaiting(over.signal).catch(fail),
    };
    const endWait = await this.#desk.wait(active.run.id, this.#row.id, settle);
    active.live.add(stoppable);
    try {
      if (this.#request.definition.rollback !== null) await active.armRollback();
      const offer = await this.#desk.offer(record.claim, this.#offered(inputs));
      if (offer === 'offered') record.tellTask({ ...this.#row, ...scheduled });
      if (offer === 'standing') this.#desk.look(this.#row.id);
      // An earlier offer has its own inputs.
      if (offer !== 'offered' && inputs.resultRef !== null) await active.services.results.remove(inputs.resultRef);
      if (active.stopReason) stoppable.stop(active.stopReason, active.forced);
      else if (isDropped(active)) stoppable.drop?.();
      return await ended;
    } finally {
      over.abort();
      active.live.delete(stoppable);
      endWait();
    }
  }

  #offered({ result, resultRef }: StoredValue) {
    const { definition } = this.#request;
    const { run } = this.#active;
    const priority = Math.round(definition.priority === 0 ? run.priority : definition.priority);
    return {
      taskRun: { ...this.#row, ...scheduled },
      queue: definition.queue ?? run.queue,
      slots: definition.slots,
      priority: Math.max(-highestPriority, Math.min(highestPriority, priority)),
      inputs: result,
      inputsRef: resultRef,
    };
  }

  /** A worker that executes it may finish; one that fails is not tried again. */
  async #endOnceWaiting(over: AbortSignal): Promise<void> {
    while (!over.aborted && isDropped(this.#active)) {
      await this.#end(dropped, 'waiting');
      await this.#active.services.leaseClock.sleep(lookEveryMs, over).catch(() => undefined);
    }
  }

  #end(reason: BatutaError, held: EndHeld): Promise<void> {
    const state = stateOf('CANCELLED', 'Cancelled', reason.message);
    return this.#desk.end({ claim: this.#active.record.claim, id: this.#row.id, state, at: this.#active.services.clock.now(), held });
  }

  /** A worker may see a cancel before the owner of the run, which alone decides about the run. */
  async #stopped(): Promise<TaskOutcome> {
    if (isDropped(this.#active)) return { kind: 'cancelled', error: dropped };
    const { signal } = this.#active;
    if (!signal.aborted) await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    return { kind: 'cancelled', error: this.#active.stopReason };
  }

  async #settleUnoffered(reason: BatutaError): Promise<TaskOutcome> {
    if (!isHandedBack(reason)) await this.#active.record.endTask(null, this.#row, stateOf('CANCELLED', 'Cancelled', reason.message));
    return { kind: 'cancelled', error: reason };
  }

  async #settleFailed(error: unknown): Promise<TaskOutcome> {
    const failure = failureOf(error);
    this.#active.log.error({ err: error }, `The inputs of ${this.#row.key} cannot travel to another process: ${failure.message}`);
    await this.#active.record.endTask(this.#from, this.#row, stateOf('FAILED', 'Failed', failure.message), { error: failure });
    return { kind: 'failed', error, failure };
  }
}

const scheduled = {
  state: stateOf('SCHEDULED'),
  endedAt: null,
  dueAt: null,
  failures: 0,
  error: null,
  progress: null,
  metrics: null,
} as const;
