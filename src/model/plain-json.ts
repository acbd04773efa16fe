/** Values kept as JSON: what JSON would leave out or write as something else is refused, with its place. */
import { cutMiddle } from '../base/cut-text.ts';
import { BatutaError } from '../base/errors.ts';
import type { Fault } from './unstorable.ts';
import { maxPathChars } from './values.ts';

/** Deeper values are refused: writing and reading them recurses, on a limited stack. */
const maxDepth = 1_000;

/**
 * The JSON of a value that is the same when read back. A field that is undefined counts as missing.
 *
 * @param what names the value in the error, e.g. `variable region`
 * @throws BatutaError OPTION_INVALID with `details.path`
 */
export function plainJsonText(value: unknown, what: string): string {
  const fault = findNotJson(value);
  if (fault === null) return JSON.stringify(value);
  const path = cutMiddle(fault.path, maxPathChars);
  const place = path === '' ? `The ${what}` : `${path} in the ${what}`;
  throw new BatutaError('OPTION_INVALID', `${place} is not plain JSON: ${fault.why}.`, { details: { path } });
}

/** First place in a value that JSON would leave out or change, or null. */
export function findNotJson(value: unknown, path = '', holders: readonly object[] = []): Fault | null {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return null;
  if (typeof value === 'number') return Number.isFinite(value) ? null : { path, why: `it is ${value}` };
  if (typeof value !== 'object') return { path, why: `it is ${typeof value === 'undefined' ? 'undefined' : `a ${typeof value}`}` };
  if (holders.includes(value)) return { path, why: 'it holds itself' };
  if (holders.length >= maxDepth) return { path, why: `it is nested more than ${maxDepth.toLocaleString('en-US')} levels deep` };
  try {
    return faultInside(value, path, [...holders, value]);
  } catch (error) {
    return { path, why: `reading it failed (${error instanceof Error ? error.message : String(error)})` };
  }
}

function faultInside(value: object, path: string, holders: readonly object[]): Fault | null {
  const isList = Array.isArray(value);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (isObject(prototype) && Object.getPrototypeOf(prototype) !== null && !(isList && Array.isArray(prototype)))
    return { path, why: `it is an instance of ${prototype.constructor.name || 'a class'}` };
  const symbol = Object.getOwnPropertySymbols(value).find((key) => Object.prototype.propertyIsEnumerable.call(value, key));
  if (symbol) return { path: `${path}[${String(symbol)}]`, why: 'its key is a symbol' };
  if (isList) {
    for (let at = 0; at < value.length; at++) {
      const fault =
        at in value ? findNotJson(value[at], `${path}[${at}]`, holders) : { path: `${path}[${at}]`, why: 'it is a gap in a list' };
      if (fault) return fault;
    }
  }
  for (const [key, inner] of Object.entries(value)) {
    const place = path === '' ? key : `${path}.${key}`;
    if (isList && !/^\d+$/.test(key)) return { path: place, why: 'a list keeps no named fields' };
    const fault = isList || inner === undefined ? null : findNotJson(inner, place, holders);
    if (fault) return fault;
  }
  return null;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
