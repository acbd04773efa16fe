/** One task run from its first attempt to its end: condition, place, attempts, retries, record. */
import type { BatutaError } from '../../base/errors.ts';
import { failureOf } from '../../model/failure.ts';
import { noteOwn } from '../../model/move.ts';
import type { TaskRun } from '../../model/run.ts';
import { isTerminal, type StateType, stateOf } from '../../model/state.ts';
import type { TaskDefinition } from '../../model/task.ts';
import { type RunAttempt, isHandedBack } from '../run/run-attempt.ts';
import { givenAs } from '../values/given-value.ts';
import { askCache, cachedState, type CacheHit } from '../cache/ask-cache.ts';
import { beginAttempt } from './begin-attempt.ts';
import { behindEmissions } from '../emissions/behind-emissions.ts';
import { decideRetry, type FailedAttempt } from './decide-retry.ts';
import { apart, type AttemptWaiting, type Stopped, stopped, type TaskPass, underTags } from './attempt-places.ts';
import { typescriptHint } from './settlement.ts';
import { startGate } from './start-gate.ts';
import type { TaskOutcome } from './outcome.ts';
import { encodeValue, isLarge, noValue, type StoredValue, storeValue } from '../values/results.ts';
import { hidesValues } from '../../base/hidden-values.ts';
import { refuseSecrets } from '../values/refuse-secrets.ts';
import type { Stage } from '../streams/stage.ts';
import type { TaskAttempt } from './task-attempt.ts';
import { runSpreadTask } from '../spread/run-spread-task.ts';
import { dropped, isDropped } from '../waiting/dropped.ts';
import { waitUntil } from '../waiting/waits.ts';
import { requestedRow, type TaskRequest } from './task-request.ts';

/**
 * Runs a task until it is recorded as ended. The outcome is durable when the promise resolves, except of a task that `isLast`: see
 * `LaterWrites`.
 *
 * @throws BatutaError STORE_… when it could not be recorded.
 */
export function runTask(active: RunAttempt, request: TaskRequest): Promise<TaskOutcome> {
  const { spread } = active.services;
  return spread && request.definition.spread ? runSpreadTask(active, request, spread) : runTaskHere(active, request);
}

/** Runs a task in this process, even a spread one. @throws as `runTask` does */
export function runTaskHere(active: RunAttempt, request: TaskRequest): Promise<TaskOutcome> {
  return new RunningTask(active, request).run();
}

const completed = stateOf('COMPLETED');

/** How an attempt ended, its value already stored. */
type Attempt =
  | { readonly kind: 'skipped' }
  | CacheHit
  | Stopped
  | { readonly kind: 'value'; readonly execution: TaskAttempt; readonly given: unknown; readonly stored: StoredValue }
  | FailedAttempt;

/**
 * Awaits only actual promises, here and in `beginAttempt`: most tasks of a large run are short, and each promise between two of their steps
 * would cost as much as a step.
 */
class RunningTask {
  readonly #active: RunAttempt;
  readonly #request: TaskRequest;
  readonly #definition: TaskDefinition;
  /** The row as last recorded. */
  #row: TaskRun;
  /** Type of its state; null if nothing of it is recorded or it was reopened. */
  #from: StateType | null;
  /** Failed attempts that count against the retries. */
  #failures: number;
  /** Of an attempt under a rate. */
  #pass: TaskPass | null = null;
  /** Whether its condition was checked before its value was looked up. */
  #isConditionMet = false;

