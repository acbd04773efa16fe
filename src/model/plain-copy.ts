/** A bounded copy of plain data out of anything, secrets masked: for fields of recorded errors and for displayed arguments. */
import { shortened } from '../base/cut-text.ts';
import { isSecretName, redacted } from '../base/secret-names.ts';
import { readField } from './error-parts.ts';

/** How much may be kept; shared by everything copied with it. */
export interface Budget {
  /** Characters left, counted roughly as JSON. */
  chars: number;
}

/** Result of `plainCopy` for what is not plain data, or no longer fits. */
export const notKept: unique symbol = Symbol('not kept');

/** Longer texts are cut, with a note. */
const maxTextChars = 4_096;
const maxDepth = 8;

export interface PlainCopyOptions {
  readonly budget: Budget;
  /** Copies an error; default `notKept`. */
  readonly error?: (error: Error) => unknown;
}

/**
 * The copy: plain objects and lists, Map, Set, Date, URL, RegExp and primitives as they are; `Headers` and similar as an object; anything
 * with `toJSON` as its result. Anything else (functions, sockets, class instances) is `notKept`, and omitted from its container. Cycles are
 * cut. Never throws.
 */
export function plainCopy(value: unknown, options: PlainCopyOptions): unknown {
  try {
    return copyValue(value, options, []);
  } catch {
    return notKept;
  }
}

function copyValue(value: unknown, options: PlainCopyOptions, above: readonly object[]): unknown {
  const { budget } = options;
  if (typeof value === 'string') return copyText(value, budget);
  if (typeof value === 'function' || typeof value === 'symbol') return notKept;
  if (typeof value !== 'object' || value === null) return spend(budget, 6) ? value : notKept;
  if (above.length > maxDepth || above.includes(value)) return notKept;
  return copyObject(value, options, [...above, value]);
}

/** As much as fits, if worth reading. */
function copyText(text: string, budget: Budget): unknown {
  const room = Math.min(maxTextChars, budget.chars - 2);
  if (text.length > room && room < 64) return notKept;
  const kept = shortened(text, room);
  budget.chars -= Math.min(budget.chars, kept.length + 2);
  return kept;
}

function copyObject(value: object, options: PlainCopyOptions, path: readonly object[]): unknown {
  const { budget } = options;
  if (value instanceof Error) return options.error ? options.error(value) : notKept;
  if (Array.isArray(value)) return copyList(value, options, path);
  // Before `toJSON` of a Buffer, which makes a list of numbers.
  if (ArrayBuffer.isView(value) && value.byteLength > budget.chars) return notKept;
  if (value instanceof Date) return Number.isNaN(value.getTime()) || !spend(budget, 26) ? notKept : new Date(value);
  if (value instanceof URL) return spend(budget, value.href.length) ? new URL(value) : notKept;
  if (value instanceof RegExp) return spend(budget, value.source.length) ? new RegExp(value) : notKept;
  if (value instanceof Map) {
    const pairs = copyList([...value].slice(0, budget.chars), options, path);
    return pairs === notKept ? notKept : maskedMap(pairs as readonly unknown[]);
  }
  if (value instanceof Set) {
    const items = copyList([...value].slice(0, budget.chars), options, path);
    return items === notKept ? notKept : new Set(items as readonly unknown[]);
  }
  if (isListOfPairs(value)) return copyFields(Object.fromEntries(value), options, path);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null)
    return copyFields(value, options, path);
  if ('toJSON' in value && typeof value.toJSON === 'function') return copyValue(value.toJSON(), options, path);
  return notKept;
}

function copyList(list: readonly unknown[], options: PlainCopyOptions, path: readonly object[]): unknown {
  if (!spend(options.budget, 2)) return notKept;
  const copy: unknown[] = [];
  for (const item of list) {
    const kept = copyValue(item, options, path);
    if (kept !== notKept) copy.push(kept);
    else if (options.budget.chars <= 0) break;
  }
  return copy;
}

function copyFields(value: object, options: PlainCopyOptions, path: readonly object[]): unknown {
  const { budget } = options;
  if (!spend(budget, 2)) return notKept;
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    if (unsafeKeys.has(key)) continue;
    const inner = readField(value, key);
    if (inner === undefined || !spend(budget, key.length + 4)) continue;
    const kept = isSecretName(key) && inner !== null ? redacted : copyValue(inner, options, path);
    if (kept !== notKept) copy[key] = kept;
  }
  return copy;
}

/** Names refused by superjson. */
export const unsafeKeys: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

function maskedMap(pairs: readonly unknown[]): Map<unknown, unknown> {
  const whole = pairs.filter((pair): pair is [unknown, unknown] => Array.isArray(pair) && pair.length === 2);
  return new Map(whole.map(([key, value]) => [key, typeof key === 'string' && isSecretName(key) ? redacted : value]));
}

/** `Headers`, `URLSearchParams`, `FormData`: names and values, but neither Map nor list. */
function isListOfPairs(value: object): value is Iterable<[string, unknown]> {
  return typeof Headers === 'function' && (value instanceof Headers || value instanceof URLSearchParams || value instanceof FormData);
}

function spend(budget: Budget, chars: number): boolean {
  if (budget.chars < chars) {
    budget.chars = 0;
    return false;
  }
  budget.chars -= chars;
  return true;
}
