/** The recorded form of an error: as stored and shown to people. */
import { cutText, shortened, storableJson, storableText } from '../base/cut-text.ts';
import { hidesValues, withoutHidden, withoutHiddenIn } from '../base/hidden-values.ts';
import { isSecretName, redacted } from '../base/secret-names.ts';
import { type ErrorParts, isError, makeError, readError, textOf } from './error-parts.ts';
import { type Budget, notKept, plainCopy, unsafeKeys } from './plain-copy.ts';
import { fromTypedJson, toTypedJson } from './values.ts';

/** A failure as stored: plain JSON. */
export interface Failure {
  /** Class of the error, e.g. `TypeError`. */
  readonly name: string;
  /** If it has none: those of its parts, or of its cause. */
  readonly message: string;
  /** Stable code: of Batuta, or the `code` of the user's error; null if none. */
  readonly code: string | null;
  readonly stack: string | null;
  /** `details` of the original error if JSON can hold them, else null. */
  readonly details: unknown;
  readonly cause: Failure | null;
  /** Parts of an AggregateError, the first 20; else absent. */
  readonly errors?: readonly Failure[];
  /** How many parts there were; absent if all are in `errors`. */
  readonly errorCount?: number;
  /** Its other fields that are plain data (`statusCode`, `headers`, `issues`), secrets masked; absent if none. */
  readonly fields?: Readonly<Record<string, unknown>>;
  /** Which of `fields` are a Date, a Map or similar, in superjson notation; absent if none. */
  readonly fieldTypes?: unknown;
  /** Names of fields that are not plain data, or too large; absent if none. */
  readonly fieldsLeftOut?: readonly string[];
  /** Nearest class of the language it is an instance of, unless `Error`; absent then, and in old rows. */
  readonly base?: string;
  /** If it extends a class of Batuta's by way of others: the names of the user's classes, its own first; else absent. */
  readonly classes?: readonly string[];
  /** Where it comes from; only for a run's failure. */
  readonly origin?: FailureOrigin;
}

/** Which task and attempt made a run fail, and where in the user's code. */
export interface FailureOrigin {
  /** The same for similar failures: 16 hexadecimal digits over task, class, place, and the message without its numbers. */
  readonly key: string;
  /** Name of the task for people, e.g. `measure[7]`; null if the flow itself failed. */
  readonly task: string | null;
  /** Which attempt it was, and the maximum; of the task, or of the run if no task is named. */
  readonly attempt: number;
  readonly attempts: number;
  /** `flows/weather.ts:12`, relative to the process's initial folder; null if the stack does not show it. */
  readonly frame: string | null;
}

/** Deepest chain of causes kept. */
const maxCauses = 8;
/** Parts kept of an AggregateError, and examined in total below one failure. */
const maxErrors = 20;
const maxParts = 60;
/** Characters of a message or stack, of the error and those below it. */
const maxTextChars = 16_384;
const maxInnerTextChars = 4_096;
/** The head of a stack repeats the message. */
const maxStackHeadChars = 512;
/** Fields of one error that are read, and names after them that are recorded as left out. */
const maxFields = 1_000;
const maxLeftOut = 50;
/** Characters of all fields of one error. */
const maxFieldChars = 16_384;
const maxInnerFieldChars = 4_096;

interface Place {
  /** Errors it is a cause or part of. */
  readonly above: readonly unknown[];
  /** Errors that may still be recorded below the first. */
  readonly left: { parts: number };
}

/**
 * Turns anything thrown into its recorded form. Never throws; a thrown non-error keeps its text as message and its fields; circular causes
 * are cut. Its texts are already as databases store them, so that the error is the same before and after it is recorded.
 */
export function failureOf(thrown: unknown): Failure {
  const failure = failureWithin(thrown, { above: [], left: { parts: maxParts } });
  return hidesValues() ? withoutHiddenIn(failure) : failure;
}

