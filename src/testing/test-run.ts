/** Outcome of a flow in a test, with assertions about it. */
import { AssertionError } from 'node:assert';
import type { RunInspection } from '../client/client.ts';
import { decodeValue } from '../engine/values/results.ts';
import type { Emission } from '../model/emission.ts';
import type { Failure } from '../model/failure.ts';
import type { TaskRun } from '../model/run.ts';
import type { State, StateName } from '../model/state.ts';
import { type StageStats, stageStatsOf } from '../model/stage-stats.ts';
import type { StoredLogLine } from '../store/store.ts';

/** A task run as seen by a test. */
export interface TestTask {
  readonly name: string;
  readonly key: string;
  readonly index: number | null;
  readonly state: State;
  /** Started executions; 0 if it never ran. */
  readonly attempts: number;
  /** Its recorded value; undefined if it has none. Values over 256 KiB are not read back here. */
  readonly result: unknown;
  readonly error: Failure | null;
  readonly metrics: Readonly<Record<string, number>>;
}

export interface TestRunParts<R> {
  readonly inspection: RunInspection;
  readonly result: R | undefined;
  readonly thrown: unknown;
  readonly logs: readonly StoredLogLine[];
  readonly waitedMs: number;
  readonly emissions: readonly Emission[];
}

/** A finished run. `R` is the flow's value. */
export class TestRun<R = unknown> {
  readonly state: State;
  /** The flow's value; undefined unless it completed. */
  readonly result: R | undefined;
  readonly error: Failure | null;
  /** The original thrown value; null unless it failed. */
  readonly thrown: unknown;
  readonly attempt: number;
  readonly params: unknown;
  /** In the order of their first record. */
  readonly tasks: readonly TestTask[];
  readonly logs: readonly StoredLogLine[];
  readonly artifacts: RunInspection['artifacts'];
  /** Its emissions over all streams, in recorded order. */
  readonly emissions: readonly Emission[];
  /** Everything recorded. */
  readonly inspection: RunInspection;
  /** Virtual milliseconds from start to end. */
  readonly waitedMs: number;

  constructor({ inspection, result, thrown, logs, waitedMs, emissions }: TestRunParts<R>) {
    const { run } = inspection;
    this.inspection = inspection;
    this.state = run.state;
    this.result = result;
    this.thrown = thrown;
    this.error = run.error;
    this.attempt = run.attempt;
    this.params = inspection.params;
    this.tasks = inspection.taskRuns.map(testTask);
    this.logs = logs;
    this.emissions = emissions;
    this.artifacts = inspection.artifacts;
    this.waitedMs = waitedMs;
  }

  /** The task run of a name, of one item with `index`. @throws AssertionError if there is none. */
  task(name: string, index: number | null = null): TestTask {
    const found = this.tasks.find((task) => task.name === name && (index === null || task.index === index));
    return (
      found ??
      fail(
        `no task run ${name}${index === null ? '' : `[${index}]`}; there are: ${this.tasks.map((task) => task.key).join(', ') || 'none'}`,
      )
    );
  }

  /** All task runs of a name: the items of a mapped task, the calls of a code flow. */
  tasksOf(name: string): readonly TestTask[] {
    return this.tasks.filter((task) => task.name === name);
  }

  /** Throughput of its stream tasks, in their order. Times are those of the test's clock. */
  get stats(): readonly StageStats[] {
    return stageStatsOf(this.inspection.taskRuns);
  }

  /** The values of one stream, in order. */
  emitted(stream: string): readonly unknown[] {
    return this.emissions.filter((emission) => emission.stream === stream).map(({ value }) => value);
  }

  /** Keys of task runs in the order their first attempts started; those that never ran are left out. */
  get started(): readonly string[] {
    return this.#keysAt((name) => name === 'Running');
  }

  /** @throws AssertionError with the failure, unless the run is in that state. */
  expectState(name: StateName): this {
    if (this.state.name !== name)
      fail(`the run is ${this.state.name}${this.state.message === null ? '' : ` (${this.state.message})`}`, this.state.name, name);
    return this;
  }

  /** @throws AssertionError unless the task run is in that state and, if given, took that many attempts. */
  expectTask(name: string, state: StateName, options: { readonly attempts?: number; readonly index?: number } = {}): this {
    const task = this.task(name, options.index ?? null);
    if (task.state.name !== state)
      fail(
        `task ${task.key} is ${task.state.name}${task.state.message === null ? '' : ` (${task.state.message})`}`,
        task.state.name,
        state,
      );
    if (options.attempts !== undefined && task.attempts !== options.attempts)
      fail(`task ${task.key} took ${task.attempts} attempts`, task.attempts, options.attempts);
    return this;
  }

  /** @throws AssertionError unless each of these tasks had ended before the next began. */
  expectOrder(...names: readonly string[]): this {
    const ends = this.#keysAt((name) => name !== 'Running' && name !== 'Retrying' && name !== 'AwaitingRetry', true);
    const events = this.#events();
    for (const [at, name] of names.slice(1).entries()) {
      const before = names[at] ?? '';
      const lastEnd = events.findLastIndex((event) => event.name === before && event.ended);
      const firstStart = events.findIndex((event) => event.name === name && !event.ended);
      if (lastEnd < 0 || firstStart < 0) fail(`${lastEnd < 0 ? before : name} did not run; what ended: ${ends.join(', ')}`);
      if (lastEnd > firstStart) fail(`${name} began before ${before} had ended`);
    }
    return this;
  }

  #events(): { readonly name: string; readonly ended: boolean }[] {
    const names = new Map(this.inspection.taskRuns.map((row) => [row.id, row.name]));
    return this.inspection.transitions.flatMap(({ taskRunId, type, name }) => {
      const task = taskRunId === null ? undefined : names.get(taskRunId);
      if (task === undefined || name === 'AwaitingRetry' || name === 'Retrying') return [];
      return [{ name: task, ended: type !== 'RUNNING' }];
    });
  }

  #keysAt(wanted: (name: StateName) => boolean, last = false): string[] {
    const keys = new Map(this.inspection.taskRuns.map((row) => [row.id, row.key]));
    const found = this.inspection.transitions
      .filter(({ taskRunId, name }) => taskRunId !== null && wanted(name))
      .map(({ taskRunId }) => keys.get(taskRunId ?? '') ?? '');
    return last ? [...new Set(found.reverse())].reverse() : [...new Set(found)];
  }
}

function testTask(row: TaskRun): TestTask {
  return {
    name: row.name,
    key: row.key,
    index: row.index,
    state: row.state,
    attempts: row.attempt,
    result: decodeValue(row.result),
    error: row.error,
    metrics: row.metrics ?? {},
  };
}

function fail(message: string, actual?: unknown, expected?: unknown): never {
  throw new AssertionError({
    message: expected === undefined ? message : `Expected ${String(expected)}, but ${message}.`,
    actual,
    expected,
    operator: 'batuta',
  });
}
