/** The context of a task that runs in a thread: what the task does with it goes over the channel to the engine. */
import { type Logger, pino } from 'pino';
import { errorOf } from '../model/failure.ts';
import { ContextValues } from '../model/middleware.ts';
import { artifactText, type ContextSource, LiveTaskContext, plainReject } from '../model/task-context.ts';
import type { HostMessage, ThreadJob, ThreadMessage } from '../model/thread-protocol.ts';
import { decodeValue } from '../model/values.ts';
import { HostQuestions } from './thread-values.ts';
import { ThreadResources } from './thread-resources.ts';

/** A context and the end of it. */
export interface ThreadContext {
  readonly context: LiveTaskContext;
  /** What the task uses of resources. */
  readonly resources: ThreadResources;
  /** Resolves once its transaction may be committed; never where the thread is being ended instead. */
  askToCommit(): Promise<void>;
  /** Says that its result is that of an earlier execution. */
  tellEarlier(): void;
  /** Closes the channel; what was sent still arrives. */
  close(): void;
}

/** Makes the context of a job and listens to the engine. */
export function openThreadContext(job: ThreadJob): ThreadContext {
  const { port } = job;
  const aborting = new AbortController();
  const keeping = new Map<number, (error: Error | null) => void>();
  let mayCommit: () => void = () => undefined;
  const send = (message: ThreadMessage): void => port.postMessage(message);

  port.on('message', (message: HostMessage) => {
    if (message.kind === 'commit') mayCommit();
    else if (message.kind === 'abort') aborting.abort(errorOf(message.reason));
    else if (message.kind === 'answer') questions.answered(message);
    else {
      keeping.get(message.id)?.(message.failure === null ? null : errorOf(message.failure));
      keeping.delete(message.id);
    }
  });
  const questions = new HostQuestions(send);
  let logger: Logger | undefined;
  let lastArtifact = 0;
  const source: ContextSource = {
    params: decodeValue(job.params),
    runFacts: job.run,
    taskFacts: job.taskFacts,
    idempotencyKey: job.idempotencyKey,
    contextValues: valuesOf(job),
    signal: aborting.signal,
    logger: () => (logger ??= openLogger(job.logLevel, send)),
    namedValues: () => questions,
    reportProgress: (done, total) => send({ kind: 'progress', done, total }),
    changeMetric: (change, name, value) => send({ kind: 'metric', change, name, value }),
    measure: (measure) => send({ kind: 'measure', measure }),
    useResource: (resource, key) => resources.use(resource, key),
    putReject(record, reason) {
      const plain = plainReject({ record, reason });
      send({ kind: 'reject', record: JSON.stringify(plain.record), reason: plain.reason });
    },
    async putArtifact(type, name, data) {
      const text = artifactText(name, data);
      const id = ++lastArtifact;
      await new Promise<void>((resolve, reject) => {
        keeping.set(id, (error) => (error ? reject(error) : resolve()));
        send({ kind: 'artifact', id, type, name, data: text });
      });
    },
  };
  const context = new LiveTaskContext(source);
  const resources = new ThreadResources(
    () => context,
    () => questions,
    (use) => send({ kind: 'resource', use }),
  );
  return {
    context,
    resources,
    askToCommit: () =>
      new Promise<void>((resolve) => {
        mayCommit = resolve;
        send({ kind: 'commit' });
      }),
    tellEarlier: () => send({ kind: 'earlier' }),
    close: () => port.close(),
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

function valuesOf({ contextValues }: ThreadJob): ContextValues {
  const values = new ContextValues(null);
  for (const [name, value] of (decodeValue(contextValues) ?? []) as [string, unknown][]) values.set({ name }, value);
  return values;
}