  constructor(active: RunAttempt, request: TaskRequest) {
    const previous = active.recorded.get(request.key) ?? null;
    this.#active = active;
    this.#request = request;
    this.#definition = request.definition;
    this.#from = previous && !isTerminal(previous.state.type) ? previous.state.type : null;
    // An attempt cut off by a crash did not fail, so the number of attempts is no measure.
    this.#failures = this.#from === null ? 0 : (previous?.failures ?? 0);
    this.#row = requestedRow(active, request, previous, this.#failures);
    if (this.#from === 'RUNNING' && previous !== null && !active.isSpread) active.record.reportRecovered(previous);
  }

  async run(): Promise<TaskOutcome> {
    const { activity } = this.#active;
    activity.begin();
    try {
      const { state, dueAt } = this.#row;
      if (this.#from !== null && state.name === 'AwaitingRetry' && dueAt !== null && !(await this.#awaitDue(dueAt)))
        return await this.#settleStopped(dropped);
      for (;;) {
        const attempt = await (this.#definition.cache === null ? this.#attemptInPlace() : this.#attemptCached());
        if (attempt.kind === 'skipped') return attempt;
        if (attempt.kind === 'cached') return await this.#settleCached(attempt);
        if (attempt.kind === 'stopped') return await this.#settleStopped(attempt.error);
        if (attempt.kind === 'value') {
          // For a spread task, its offerer has done that.
          if (this.#definition.rollback !== null && !this.#active.isSpread) await this.#active.armRollback();
          const recorded = this.#settleValue(attempt);
          if (this.#request.isLast) this.#active.laterWrites.add(recorded);
          else await recorded;
          return { kind: 'succeeded', given: attempt.given };
        }
        const { stage } = this.#request;
        const waitMs = await (stage ? this.#decideTogether(stage, attempt) : this.#decide(attempt));
        if (waitMs === null) return await this.#settleFailed(attempt);
        if (!(await this.#awaitRetry(attempt, waitMs))) return await this.#settleStopped(dropped);
      }
    } finally {
      this.#request.stage?.leave();
      activity.end();
    }
  }

  /** Asks the cache first; a newly made value is cached for others before it is recorded. */
  async #attemptCached(): Promise<Attempt> {
    const asked = await askCache(this.#active, this.#request, this.#row, (message) => {
      this.#record({ ...this.#row, state: stateOf('SCHEDULED', 'Scheduled', message), dueAt: null }).catch(() => undefined);
    });
    if (asked.kind !== 'make') return asked;
    this.#isConditionMet = true;
    try {
      const attempt = await this.#attemptInPlace();
      if (attempt.kind === 'value') await asked.making.give(attempt.stored, { runId: this.#row.runId, taskRunId: this.#row.id });
      return attempt;
    } finally {
      await asked.making.end();
    }
  }

  async #attemptInPlace(): Promise<Attempt> {
    const { slots } = this.#active;
    const { stage } = this.#request;
    // A segment takes one set of places: no part of it could continue without the others.
    if (stage && !stage.isLead) return this.#attemptTogether(stage);
    const { tags, slots: count } = stage ?? this.#definition;
    const place = slots.take(this.#definition.priority, count);
    const isTurnedAway = place !== null && (await place);
    try {
      if (isTurnedAway && isDropped(this.#active)) return { kind: 'stopped', error: dropped };
      return await (tags.length === 0 ? this.#attemptNow() : underTags(this.#active, this.#definition, this.#row, tags, this.#waiting));
    } finally {
      slots.give(count);
    }
  }

  #attemptNow(pass: TaskPass | null = null): Promise<Attempt> {
    this.#pass = pass;
    const { stage } = this.#request;
    if (stage) return this.#attemptTogether(stage);
    return this.#definition.isolate === null
      ? this.#attempt()
      : apart(this.#active, this.#definition, { ...this.#waiting, attempt: () => this.#attempt() });
  }

  get #waiting(): AttemptWaiting<Attempt> {
    return {
      awaits: (message, dueAt = null) =>
        void this.#record({ ...this.#row, state: stateOf('SCHEDULED', 'AwaitingSlot', message), dueAt }).catch(() => undefined),
      attempt: (pass = null) => this.#attemptNow(pass),
    };
  }

  /** An attempt that begins and ends together with those of its segment. */
  async #attemptTogether(stage: Stage): Promise<Attempt> {
    const error = await stage.begin();
    if (error) return { kind: 'stopped', error };
    const ended = await this.#attempt();
    if (ended.kind === 'skipped' || ended.kind === 'cached') return ended;
    const tooMany = ended.kind === 'value' ? stage.execution?.tooManyRejects() : null;
    const attempt: typeof ended =
      tooMany && ended.kind === 'value' ? { kind: 'failed', execution: ended.execution, error: tooMany, timedOut: false } : ended;
    const end = await stage.agree(attempt);
    if (end === attempt || end.kind === 'value') return attempt;
    if (end.kind === 'stopped') return end;
    const execution = attempt.kind === 'stopped' ? stage.execution : attempt.execution;
    return execution
      ? { kind: 'failed', execution, error: end.error, timedOut: false }
      : { kind: 'stopped', error: end.error as BatutaError };
  }

  async #attempt(): Promise<Attempt> {
    const { stopReason } = this.#active;
    if (stopReason) return { kind: 'stopped', error: stopReason };
    const beginning = beginAttempt(this.#active, this.#request, this.#row, this.#from, this.#isConditionMet);
    const begun = beginning instanceof Promise ? await beginning : beginning;
    if (begun === 'skipped') return { kind: 'skipped' };
    const { execution, args, fault } = begun;
    this.#row = execution.row;
    this.#from = 'RUNNING';
    // A process that was frozen may have lost the run meanwhile.
    const confirmed = this.#active.confirmLease();
    if (confirmed) {
      await confirmed;
      if (this.#active.stopReason) return { kind: 'stopped', error: this.#active.stopReason };
    }
    const gate = startGate(this.#active, this.#pass, execution);
    // Before its timeout begins.
    while (gate?.openMs === 0) if (!(await gate.mayOpen())) return stopped(this.#active);
    const ending = fault ?? execution.execute(args);
    const ended = ending instanceof Promise ? await ending : ending;
    const closed = execution.resources ? await execution.closeResources(ended) : ended;
    const settlement = execution.hasEmitted ? await behindEmissions(execution, closed) : closed;
    this.#row = execution.reportedRow;
    if (settlement.kind === 'stopped') return settlement;
    if (settlement.kind !== 'value') return { kind: 'failed', execution, error: settlement.error, timedOut: settlement.kind === 'timeout' };
    const { value } = settlement;
    try {
      if (!this.#definition.persist) {
        noteOwn(value, false);
        return { kind: 'value', execution, given: value, stored: noValue };
      }
      const { runId, id, key } = this.#row;
      const text = encodeValue(value, `result of task ${key}`);
      if (hidesValues()) refuseSecrets(text, `result of task ${this.#row.name}`);
      const stored =
        text !== null && isLarge(text)
          ? await storeValue(this.#active.services.results, `${runId}/${id}-${this.#active.record.writer}`, text)
          : { result: text, resultRef: null };
      return { kind: 'value', execution, given: givenAs(value, text), stored };
    } catch (error) {
      return { kind: 'failed', execution, error, timedOut: false };
    }
  }

  #settleValue({ execution, stored }: Attempt & { readonly kind: 'value' }): Promise<void> {
    execution.queueRejects();
    const { result, resultRef } = stored;
    return this.#record({ ...this.#row, result, resultRef, state: completed, endedAt: this.#active.services.clock.now() });
  }

  async #settleCached({ given, value, entry }: CacheHit): Promise<TaskOutcome> {
    const { result, resultRef, runId, taskRunId, madeAt } = value;
    const now = this.#active.services.clock.now();
    const recorded = this.#record({
      ...this.#row,
      ...{ state: cachedState(value, this.#row.runId), startedAt: this.#row.startedAt ?? now, endedAt: now, dueAt: null },
      ...{ result, resultRef, error: null, progress: null, metrics: null, cachedFrom: { runId, taskRunId, madeAt, entry } },
    });
    // The value is on record already, in the cache: its takers need not wait for the row, which is written before theirs.
    if (this.#active.isSpread) await recorded;
    else this.#active.laterWrites.add(recorded);
    return { kind: 'succeeded', given };
  }

  async #settleFailed({ execution, error, timedOut }: FailedAttempt): Promise<TaskOutcome> {
    const failure = failureOf(error);
    execution.queueRejects();
    execution.log.error({ err: error }, `Failed${execution.reached}: ${failure.message}`);
    if (failure.code === 'ERR_UNKNOWN_FILE_EXTENSION' && /\.[cm]?tsx?\b/.test(failure.message)) execution.log.warn(typescriptHint);
    const name = timedOut ? 'TimedOut' : failure.code === 'STREAM_STOPPED' ? 'UpstreamFailed' : 'Failed';
    const state = stateOf('FAILED', name, failure.message);
    await this.#record({ ...this.#row, state, error: failure, endedAt: this.#active.services.clock.now() });
    return { kind: 'failed', error, failure };
  }

  /** Records the task as Cancelled; records nothing if another owner continues the run. */
  async #settleStopped(error: BatutaError): Promise<TaskOutcome> {
    if (!isHandedBack(error)) {
      const endedAt = this.#active.services.clock.now();
      await this.#record({ ...this.#row, state: stateOf('CANCELLED', 'Cancelled', error.message), dueAt: null, endedAt });
    }
    return { kind: 'cancelled', error };
  }

  /** How long to wait before the next attempt; null if this was the last. */
  #decide(failed: FailedAttempt): Promise<number | null> {
    return decideRetry(failed, ++this.#failures);
  }

  /** The same for a segment, where the first source decides for all. */
  #decideTogether(stage: Stage, failed: FailedAttempt): Promise<number | null> {
    if (!stage.isLead) this.#failures++;
    return stage.decide((error) => this.#decide({ ...failed, error }));
  }

  #awaitRetry({ execution, error }: FailedAttempt, waitMs: number): Promise<boolean> {
    const failure = failureOf(error);
    const dueAt = this.#active.services.clock.now() + waitMs;
    execution.log.warn({ err: error }, `Attempt ${this.#row.attempt} failed${execution.reached}, next in ${waitMs} ms: ${failure.message}`);
    const state = stateOf('SCHEDULED', 'AwaitingRetry', failure.message);
    // Not awaited: nothing done meanwhile depends on it.
    this.#record({ ...this.#row, state, dueAt, failures: this.#failures, error: failure }).catch(() => undefined);
    return this.#awaitDue(dueAt);
  }

  /** Whether the attempt may begin. */
  #awaitDue(dueAt: number): Promise<boolean> {
    return waitUntil(this.#active, dueAt, `Task ${this.#row.name} is tried again.`, true);
  }

  #record(row: TaskRun): Promise<void> {
    const from = this.#from;
    this.#row = row;
    this.#from = row.state.type;
    return this.#active.record.setTask(from, row);
  }
}
