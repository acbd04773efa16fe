/**
 * The log of a process: pino, written to standard error at once, for people or as JSON.
 *
 * A line whose logger has a `runId` is also passed to listeners, exactly as printed, so that it can be kept with its run. Nothing is
 * buffered here and no thread is involved, so no line is lost however the process ends, unless `write` holds it back: then its owner prints
 * it as the process ends (`batuta dev`).
 *
 * A warning outside runs that names an error is printed once a minute, with the number of repetitions: see `Repeats`.
 */
import { destination, type Logger, type LoggerOptions, pino, symbols } from 'pino';
import { type Clock, systemClock } from './clock.ts';
import { hidesValues, withoutHiddenInJson } from './hidden-values.ts';
import { maskText } from './mask.ts';
import { redactSecrets, secretBindings } from './redact.ts';
import { redacted } from './secret-names.ts';
import { Repeats } from './repeats.ts';
import type { LogFormat, LogLevel } from './settings.ts';
import { userLines } from './user-frame.ts';

/** A line logged inside a run. Same shape as `LogLine` of the model. */
export interface RunLine {
  readonly runId: string;
  readonly taskRunId: string | null;
  /** UTC epoch ms. */
  readonly at: number;
  /** pino's numbers: 10 trace, 20 debug, 30 info, 40 warn, 50 error, 60 fatal. */
  readonly level: number;
  readonly message: string;
  /** Further fields of the line, secrets replaced; null if none. */
  readonly fields: Readonly<Record<string, unknown>> | null;
}

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: LogFormat;
  /** Colours in the pretty form; default: whether standard error is a terminal. */
  readonly colors?: boolean;
  readonly clock?: Clock;
  /** Receives the text, whole lines, with their run, if any; default standard error, written synchronously. */
  readonly write?: (text: string, runId: string | null) => void;
}

/** An open log. */
export interface Log {
  readonly logger: Logger;
  /**
   * Calls `listener` with each line logged in a run, in order, before the logging call returns. Returns a function to stop this; stopping
   * twice is harmless.
   */
  onLine(listener: (line: RunLine) => void): () => void;
}

/** Where a line belongs, by its logger. */
type Place = Pick<RunLine, 'runId' | 'taskRunId'> | null;

/** A destination that gets a line's logger from pino. */
interface Output {
  readonly [needsMetadata]: true;
  lastLogger: Logger | undefined;
  write(text: string): void;
}

const needsMetadata = Symbol.for('pino.metadata');
/** Fields that are separate in a run line, or known from its run. */
const knownFields = new Set(['level', 'time', 'msg', 'runId', 'taskRunId', 'flow', 'task', 'traceId', 'spanId']);

const mayHoldSecret = /pass|pwd|token|secret|key|auth|credential|cookie|jwt|:\/\/|Bearer|Basic/i;

const escape = String.fromCharCode(27);
/** Colours and cursor moves (CSI), titles and links (OSC). Source: ECMA-48, sections 5.4 and 5.6. */
const controlSequence = new RegExp(`${escape}(?:\\[[0-?]*[ -/]*[@-~]|\\][^\\p{Cc}]*(?:\\p{Cc}\\\\?)?)`, 'gu');

/** Opens a log. Secrets are replaced by field name: password, token, authorization, apiKey, secret, cookie and similar, at any depth. */
export async function openLog(options: LogOptions): Promise<Log> {
  const clock = options.clock ?? systemClock;
  const print = await openPrinter(options);
  const listeners = new Set<(line: RunLine) => void>();
  const places = new WeakMap<Logger, { readonly place: Place }>();
  const repeats = new Repeats(clock);

  const output: Output = {
    [needsMetadata]: true,
    lastLogger: undefined,
    write(written) {
      const text = withoutSecrets(written);
      const place = output.lastLogger === undefined ? null : findPlace(output.lastLogger, places);
      if (place === null) {
        const told = isPassing(text) ? withRepeats(text, repeats) : text;
        if (told !== null) print(told, null);
        return;
      }
      print(text, place.runId);
      if (listeners.size === 0) return;
      const line = readLine(text, place);
      for (const listener of listeners) listener(line);
    },
  };

  return {
    logger: pino(pinoOptions(options.level, clock), output),
    onLine(listener) {
      const own = (line: RunLine): void => listener(line);
      listeners.add(own);
      return () => void listeners.delete(own);
    },
  };
}

