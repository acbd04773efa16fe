/**
 * The context object of a task, in its run's process and in a thread. All parts are created on first use: most tasks of a large run use
 * none.
 */
import { inspect } from 'node:util';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Logger } from 'pino';
import { BatutaError } from '../base/errors.ts';
import { type ArtifactKeeper, artifactWriter } from './artifact-writer.ts';
import type { ArtifactWriter, Metrics, RunFacts, TaskContext, TaskFacts } from './context.ts';
import type { AnyResource, KeyArgument, Resource } from './resource.ts';
import type { EmissionKeeper } from './emission.ts';
import type { ContextKey, ContextValues } from './middleware.ts';
import { type OwnMeasure, ownMetrics } from './own-metrics.ts';
import type { NamedValues } from './secret.ts';
import { readConnection } from './connection.ts';
import { readVariable } from './variable.ts';

/** Rejected records kept whole, per task run; the rest is only counted. */
export const maxRejects = 1_000;

/** What a context needs of its execution. */
export interface ContextSource {
  readonly params: unknown;
  readonly runFacts: RunFacts;
  readonly taskFacts: TaskFacts;
  /** See `idempotencyKeyOf`; made on first use. */
  readonly idempotencyKey: string;
  /** For the source of a stream: how far the previous attempt got. */
  readonly resumeFrom?: unknown;
  /** What middleware set. */
  readonly contextValues: ContextValues;
  readonly signal: AbortSignal;
  logger(): Logger;
  /** Where secrets and variables are read. */
  namedValues(): NamedValues;
  reportProgress(done: number, total: number | null): void;
  changeMetric(change: 'add' | 'set', name: string, value: number): void;
  /** Takes measurements for Prometheus. */
  measure(measure: OwnMeasure): void;
  useResource(resource: AnyResource, key: unknown): Promise<unknown>;
  putReject(record: unknown, reason: string): void;
  /** Stores what a task shows. */
  readonly artifacts: ArtifactKeeper;
  /** Records what the task emits. */
  readonly emissions: EmissionKeeper;
}

/** The context handed to user code; its methods may be detached (`const { log, progress } = ctx`). */
export class LiveTaskContext implements TaskContext {
  readonly #source: ContextSource;

  constructor(source: ContextSource) {
    this.#source = source;
  }

  get params(): unknown {
    return this.#source.params;
  }

  get run(): RunFacts {
    return this.#source.runFacts;
  }

  get task(): TaskFacts {
    return this.#source.taskFacts;
  }

  get get(): <T>(key: ContextKey<T>) => T {
    const source = this.#source;
    return (key) => source.contextValues.get(key);
  }

  get idempotencyKey(): string {
    return this.#source.idempotencyKey;
  }

  get resumeFrom(): unknown {
    return this.#source.resumeFrom;
  }

  get signal(): AbortSignal {
    return this.#source.signal;
  }

  get log(): Logger {
    return this.#source.logger();
  }

  get use(): <T, K>(resource: Resource<T, K>, ...key: KeyArgument<K>) => Promise<T> {
    const source = this.#source;
    return (resource, ...[key]) => source.useResource(resource, key) as Promise<never>;
  }

  /** Of a task with `transaction`. @throws BatutaError TRANSACTION_UNSUPPORTED in any other */
  get tx(): never {
    throw new BatutaError('TRANSACTION_UNSUPPORTED', `${this.task.name} has no transaction: give it one with @Task({ transaction: … }).`);
  }

  /** Set as the work begins. */
  setTransaction(tx: unknown): void {
    // On the object itself, so other tasks' contexts have no place for it.
    Object.defineProperty(this, 'tx', { value: tx, configurable: true });
  }

  get progress(): (done: number, total?: number) => void {
    const source = this.#source;
    return (done, total) => {
      assertNumber('progress', done);
      if (total !== undefined) assertNumber('progress', total);
      source.reportProgress(done, total ?? null);
    };
  }

  get reject(): (record: unknown, reason: string) => void {
    const source = this.#source;
    return (record, reason) => source.putReject(record, reason);
  }

  get metrics(): Metrics {
    return metricsOf(this.#source);
  }

  get artifact(): ArtifactWriter {
    return artifactWriter(this.#source.artifacts);
  }

  get emit(): (stream: string, value: unknown) => Promise<void> {
    const source = this.#source;
    return (stream, value) => source.emissions.emit(stream, value);
  }

  get secret(): TaskContext['secret'] {
    const source = this.#source;
    return (name) => source.namedValues().secret(name);
  }

  get connection(): TaskContext['connection'] {
    const source = this.#source;
    return (name, kind) => readConnection(source.namedValues(), name, kind);
  }

  get variable(): TaskContext['variable'] {
    const source = this.#source;
    return (name: string, schema?: StandardSchemaV1) => readVariable(source.namedValues(), name, schema ?? null) as Promise<never>;
  }
}

function metricsOf(source: ContextSource): Metrics {
  return {
    ...ownMetrics((measure) => source.measure(measure)),
    add(name, by = 1) {
      assertNumber(`metrics.add('${name}')`, by);
      source.changeMetric('add', name, by);
    },
    set(name, value) {
      assertNumber(`metrics.set('${name}')`, value);
      source.changeMetric('set', name, value);
    },
  };
}

/** A rejected record as plain JSON; otherwise as text, so that the others are not lost with it. */
export function plainReject({ record, reason }: { readonly record: unknown; readonly reason: string }): {
  readonly record: unknown;
  readonly reason: string;
} {
  try {
    return { record: JSON.parse(JSON.stringify(record) ?? 'null'), reason: String(reason) };
  } catch {
    return { record: inspect(record, { depth: 2 }), reason: String(reason) };
  }
}

/** Text of an artifact. @throws BatutaError RESULT_NOT_SERIALIZABLE */
export function artifactText(name: string, data: unknown): string {
  try {
    const text = JSON.stringify(data);
    if (text !== undefined) return text;
  } catch (cause) {
    throw new BatutaError('RESULT_NOT_SERIALIZABLE', `The artifact '${name}' is not plain JSON: ${whyNotJson(data, cause)}.`, { cause });
  }
  throw new BatutaError('RESULT_NOT_SERIALIZABLE', `The artifact '${name}' is not plain JSON: it is ${typeof data}.`);
}

/** The place of a bigint, which the error does not name; else the first line of the error. */
function whyNotJson(data: unknown, cause: unknown): string {
  const bigints: string[] = [];
  const path: { readonly holder: unknown; readonly at: string }[] = [];
  try {
    JSON.stringify(data, function (this: unknown, key: string, value: unknown) {
      while (path.length > 0 && path.at(-1)?.holder !== this) path.pop();
      if (typeof value === 'bigint') bigints.push([...path.map(({ at }) => at), key].filter((step) => step !== '').join('.'));
      else if (typeof value === 'object' && value !== null) path.push({ holder: value, at: key });
      return value;
    });
  } catch {
    // As before.
  }
  const [first] = bigints;
  if (first !== undefined) return `it holds a bigint${first === '' ? '' : ` at ${first}`}; write it as a text or a number`;
  return (cause instanceof Error ? cause.message : String(cause)).split('\n', 1)[0] ?? '';
}

function assertNumber(what: string, value: unknown): asserts value is number {
  if (typeof value === 'number' && Number.isFinite(value)) return;
  throw new TypeError(`${what} takes a finite number, not ${String(value)}.`);
}