function failureWithin(thrown: unknown, place: Place): Failure {
  const below: Place = { above: [...place.above, thrown], left: place.left };
  const isInner = place.above.length > 0;
  const maxChars = isInner ? maxInnerTextChars : maxTextChars;
  const budget = { chars: isInner ? maxInnerFieldChars : maxFieldChars };
  const { name, message, stack, base, classes, cause, errors, fields } = isError(thrown) ? readError(thrown) : readThrown(thrown);
  const { code, details, ...others } = fields;
  const hasCode = typeof code === 'string' || typeof code === 'number';
  const parts = errors?.slice(0, maxErrors).filter((one) => !below.above.includes(one) && below.left.parts-- > 0);
  const recordedParts = parts?.map((one) => failureWithin(one, below));
  const recordedCause =
    cause === undefined || below.above.length > maxCauses || below.above.includes(cause) ? null : failureWithin(cause, below);
  const kept = keptFields(typeof code === 'string' || code === undefined ? others : { code, ...others }, budget, below);
  return {
    name: storableText(name),
    // Hidden values first: once cut they would not be found.
    message: shortened(
      storableText(withoutHidden(filledMessage(message, recordedParts, recordedCause, hasCode ? String(code) : null))),
      maxChars,
    ),
    code: hasCode ? storableText(String(code)) : null,
    stack: stack === null ? null : cutStack(storableText(withoutHidden(stack)), maxChars),
    details: jsonOrNull(details),
    cause: recordedCause,
    ...(recordedParts ? { errors: recordedParts } : {}),
    ...(errors && recordedParts && errors.length > recordedParts.length ? { errorCount: errors.length } : {}),
    ...kept,
    ...(base === 'Error' ? {} : { base }),
    ...(classes.length < 2 && (classes[0] ?? name) === name ? {} : { classes: classes.map((one) => cutText(storableText(one), 100)) }),
  };
}

/**
 * The error that reads like the recorded failure: thrown to a `catch` in a code flow and to a waiting caller, whether the failure is new or
 * was recorded long ago. An instance of the nearest class of the language; a user class is its `name`.
 */
export function errorOf(failure: Failure): Error {
  const { name, message, code, stack, details, cause, errors, fields, fieldTypes, base = 'Error', classes } = failure;
  return makeError({
    ...{ name, message, stack, base },
    ...(classes === undefined ? {} : { classes }),
    hasCause: cause !== null,
    cause: cause === null ? undefined : errorOf(cause),
    errors: errors?.map(errorOf) ?? (base === 'AggregateError' ? [] : null),
    fields: {
      ...(code === null ? {} : { code }),
      ...(details === null ? {} : { details }),
      ...(fields === undefined ? {} : (fromTypedJson(fields, fieldTypes) as Record<string, unknown>)),
    },
  });
}

type KeptFields = Pick<Failure, 'fields' | 'fieldTypes' | 'fieldsLeftOut'>;

function keptFields(fields: Readonly<Record<string, unknown>>, budget: Budget, below: Place): KeptFields {
  const kept: Record<string, unknown> = {};
  const leftOut: string[] = [];
  // An error in a field may hold others: they count as parts.
  const error = (inner: Error): unknown =>
    below.above.includes(inner) || below.above.length > maxCauses || below.left.parts-- <= 0 ? notKept : spentError(inner, budget, below);
  const given = Object.keys(fields);
  const read = given.slice(0, maxFields);
  // Small ones first, so that a large one does not push out a status.
  for (const key of read.toSorted((a, b) => weightOf(fields[a]) - weightOf(fields[b]))) {
    const value = isSecretName(key) && fields[key] !== null ? redacted : plainCopy(fields[key], { budget, error });
    if (value === notKept || unsafeKeys.has(key)) leftOut.push(cutText(storableText(key), 100));
    else kept[key] = value;
  }
  for (const key of given.slice(maxFields, maxFields + maxLeftOut)) leftOut.push(cutText(storableText(key), 100));
  const names = read.filter((key) => Object.hasOwn(kept, key));
  const ordered = Object.fromEntries(names.map((key) => [key, kept[key]]));
  const { json, types } = names.length === 0 ? { json: undefined, types: undefined } : storableFields(toTypedJson(ordered));
  return {
    ...(json === undefined ? {} : { fields: json as Record<string, unknown> }),
    ...(types === undefined ? {} : { fieldTypes: types }),
    ...(leftOut.length === 0 ? {} : { fieldsLeftOut: leftOut.slice(0, maxLeftOut) }),
  };
}

