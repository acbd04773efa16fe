/**
 * The one writer of states. Checks every change against the table of `model/state.ts`, queues it with its transition row in the recorder,
 * and notifies the listeners.
 */
import type { Clock } from '../../base/clock.ts';
import { BatutaError } from '../../base/errors.ts';
import { inSlices } from '../../base/slices.ts';
import type { EngineListener } from '../../model/events.ts';
import type { FlowDefinition } from '../../model/flow.ts';
import type { Artifact, Owner, Run, RunPatch, TaskRun, Transition } from '../../model/run.ts';
import type { ResourceUse } from '../../model/resource-use.ts';
import { runTimes } from '../../model/run-times.ts';
import { canFollow, canReopen, isTerminal, type State, stateOf, type StateType } from '../../model/state.ts';
import { type Lifecycle, type LifecycleStep, stepTo } from '../../observe/lifecycle.ts';
import type { Claim, Recorder, TaskClaim } from '../../store/store.ts';

/** Where the changes are queued. */
export type RecordWriter = Pick<Recorder, 'addRunPatch' | 'addTaskRun' | 'addArtifact' | 'addResourceUse'>;

export interface RecordOptions {
  readonly run: Run;
  readonly claim: Claim;
  readonly owner: Owner;
  readonly definition: FlowDefinition;
  readonly recorder: RecordWriter;
  /** Keeps what this writer leaves in the result storage apart from that of others; default the epoch of its claim. */
  readonly writer?: string;
  /** Claim of recorded emissions; default its own. */
  readonly emissionClaim?: TaskClaim;
  readonly clock: Clock;
  readonly listener: EngineListener | null;
  readonly lifecycle: Lifecycle;
}

/** The record of one run, written by its owner. */
export class RunRecord {
  readonly claim: Claim;
  /** Claim under which values are emitted. */
  readonly emissionClaim: Claim | TaskClaim;
  /** Part of the keys of its large values: a writer that has lost the run must not overwrite what the next has recorded. */
  readonly writer: string;
  /** See `StepHolder`. */
  traced: object | null = null;
  readonly #owner: Owner;
  readonly #definition: FlowDefinition;
  readonly #recorder: RecordWriter;
  readonly #clock: Clock;
  readonly #listener: EngineListener | null;
  readonly #lifecycle: Lifecycle;
  /** Task runs that have not ended, by id, as last written. */
  readonly #open = new Map<string, TaskRun>();
  /** Of each task, the first that failed by itself and stays so. */
  readonly #failed = new Map<string, TaskRun>();
  #isLost = false;
  #lastArtifactAt = 0;
  #run: Run;

  constructor(options: RecordOptions) {
    this.#run = options.run;
    this.claim = options.claim;
    this.emissionClaim = options.emissionClaim ?? options.claim;
    this.writer = options.writer ?? String(options.claim.epoch);
    this.#owner = options.owner;
    this.#definition = options.definition;
    this.#recorder = options.recorder;
    this.#clock = options.clock;
    this.#listener = options.listener;
    this.#lifecycle = options.lifecycle;
  }

