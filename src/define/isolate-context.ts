/** The context of a task that runs in its own thread or process: what the task does with it goes to the engine. */
import { resolve } from 'node:path';
import { type Logger, pino } from 'pino';
import { cutOut, pathOf } from '../base/byte-source.ts';
import { letOthersIn, systemClock } from '../base/clock.ts';
import { errorOf } from '../model/failure.ts';
import { ContextValues } from '../model/middleware.ts';
import { artifactText, type ContextSource, LiveTaskContext, plainReject } from '../model/task-context.ts';
import type { HostMessage, IsolatedJob, GuestMessage } from '../model/isolate-protocol.ts';
import { checkStreamName } from '../model/emission.ts';
import { decodeValue, encodeValue } from '../model/values.ts';
import { HostQuestions } from './host-questions.ts';
import { GuestResources, type WorkerScope } from './isolate-resources.ts';
import { PulledSource } from './pulled-source.ts';

/** A context and its end. */
export interface GuestContext {
  readonly context: LiveTaskContext;
  /** Resources the task uses. */
  readonly resources: GuestResources;
  /** Resolves when its code may be called, which has to happen at once; never if the guest is being ended instead. */
  askToBegin(): Promise<void>;
  /** Resolves once its transaction may be committed; never if the guest is being ended instead. */
  askToCommit(): Promise<void>;
  /** Reports that its result is from an earlier execution. */
  tellEarlier(): void;
  /** Handles engine messages. */
  hear(message: HostMessage): void;
  /**
   * Resolves once what it has emitted and shown so far, except files, is recorded or refused, and Node.js has reported unhandled errors.
   * Never rejects.
   */
  settled(): Promise<void>;
  /** Refuses open requests: the task has ended. */
  end(): void;
}

/** Makes the context of a job. @param send sends its messages to the engine */
export function openGuestContext(job: IsolatedJob, send: (message: GuestMessage) => void, workerScope: WorkerScope): GuestContext {
  const aborting = new AbortController();
  const keeping = new Map<number, (error: Error | null) => void>();
  const pulling = new Map<number, PulledSource>();
  let mayCommit: () => void = () => undefined;
  let mayBegin: (withinMs: number) => void = () => undefined;

  const hear = (message: HostMessage): void => {
    if (message.kind === 'commit') mayCommit();
    else if (message.kind === 'go') mayBegin(message.withinMs);
    else if (message.kind === 'abort') aborting.abort(errorOf(message.reason));
    else if (message.kind === 'answer') questions.answered(message);
    else if (message.kind === 'pull') void pulling.get(message.id)?.answer(message);
    else {
      keeping.get(message.id)?.(message.failure === null ? null : errorOf(message.failure));
      keeping.delete(message.id);
      pulling.delete(message.id);
    }
  };
  const kept = (tell: (id: number) => void): Promise<void> => {
    const id = ++lastArtifact;
    return new Promise((resolved, reject) => {
      keeping.set(id, (error) => (error ? reject(error) : resolved()));
      tell(id);
    });
  };
  const pending = new Set<Promise<void>>();
  /** Makes the task's end wait for the work. */
  const awaited = (work: Promise<void>): Promise<void> => {
    pending.add(work);
    return work.finally(() => pending.delete(work));
  };
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
    artifacts: {
      put: ({ kind: type, name, data, key }) =>
        awaited(
          (async () => {
            const text = artifactText(name, data);
            await kept((id) => send({ kind: 'artifact', id, type, name, key, data: text }));
          })(),
        ),
      async putFile({ source: given, ...wish }) {
        const path = pathOf(given);
        const whole = given instanceof Uint8Array ? cutOut(given) : path === null ? null : { path: resolve(path) };
        const pulled = whole === null ? new PulledSource(given, wish.name, send) : null;
        await kept((id) => {
          if (pulled) pulling.set(id, pulled);
          send({ kind: 'file', id, wish, source: whole });
        });
      },
      setProgress: (name, value, label) => send({ kind: 'bar', name, value, label }),
    },
    emissions: {
      emit: (stream, value) =>
        awaited(
          (async () => {
            checkStreamName(stream);
            const text = encodeValue(value, `value for the stream '${stream}'`);
            await kept((id) => send({ kind: 'emit', id, stream, value: text }));
          })(),
        ),
    },
  };
  const context = new LiveTaskContext(source);
  const resources = new GuestResources(
    () => context,
    () => questions,
    (use) => send({ kind: 'resource', use }),
    workerScope,
  );
  return {
    context,
    resources,
    async askToBegin() {
      for (let askedAt = 0, withinMs = 0; systemClock.monotonic() - askedAt >= withinMs; ) {
        askedAt = systemClock.monotonic();
        withinMs = await new Promise<number>((resolve) => {
          mayBegin = resolve;
          send({ kind: 'ready' });
        });
      }
      // Not after the call, which may hold this thread until its end.
      send({ kind: 'begun' });
    },
    askToCommit: () =>
      new Promise<void>((resolve) => {
        mayCommit = resolve;
        send({ kind: 'commit' });
      }),
    tellEarlier: () => send({ kind: 'earlier' }),
    hear,
    async settled() {
      await Promise.allSettled(pending);
      await letOthersIn();
    },
    end: () => questions.end(),
  };
}

/** A pino logger whose lines go to the engine, which adds time and ids and prints them. */
export function openLogger(level: string, send: (message: GuestMessage) => void): Logger {
  const write = (line: string): void => {
    const { level: number, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
    const message = typeof msg === 'string' ? msg : '';
    send({ kind: 'log', level: Number(number), message, fields: Object.keys(fields).length === 0 ? null : fields });
  };
  return pino({ level, base: null, timestamp: false }, { write });
}

function valuesOf({ contextValues }: IsolatedJob): ContextValues {
  const values = new ContextValues(null);
  for (const [name, value] of (decodeValue(contextValues) ?? []) as [string, unknown][]) values.set({ name }, value);
  return values;
}