function storableFields<Typed>(typed: Typed): Typed {
  const text = JSON.stringify(typed);
  const kept = storableJson(text);
  return kept === text ? typed : (JSON.parse(kept) as Typed);
}

function weightOf(value: unknown): number {
  return typeof value === 'object' && value !== null ? 1 : 0;
}

function spentError(inner: Error, budget: Budget, below: Place): unknown {
  const failure = { ...failureWithin(inner, below), stack: null };
  budget.chars -= JSON.stringify(failure).length;
  return budget.chars < 0 ? notKept : errorOf(failure);
}

/** Parts of a thrown non-error: its text, or the message and fields of an object. */
function readThrown(thrown: unknown): ErrorParts {
  const fields: Record<string, unknown> = {};
  try {
    // The entries of a list or of bytes are no fields; a response's body may have millions.
    if (typeof thrown === 'object' && thrown !== null && !Array.isArray(thrown) && !ArrayBuffer.isView(thrown))
      for (const key of thrownKeys(thrown)) fields[key] = Reflect.get(thrown, key);
  } catch {
    // A user getter or proxy threw: what was read before is kept.
  }
  const { name, message, stack, cause, ...others } = fields;
  return {
    name: typeof name === 'string' && name !== '' ? name : 'Error',
    message: typeof message === 'string' ? message : ArrayBuffer.isView(thrown) ? bytesText(thrown) : textOf(thrown),
    stack: typeof stack === 'string' ? stack : null,
    base: 'Error',
    classes: [],
    hasCause: cause !== undefined,
    cause,
    errors: null,
    fields: Object.fromEntries(Object.entries(others).filter(([, value]) => value !== undefined && typeof value !== 'function')),
  };
}

function thrownKeys(thrown: object): readonly string[] {
  const keys = Object.keys(thrown);
  if (keys.length <= maxFields + maxLeftOut) return keys;
  const parts = ['name', 'message', 'stack', 'cause'].filter((key) => Object.hasOwn(thrown, key));
  return [...new Set([...parts, ...keys.slice(0, maxFields + maxLeftOut)])];
}

function bytesText(thrown: ArrayBufferView): string {
  return `${Object.prototype.toString.call(thrown)} of ${thrown.byteLength.toLocaleString('en-US')} bytes`;
}

function filledMessage(message: string, errors: readonly Failure[] | undefined, cause: Failure | null, code: string | null): string {
  if (message.trim() !== '') return message;
  const parts = [...new Set((errors ?? []).map((one) => one.message))];
  if (parts.length > 0) return parts.slice(0, 5).join('; ') + (parts.length > 5 ? `; and ${parts.length - 5} more` : '');
  return cause?.message ?? code ?? '(no message)';
}

/** Cuts the head and keeps the frames, which say where. */
function cutStack(stack: string, maxChars: number): string {
  const frames = stack.indexOf('\n    at ');
  if (frames < 0) return shortened(stack, maxChars);
  return shortened(shortened(stack.slice(0, frames), maxStackHeadChars) + stack.slice(frames), maxChars);
}

function jsonOrNull(value: unknown): unknown {
  if (value === undefined) return null;
  try {
    const text = JSON.stringify(value, (key, inner: unknown) => (isSecretName(key) && inner != null ? redacted : inner));
    return text === undefined || text.length > maxTextChars ? null : JSON.parse(storableJson(text));
  } catch {
    return null;
  }
}