  /** Takes in previously recorded task runs; to be called before anything is written. In slices: there may be very many. */
  recall(rows: Iterable<TaskRun>): Promise<void> {
    return inSlices(rows, (row) => this.#note(row));
  }

  /** Marks its claim as lost: what it writes from now on is refused. */
  lose(): void {
    this.#isLost = true;
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  /** The run as last written. */
  get run(): Run {
    return this.#run;
  }

  /**
   * Writes a new state of the run, and what else changes with it. Resolves once durable.
   *
   * @param reopen allows a new attempt after a failed, crashed or cancelled one.
   */
  setRun(state: State, patch: Omit<RunPatch, 'state'> = {}, reopen = false): Promise<void> {
    assertFollows(this.#run.state.type, state, `run ${this.#run.id}`, reopen);
    const whole = { ...patch, ...this.#timesBy(state), state };
    this.#run = { ...this.#run, ...whole };
    const written = this.#recorder.addRunPatch(this.claim, whole, this.#transition(null, state, this.#run.attempt));
    if (this.#lifecycle.isHeard) this.#report(null, written);
    this.tellRun();
    return written;
  }

  /** The changes to its times when it begins to wait, or continues; none for most runs, which never wait. */
  #timesBy({ type }: State): Pick<RunPatch, 'executedMs' | 'resumedAt'> {
    const { state, startedAt, executedMs, resumedAt } = this.#run;
    if (startedAt === null) return {};
    const wasAtWork = state.type === 'RUNNING' || state.type === 'CANCELLING';
    if (type === 'RUNNING') return wasAtWork ? {} : { resumedAt: this.#clock.now() };
    if (!wasAtWork || (type !== 'SCHEDULED' && type !== 'PAUSED')) return {};
    const now = this.#clock.now();
    return { executedMs: (executedMs ?? 0) + Math.max(0, now - (resumedAt ?? startedAt)), resumedAt: now };
  }

  /**
   * Writes a state of the run whose transition another process has recorded: pending writes of this one may have overwritten it since.
   * Resolves once durable.
   */
  repeatRun(state: State): Promise<void> {
    assertFollows(this.#run.state.type, state, `run ${this.#run.id}`, false);
    this.#run = { ...this.#run, state };
    const written = this.#recorder.addRunPatch(this.claim, { state }, null);
    this.tellRun();
    return written;
  }

  /** Takes in the parameters as recorded again. */
  noteParams(params: string): void {
    this.#run = { ...this.#run, params };
  }

  /** Takes in a state as the store has recorded it, and notifies the listener if it differs. */
  noteState(state: State): void {
    if (this.#run.state.name === state.name && this.#run.state.message === state.message) return;
    this.#run = { ...this.#run, state, ...(isTerminal(state.type) ? { endedAt: this.#clock.now() } : {}) };
    this.tellRun();
  }

  /** Notifies the listener of the run's state. */
  tellRun(): void {
    this.#listener?.({ kind: 'run', run: this.#run, definition: this.#definition });
  }

  /** Records how many items a mapped task has, and notifies the listener. Not awaited: flushed with the first of them. */
  tellMapped(task: string, items: number): void {
    if (this.#run.mapped?.[task] !== items) {
      const mapped = { ...this.#run.mapped, [task]: items };
      this.#run = { ...this.#run, mapped };
      this.#recorder.addRunPatch(this.claim, { mapped }, null).catch(() => undefined);
    }
    this.#listener?.({ kind: 'mapped', run: this.#run, task, items });
  }

  /**
   * Writes a task run in a new state. Resolves once durable.
   *
   * @param from type of the previous state; null if it is new or reopened.
   * @param isNew whether nothing of it was recorded before; default false, which is always safe.
   * @param mayWait whether it may be held briefly, to be written with what follows; default false
   */
  setTask(from: StateType | null, row: TaskRun, isNew = false, mayWait = false): Promise<void> {
    assertFollows(from, row.state, `task run ${row.key}`, false);
    this.#note(row);
    const written = this.#recorder.addTaskRun(this.claim, row, this.#transition(row.id, row.state, row.attempt), isNew, mayWait);
    if (this.#lifecycle.isHeard) this.#report(row, written);
    this.#listener?.({ kind: 'task', run: this.#run, taskRun: row });
    return written;
  }

  /** Writes the end of a task run, now. Resolves once durable. @param from as for `setTask` */
  endTask(from: StateType | null, row: TaskRun, state: State, more: Partial<TaskRun> = {}): Promise<void> {
    return this.setTask(from, { ...row, ...more, state, dueAt: null, endedAt: this.#clock.now() });
  }

  /** Writes what changed of a task run besides its state (progress, metrics). */
  touchTask(row: TaskRun): void {
    // Nobody waits for progress; the next state write meets a store that is gone.
    this.#recorder.addTaskRun(this.claim, row, null, false, true).catch(() => undefined);
    this.#listener?.({ kind: 'task', run: this.#run, taskRun: row });
  }

  /** An unfinished task run, as last written; null if it has ended, or is unknown. */
  taskRun(id: string): TaskRun | null {
    return this.#open.get(id) ?? null;
  }

  /** Takes in a task run as another process has recorded it, and notifies the listener. */
  tellTask(row: TaskRun): void {
    this.#note(row);
    this.#listener?.({ kind: 'task', run: this.#run, taskRun: row });
  }

  /** Creation time of an artifact, epoch ms: never the same twice, as ids made of hashes are not in time order. */
  artifactTime(): number {
    this.#lastArtifactAt = Math.max(this.#clock.now(), this.#lastArtifactAt + 1);
    return this.#lastArtifactAt;
  }

  /** Keeps an artifact of the run or of one of its task runs. Resolves once durable. */
  addArtifact(artifact: Artifact): Promise<void> {
    return this.#recorder.addArtifact(this.claim, artifact);
  }

  /** Writes a resource opening as it stands. Not awaited: the end of its run or task is in the same flush or a later one. */
  noteResourceUse(use: ResourceUse): void {
    const written = this.#recorder.addResourceUse(this.claim, use);
    written.catch(() => undefined);
    if (this.#lifecycle.isObserved && use.closedAt !== null) this.#tellResource(use, written);
  }

  #tellResource(use: ResourceUse, written: Promise<void>): void {
    const attempt = use.taskRunId === null ? null : (this.#open.get(use.taskRunId)?.attempt ?? 1);
    written.then(
      () => {
        if (!this.#isLost) this.#lifecycle.tell({ kind: 'resource', use, attempt, run: this.#run });
      },
      () => undefined,
    );
  }

  /**
   * Ends unfinished task runs as Cancelled; returns their number. Not awaited: the next state of the run is in the same flush or a later
   * one.
   */
  cancelOpen(message: string, which: (row: TaskRun) => boolean = () => true): number {
    const open = [...this.#open.values()].filter(which);
    for (const row of open) this.endTask(row.state.type, row, stateOf('CANCELLED', 'Cancelled', message)).catch(() => undefined);
    return open.length;
  }

  /** The first task run that failed by itself, by task name. */
  get failed(): ReadonlyMap<string, TaskRun> {
    return this.#failed;
  }

  /** Reports that this process continues a run, or a task run of it, of another process; a spread task is reported by its claimer. */
  reportRecovered(row: TaskRun | null = null): void {
    if (this.#lifecycle.isHeard) this.#report(row, Promise.resolve(), 'recovered');
  }

  #report(row: TaskRun | null, flushed: Promise<void>, step?: LifecycleStep): void {
    const run = this.#run;
    const { state, attempt, startedAt, dueAt } = row ?? run;
    const at = this.#clock.now();
    this.#lifecycle.report({
      step: step ?? stepTo(state),
      at,
      runId: run.id,
      taskRunId: row === null ? null : row.id,
      flow: run.flow,
      task: row === null ? null : row.name,
      state,
      attempt,
      startedAt,
      dueAt,
      executingMs: row === null ? (runTimes(run, at)?.executingMs ?? null) : startedAt === null ? null : Math.max(0, at - startedAt),
      flushed,
      holder: this,
      taskRun: row,
    });
  }

  #note(row: TaskRun): void {
    if (row.error !== null && row.state.type === 'FAILED' && row.state.name !== 'UpstreamFailed') {
      if (!this.#failed.has(row.name) || this.#failed.get(row.name)?.key === row.key) this.#failed.set(row.name, row);
    } else if (this.#failed.size > 0 && this.#failed.get(row.name)?.key === row.key) this.#failed.delete(row.name);
    if (isTerminal(row.state.type)) this.#open.delete(row.id);
    else this.#open.set(row.id, row);
  }

  #transition(taskRunId: string | null, state: State, attempt: number): Transition {
    return {
      runId: this.#run.id,
      taskRunId,
      at: this.#clock.now(),
      type: state.type,
      name: state.name,
      message: state.message,
      attempt,
      owner: this.#owner.id,
    };
  }
}

function assertFollows(from: StateType | null, to: State, what: string, reopen: boolean): void {
  if (canFollow(from, to.type) || (reopen && from !== null && canReopen(from))) return;
  throw new BatutaError('INTERNAL', `The ${what} cannot go from ${from} to ${to.type} (${to.name}).`);
}
