/** The context object of a task. Everything on it is made on first use: most tasks of a large run touch none of it. */
import { inspect } from 'node:util';
import type { Logger } from 'pino';
import { BatutaError } from '../../base/errors.ts';
import type { ArtifactWriter, Metrics, RunFacts, TaskContext, TaskFacts } from '../../model/context.ts';
import type { Artifact } from '../../model/run.ts';
import type { ActiveRun } from '../run/active-run.ts';

/** Rejected records that are kept whole, a task run; the rest is only counted. */
export const maxRejects = 1_000;

/** What a context asks of the execution behind it. */
export interface ContextSource {
  readonly params: unknown;
  readonly runFacts: RunFacts;
  readonly taskFacts: TaskFacts;
  readonly signal: AbortSignal;
  logger(): Logger;
  reportProgress(done: number, total: number | null): void;
  changeMetric(name: string, change: (value: number) => number): void;
  putReject(record: unknown, reason: string): void;
  putArtifact(kind: Artifact['kind'], name: string, data: unknown): Promise<void>;
}

/** The context handed to user code; its methods may be taken off it (`const { log, progress } = ctx`). */
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

  get signal(): AbortSignal {
    return this.#source.signal;
  }

  get log(): Logger {
    return this.#source.logger();
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
    return artifactWriterOf(this.#source);
  }
}

function metricsOf(source: ContextSource): Metrics {
  return {
    add(name, by = 1) {
      assertNumber(`metrics.add('${name}')`, by);
      source.changeMetric(name, (value) => value + by);
    },
    set(name, value) {
      assertNumber(`metrics.set('${name}')`, value);
      source.changeMetric(name, () => value);
    },
  };
}

function artifactWriterOf(source: ContextSource): ArtifactWriter {
  return {
    markdown: (name, text) => source.putArtifact('markdown', name, String(text)),
    table: (name, rows) => source.putArtifact('table', name, rows),
    link: (name, url) => source.putArtifact('link', name, String(url)),
    json: (name, data) => source.putArtifact('json', name, data),
  };
}

/** Records an artifact of a task run, or of the run itself. Resolves once durable. @throws BatutaError RESULT_NOT_SERIALIZABLE, STORE_… */
export async function putArtifact(
  active: ActiveRun,
  taskRunId: string | null,
  kind: Artifact['kind'],
  name: string,
  data: unknown,
): Promise<void> {
  const { services, record } = active;
  const runId = active.run.id;
  const kept = services.output.dataOf({ runId, kind }, plainJson(name, data));
  if (kept === undefined) return;
  await record.addArtifact({ id: services.makeId(), runId, taskRunId, kind, name, data: kept, createdAt: services.clock.now() });
}

/** A record that was put aside, as plain JSON; one that is none is kept as text, lest it take the others with it. */
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

function plainJson(name: string, data: unknown): string {
  try {
    const text = JSON.stringify(data);
    if (text !== undefined) return text;
  } catch (cause) {
    throw new BatutaError(
      'RESULT_NOT_SERIALIZABLE',
      `The artifact '${name}' is not plain JSON: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
  throw new BatutaError('RESULT_NOT_SERIALIZABLE', `The artifact '${name}' is not plain JSON: it is ${typeof data}.`);
}

function assertNumber(what: string, value: unknown): asserts value is number {
  if (typeof value === 'number' && Number.isFinite(value)) return;
  throw new TypeError(`${what} takes a finite number, not ${String(value)}.`);
}
