/** The recorded form of an error: what is kept in the store and shown to people. */
import { cutText } from '../base/cut-text.ts';

/** A failure as it is stored: plain JSON. */
export interface Failure {
  /** Class of the error, e.g. `TypeError`. */
  readonly name: string;
  readonly message: string;
  /** Stable code: of Batuta, or the `code` the user's error carried; null when it had none. */
  readonly code: string | null;
  readonly stack: string | null;
  /** `details` of the original error where it had any that JSON can hold, else null. */
  readonly details: unknown;
  readonly cause: Failure | null;
}

/** Deepest chain of causes that is kept. */
const maxCauses = 8;
const maxTextChars = 16_384;

/** Turns anything thrown into its recorded form. Never throws; a thrown non-error keeps its text as message, a circle of causes ends. */
export function failureOf(thrown: unknown): Failure {
  return failureWithin(thrown, []);
}

/** @param above errors that it is a cause of */
function failureWithin(thrown: unknown, above: readonly unknown[]): Failure {
  if (!isError(thrown)) {
    return { name: 'Error', message: clip(textOf(thrown)), code: null, stack: null, details: null, cause: null };
  }
  const code = read(thrown, 'code');
  const stack = read(thrown, 'stack');
  const cause = read(thrown, 'cause');
  const path = [...above, thrown];
  return {
    name: textOf(read(thrown, 'name') || 'Error'),
    message: clip(textOf(read(thrown, 'message'))),
    code: typeof code === 'string' || typeof code === 'number' ? String(code) : null,
    stack: typeof stack === 'string' ? clip(stack) : null,
    details: jsonOrNull(read(thrown, 'details')),
    cause: cause === undefined || path.length > maxCauses || path.includes(cause) ? null : failureWithin(cause, path),
  };
}

/** An `Error` that reads like the recorded failure; what a waiting caller gets thrown. */
export function errorOf(failure: Failure): Error {
  const error = new Error(failure.message, failure.cause ? { cause: errorOf(failure.cause) } : undefined);
  error.name = failure.name;
  if (failure.stack !== null) error.stack = failure.stack;
  if (failure.code !== null) Object.assign(error, { code: failure.code });
  if (failure.details !== null) Object.assign(error, { details: failure.details });
  return error;
}

function isError(thrown: unknown): thrown is Error {
  try {
    return thrown instanceof Error;
  } catch {
    return false;
  }
}

/** A field of an error of the user's, whose getter may throw. */
function read(error: Error, name: 'name' | 'message' | 'code' | 'stack' | 'details' | 'cause'): unknown {
  try {
    return Reflect.get(error, name);
  } catch {
    return name === 'message' ? '(its message cannot be read)' : undefined;
  }
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return tagOf(value);
  }
}

function tagOf(value: unknown): string {
  try {
    return Object.prototype.toString.call(value);
  } catch {
    return 'something that has no text';
  }
}

function clip(text: string): string {
  const kept = cutText(text, maxTextChars);
  return kept.length < text.length ? `${kept} …(${text.length - kept.length} more characters)` : text;
}

function jsonOrNull(value: unknown): unknown {
  if (value === undefined) return null;
  try {
    const text = JSON.stringify(value);
    return text === undefined || text.length > maxTextChars ? null : JSON.parse(text);
  } catch {
    return null;
  }
}
