/** What a run is submitted with, and the handle its caller gets. */
import type { Duration } from '../base/duration.ts';
import type { DebounceOptions, SubmittedOptions } from '../model/submitted.ts';
import type { Run } from '../model/run.ts';

/** How a run is handed to workers. */
export interface EnqueueOptions extends SubmittedOptions {
  /** Name of the run for people, 1 to 200 characters; default from the flow's `runName`, else two random words. */
  readonly name?: string;
  /** Each of 1 to 200 characters. */
  readonly tags?: readonly string[];
  /** Workers of this queue execute it; 1 to 100 letters, digits, `_`, `.` and `-`. Default `default`. */
  readonly queue?: string;
  /** Whole number from -100 to 100; higher goes first. Default 0. */
  readonly priority?: number;
  /** Not before this instant (a date or UTC epoch ms). Default at once. */
  readonly startAt?: Date | number;
  /**
   * A run that no worker has begun this long after it is due, or was submitted, never begins, and ends as Cancelled (Expired). Runs that
   * have begun continue, retries included. From 1 ms to 100 years; default forever.
   */
  readonly ttl?: Duration;
  /**
   * Calls of the flow with the same `key` are gathered into one run, whose id all of them get: it begins once nobody has called for `wait`,
   * or `maxWait` after the first call, with the parameters of the last. Not together with `startAt`, `ttl` and `idempotencyKey`.
   */
  readonly debounce?: DebounceOptions;
  /** There is one run of the flow per key: the first; later calls return its id. 1 to 500 characters. */
  readonly idempotencyKey?: string;
}

/** A run that has been accepted. */
export interface RunHandle<R = unknown, E extends object = Readonly<Record<string, unknown>>> {
  readonly id: string;
  /** The run as it is stored now. */
  get(): Promise<Run>;
  /** Resolves with the run once it is terminal and all its records are durable; never rejects because the flow failed. */
  done(): Promise<Run>;
  /** The flow's value. @throws BatutaError RUN_FAILED (cause: the task's error), RUN_CANCELLED, FLOW_TIMED_OUT. */
  result(): Promise<R>;
  cancel(message?: string): Promise<void>;
  /**
   * The values that the run emits by `ctx.emit`, in order, each once: past values from the first on, then new ones, until the run has
   * ended. Any number may read; each loop starts at the first. Over HTTP it continues where it was after a lost connection.
   * `client.runs.emitted` adds the task, attempt and instant of each.
   *
   * @throws BatutaError NAME_INVALID, RUN_NOT_FOUND, RESULT_MISSING (a large value is gone), STORE_…, and over HTTP what the server answers
   */
  stream<K extends keyof E & string>(stream: K, options?: StreamOptions): AsyncIterable<E[K]>;
}

/** Selects values of a stream. */
export interface StreamOptions {
  /** `seq` of the last value received: values after it are yielded. Default 0, from the first on. */
  readonly after?: number | undefined;
  /** Aborting ends the loop without an error. */
  readonly signal?: AbortSignal | undefined;
}