function pinoOptions(level: LogLevel, clock: Clock): LoggerOptions {
  return {
    level,
    base: null,
    timestamp: () => `,"time":${clock.now()}`,
    formatters: { log: redactSecrets },
    serializers: { err: (error: unknown) => error, ...Object.fromEntries(secretBindings.map((name) => [name, () => redacted])) },
  };
}

async function openPrinter(options: LogOptions): Promise<NonNullable<LogOptions['write']>> {
  const write = options.write ?? openStandardError();
  if (options.format === 'json') return write;
  // Bundled, a CommonJS package exports only `default`.
  const { prettyFactory } = (await import('pino-pretty')).default;
  const pretty = prettyFactory({
    colorize: options.colors ?? Boolean(process.stderr.isTTY),
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'runId,taskRunId,traceId,flow,task,attempt,late',
    singleLine: true,
    errorLikeObjectKeys: ['err', 'error'],
    messageFormat: (line, messageKey) => prettyMessage(line, messageKey),
  });
  return (text, runId) => write(pretty(forPeople(text, runId)), runId);
}

/** A line whose bindings, message or fields may contain one is searched as a whole: pino does not expose the bindings of children. */
function withoutSecrets(written: string): string {
  const text = hidesValues() ? hideIn(written) : written;
  if (!mayHoldSecret.test(text)) return text;
  const parsed = JSON.parse(text) as Record<string, unknown>;
  return `${JSON.stringify(maskTexts(redactSecrets(parsed, Number.POSITIVE_INFINITY)))}\n`;
}

/** Hidden values may also be in what the engine adds to a line, such as a run's name. Ids and times are unchanged. */
function hideIn(written: string): string {
  const hidden = withoutHiddenInJson(written);
  return hidden === written ? written : `${hidden}\n`;
}

function maskTexts(value: unknown): unknown {
  if (typeof value === 'string') return maskText(value);
  if (Array.isArray(value)) return value.map(maskTexts);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, maskTexts(inner)]));
}

/** Whether a warning names an error. */
function isPassing(text: string): boolean {
  return text.startsWith('{"level":40,') && text.includes('"err":');
}

/** The line with the number of similar ones left out; null if it is left out too. */
function withRepeats(text: string, repeats: Repeats): string | null {
  const line = JSON.parse(text) as Record<string, unknown>;
  const repeated = repeats.count(`${String(line['msg'])} ${reasonOf(line)}`);
  if (repeated === null || repeated === 0) return repeated === null ? null : text;
  return `${JSON.stringify({ ...line, repeated })}\n`;
}

/** For an error people see the reason, and where their own code is involved; the record and the JSON form have all of it. */
function forPeople(text: string, runId: string | null): string {
  if (isPassing(text)) return withReasonOnly(text);
  return runId !== null && text.includes('"err":') ? withOwnFrames(text) : text;
}

/** The stack of a failure below its message, without frames of the engine, packages and Node.js. */
function withOwnFrames(text: string): string {
  const { err, msg, ...line } = JSON.parse(text) as Record<string, unknown>;
  if (!isLoggedError(err)) return text;
  const { type, message, stack, aggregateErrors, ...fields } = err;
  const lines = userLines(stack);
  const places = lines.findIndex((one) => /^(at |caused by: )/.test(one));
  const title = lines.slice(0, places < 0 ? undefined : places).join('\n');
  const parts = Array.isArray(aggregateErrors) ? aggregateErrors.filter(isLoggedError).map((one) => `${one.type}: ${one.message}`) : [];
  const shown = [withTitle(String(msg ?? ''), title, type), ...parts, ...(places < 0 ? [] : lines.slice(places))].join('\n');
  return `${JSON.stringify({ ...fields, ...line, msg: shown })}\n`;
}

interface LoggedError {
  readonly type: string;
  readonly message: string;
  readonly stack: string;
  readonly aggregateErrors?: unknown;
}

function isLoggedError(value: unknown): value is LoggedError {
  return (
    typeof value === 'object' &&
    value !== null &&
    ['type', 'message', 'stack'].every((name) => typeof (value as Record<string, unknown>)[name] === 'string')
  );
}

