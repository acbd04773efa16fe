/** The context of a task that runs in a thread: everything it is told goes over the channel to the engine. */
import { type Logger, pino } from 'pino';
import { BatutaError } from '../base/errors.ts';
import type { ArtifactWriter, TaskContext } from '../model/context.ts';
import { errorOf } from '../model/failure.ts';
import type { HostMessage, ThreadJob, ThreadMessage } from '../model/thread-protocol.ts';
import { decodeValue } from '../model/values.ts';

/** A context and the end of it. */
export interface ThreadContext {
  readonly context: TaskContext;
  /** Closes the channel; what was sent still arrives. */
  close(): void;
}

/** Makes the context of a job and listens to the engine. */
export function openThreadContext(job: ThreadJob): ThreadContext {
  const { port } = job;
  const aborting = new AbortController();
  const keeping = new Map<number, (error: Error | null) => void>();
  const send = (message: ThreadMessage): void => port.postMessage(message);

  port.on('message', (message: HostMessage) => {
    if (message.kind === 'abort') aborting.abort(errorOf(message.reason));
    else {
      keeping.get(message.id)?.(message.failure === null ? null : errorOf(message.failure));
      keeping.delete(message.id);
    }
  });
  let logger: Logger | undefined;
  let lastArtifact = 0;
  const context: TaskContext = {
    params: decodeValue(job.params),
    run: job.run,
    task: job.taskFacts,
    signal: aborting.signal,
    get log() {
      return (logger ??= openLogger(job.logLevel, send));
    },
    progress: (done, total) => {
      assertNumber('progress', done);
      if (total !== undefined) assertNumber('progress', total);
      send({ kind: 'progress', done, total: total ?? null });
    },
    artifact: artifactWriter(async (type, name, data) => {
      const text = artifactText(name, data);
      const id = ++lastArtifact;
      await new Promise<void>((resolve, reject) => {
        keeping.set(id, (error) => (error ? reject(error) : resolve()));
        send({ kind: 'artifact', id, type, name, data: text });
      });
    }),
    reject: (record, reason) => send({ kind: 'reject', record: jsonText(record), reason: String(reason) }),
    metrics: {
      add(name, by = 1) {
        assertNumber(`metrics.add('${name}')`, by);
        send({ kind: 'metric', change: 'add', name, value: by });
      },
      set(name, value) {
        assertNumber(`metrics.set('${name}')`, value);
        send({ kind: 'metric', change: 'set', name, value });
      },
    },
  };
  return { context, close: () => port.close() };
}

type Put = (type: Extract<ThreadMessage, { kind: 'artifact' }>['type'], name: string, data: unknown) => Promise<void>;

function artifactWriter(put: Put): ArtifactWriter {
  return {
    markdown: (name, text) => put('markdown', name, String(text)),
    table: (name, rows) => put('table', name, rows),
    link: (name, url) => put('link', name, String(url)),
    json: (name, data) => put('json', name, data),
  };
}

/** A pino logger whose lines go to the engine, which gives them time and ids and prints them. */
function openLogger(level: string, send: (message: ThreadMessage) => void): Logger {
  const write = (line: string): void => {
    const { level: number, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
    const message = typeof msg === 'string' ? msg : '';
    send({ kind: 'log', level: Number(number), message, fields: Object.keys(fields).length === 0 ? null : fields });
  };
  return pino({ level, base: null, timestamp: false }, { write });
}

/** @throws BatutaError RESULT_NOT_SERIALIZABLE */
function artifactText(name: string, data: unknown): string {
  let cause: unknown;
  try {
    const text = JSON.stringify(data);
    if (text !== undefined) return text;
  } catch (error) {
    cause = error;
  }
  throw new BatutaError(
    'RESULT_NOT_SERIALIZABLE',
    `The artifact '${name}' is not plain JSON: ${cause instanceof Error ? cause.message : `it is ${typeof data}`}.`,
    { cause },
  );
}

/** JSON text of a rejected record; what JSON cannot hold becomes text, for a bad record must not fail the task. */
function jsonText(record: unknown): string {
  try {
    return JSON.stringify(record, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)) ?? 'null';
  } catch {
    return JSON.stringify(Object.prototype.toString.call(record));
  }
}

function assertNumber(what: string, value: unknown): asserts value is number {
  if (typeof value === 'number' && Number.isFinite(value)) return;
  throw new TypeError(`${what} takes a finite number, not ${String(value)}.`);
}
