/** Reads failures so that one that is not as this program writes it fails no list. */
import type { Failure } from '../model/failure.ts';
import { readJson } from './read-json.ts';

const unreadable: Failure = {
  name: 'Error',
  message: 'The recorded error cannot be read.',
  code: null,
  stack: null,
  details: null,
  cause: null,
};
/** Deepest chain of causes and parts read; more than is ever recorded. */
const maxDepth = 20;

/** Parts that may be absent; one of another kind is left out. */
const optionalParts: ReadonlyMap<string, (part: unknown) => boolean> = new Map([
  ['errors', Array.isArray],
  ['errorCount', isNumber],
  ['fields', isFields],
  ['fieldsLeftOut', isTexts],
  ['base', isText],
  ['classes', isTexts],
  ['origin', isOrigin],
]);

/** A failure; one without a name and a message says that it cannot be read. Null if the column holds none. */
export function readFailure(text: string | null): Failure | null {
  return text === null ? null : failureFrom(readJson<unknown>(text), 0);
}

function failureFrom(value: unknown, depth: number): Failure {
  if (!isFields(value) || !isText(value['name']) || !isText(value['message']) || depth > maxDepth) return unreadable;
  const { code, stack, cause, details, errors } = value;
  const parts = Object.entries(value).filter(([key, part]) => optionalParts.get(key)?.(part) ?? true);
  return {
    ...(Object.fromEntries(parts) as object as Failure),
    code: isText(code) ? code : null,
    stack: isText(stack) ? stack : null,
    details: details ?? null,
    cause: isFields(cause) ? failureFrom(cause, depth + 1) : null,
    ...(Array.isArray(errors) ? { errors: errors.map((one) => failureFrom(one, depth + 1)) } : {}),
  };
}

function isOrigin(value: unknown): boolean {
  if (!isFields(value)) return false;
  const { key, task, attempt, attempts, frame } = value;
  return isText(key) && isNumber(attempt) && isNumber(attempts) && (task === null || isText(task)) && (frame === null || isText(frame));
}

function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number';
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every(isText);
}
