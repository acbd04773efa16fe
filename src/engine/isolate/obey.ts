/** Performs here, on the task's context, what a task in a guest does with its own. */
import type { Logger } from 'pino';
import { type ChartData, chartOf } from '../../model/chart.ts';
import { errorOf, failureOf } from '../../model/failure.ts';
import type { GuestMessage, GuestQuestion, HostMessage } from '../../model/isolate-protocol.ts';
import { measureAgain } from '../../model/own-metrics.ts';
import type { NamedValues } from '../../model/secret.ts';
import { decodeValue } from '../../model/values.ts';
import type { IsolatedCall } from './isolate.ts';
import { PulledFiles } from './pulled-files.ts';

type Answer = (message: HostMessage) => void;

/** Performs a task's request through its context. @param answer sends the task a message */
export function obey(call: IsolatedCall, answer: Answer, message: Exclude<GuestMessage, { readonly kind: 'span' | 'notes' }>): void {
  const { context, signal, namedValues } = call;
  switch (message.kind) {
    case 'commit':
      // If it has to stop, its guest is being ended instead.
      if (signal.aborted) break;
      call.beginCommit();
      answer({ kind: 'commit' });
      break;
    case 'ready':
      void open(call.gate, answer);
      break;
    case 'begun':
      call.gate?.tellBegun();
      break;
    case 'earlier':
      call.tellEarlier();
      break;
    case 'escaped':
      call.tellEscaped(errorOf(message.failure), message.how);
      break;
    case 'resource':
      call.resourceUses.note(message.use);
      break;
    case 'log':
      logAt(context.log, message);
      break;
    case 'progress':
      context.progress(message.done, message.total ?? undefined);
      break;
    case 'metric':
      context.metrics[message.change](message.name, message.value);
      break;
    case 'measure':
      measureAgain(context.metrics, message.measure);
      break;
    case 'reject':
      context.reject(JSON.parse(message.record), message.reason);
      break;
    case 'artifact':
      keep(context.artifact, message).then(
        () => answer({ kind: 'kept', id: message.id, failure: null }),
        (error: unknown) => answer({ kind: 'kept', id: message.id, failure: failureOf(error) }),
      );
      break;
    case 'emit':
      context.emit(message.stream, decodeValue(message.value)).then(
        () => answer({ kind: 'kept', id: message.id, failure: null }),
        (error: unknown) => answer({ kind: 'kept', id: message.id, failure: failureOf(error) }),
      );
      break;
    case 'file':
      keepFile(call, answer, message).then(
        () => answer({ kind: 'kept', id: message.id, failure: null }),
        (error: unknown) => answer({ kind: 'kept', id: message.id, failure: failureOf(error) }),
      );
      break;
    case 'piece':
      pulledOf(call, answer).answered(message);
      break;
    case 'bar':
      context.artifact.progress(message.name, message.value, message.label ?? undefined);
      break;
    case 'ask':
      void answerQuestion(namedValues, answer, message);
  }
}

/** Not answered if its task is being stopped. */
async function open(gate: IsolatedCall['gate'], answer: Answer): Promise<void> {
  const withinMs = await gate?.opened();
  if (withinMs === null) return;
  gate?.tellOpen();
  answer({ kind: 'go', withinMs: withinMs ?? Number.POSITIVE_INFINITY });
}

async function answerQuestion(values: NamedValues, answer: Answer, { id, what, name }: GuestQuestion): Promise<void> {
  try {
    const value: unknown = await values[what](name);
    answer({ kind: 'answer', id, value: value instanceof Error ? failureOf(value) : value });
  } catch (error) {
    answer({ kind: 'answer', id, failure: failureOf(error) });
  }
}

const methods = { 10: 'trace', 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' } as const;

/** Writes a line that a guest has sent. */
export function logAt(log: Logger, { level, message, fields }: GuestMessage & { readonly kind: 'log' }): void {
  log[methods[level as keyof typeof methods] ?? 'info'](fields ?? {}, message);
}

function keep(
  artifact: IsolatedCall['context']['artifact'],
  { type, name, key, data }: GuestMessage & { readonly kind: 'artifact' },
): Promise<void> {
  const plain: unknown = JSON.parse(data);
  const options = key === null ? {} : { key };
  switch (type) {
    case 'markdown':
      return artifact.markdown(name, String(plain), options);
    case 'link':
      return artifact.link(name, String(plain), options);
    case 'table':
      return artifact.table(name, plain as Readonly<Record<string, unknown>>[], options);
    case 'json':
      return artifact.json(name, plain, options);
    case 'chart':
      return artifact.chart(name, chartOf(plain as ChartData), options);
  }
}

function keepFile(call: IsolatedCall, answer: Answer, { id, wish, source }: GuestMessage & { readonly kind: 'file' }): Promise<void> {
  const { kind, name, key, type, fileName, alt } = wish;
  const options = {
    ...(key === null ? {} : { key }),
    ...(type === undefined ? {} : { type }),
    ...(fileName === undefined ? {} : { fileName }),
    ...(alt === undefined ? {} : { alt }),
  };
  return call.context.artifact[kind](name, source ?? pulledOf(call, answer).pieces(id), options);
}

/** Files requested from guests, by task. */
const pulled = new WeakMap<IsolatedCall, PulledFiles>();

function pulledOf(call: IsolatedCall, answer: Answer): PulledFiles {
  const known = pulled.get(call);
  if (known) return known;
  const made = new PulledFiles(answer);
  pulled.set(call, made);
  return made;
}

/** The task's guest sends nothing more: files still being requested end. */
export function endFiles(call: IsolatedCall): void {
  pulled.get(call)?.end();
}