/** The message of a line with its error's title, once. */
function withTitle(message: string, title: string, type: string): string {
  const plain = title.startsWith(`${type}: `) ? title.slice(type.length + 2) : title;
  if (plain === '' || !trimmedLines(message).includes(trimmedLines(plain))) return `${message} ${title}`.trim();
  if (['Error', 'BatutaError'].includes(type)) return message;
  // Further lines may be indented.
  const start = message.includes(plain) ? plain : (plain.split('\n')[0] ?? '');
  return message.replace(start, () => `${type}: ${start}`);
}

/** The lines of a stack, unindented. */
function trimmedLines(text: string): string {
  return text
    .split('\n')
    .map((line) => line.trim())
    .join('\n');
}

/** A warning's stack is for the record, not for the screen. Lines of runs name the reason themselves. */
function withReasonOnly(text: string): string {
  const { err, msg, ...line } = JSON.parse(text) as Record<string, unknown>;
  const reason = 'runId' in line ? '' : reasonOf({ err });
  const message = String(msg ?? '');
  return `${JSON.stringify({ ...line, msg: reason === '' || message.includes(reason) ? message : `${message} ${reason}` })}\n`;
}

/** The error of a line, in one line. */
function reasonOf({ err }: Record<string, unknown>): string {
  const message: unknown = typeof err === 'object' && err !== null && 'message' in err ? err.message : err;
  return typeof message === 'string' ? withoutEcho(message.replace(/\s+/g, ' ').trim()) : '';
}

/** pino appends messages of causes to that of their error, which may have the same text. */
function withoutEcho(text: string): string {
  for (let at = text.indexOf(': '); at !== -1; at = text.indexOf(': ', at + 1))
    if (text.slice(0, at).includes(text.slice(at + 2))) return text.slice(0, at);
  return text;
}

function prettyMessage(line: Record<string, unknown>, messageKey: string): string {
  const place = [line['flow'], line['task']].filter((part) => typeof part === 'string').join('.') + attemptOf(line);
  const message = removeControlChars(String(line[messageKey] ?? ''));
  return place === '' ? message : `${place}: ${message}`;
}

/** Which attempt of a task logs, if not the first, or if it had ended. */
function attemptOf({ task, attempt, late }: Record<string, unknown>): string {
  if (typeof task !== 'string' || typeof attempt !== 'number' || (attempt === 1 && late !== true)) return '';
  return ` (attempt ${attempt}${late === true ? ', ended' : ''})`;
}

/** Nothing that could steer the terminal reaches it. Further lines are indented, so none can pass for a line of its own. */
function removeControlChars(text: string): string {
  return text
    .replace(controlSequence, '')
    .replace(/\r\n?|[\u0085\u2028\u2029]/g, '\n')
    .replace(/\p{Cc}/gu, (char) => (char === '\n' ? '\n    ' : char === '\t' ? char : ''));
}

function openStandardError(): (text: string) => void {
  const stream = destination({ dest: 2, sync: true });
  return (text) => void stream.write(text);
}

/** Reads the first ids in a logger's bindings: the engine's, whatever a user's child logger adds. */
function findPlace(logger: Logger, places: WeakMap<Logger, { readonly place: Place }>): Place {
  const known = places.get(logger);
  if (known !== undefined) return known.place;
  const bindings = String((logger as unknown as Record<symbol, unknown>)[symbols.chindingsSym]);
  const runId = /(?:^|,)"runId":"([^"\\]+)"/.exec(bindings)?.[1];
  const taskRunId = /,"taskRunId":"([^"\\]+)"/.exec(bindings)?.[1];
  const place = runId === undefined ? null : { runId, taskRunId: taskRunId ?? null };
  places.set(logger, { place });
  return place;
}

function readLine(text: string, place: NonNullable<Place>): RunLine {
  const parsed = JSON.parse(text) as Record<string, unknown>;
  const further = Object.entries(parsed).filter(([name]) => !knownFields.has(name));
  return {
    ...place,
    at: Number(parsed['time']),
    level: Number(parsed['level']),
    message: typeof parsed['msg'] === 'string' ? parsed['msg'] : '',
    fields: further.length === 0 ? null : Object.fromEntries(further),
  };
}
