/** Finds what in a value would change when read back from the record. */
import { Buffer } from 'node:buffer';
import { readError } from './error-parts.ts';

/** Lists of numbers that survive unchanged. */
export const typedArrays = [
  Uint8Array,
  Int8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
] as const;

/**
 * Whether JSON alone writes the value as superjson does, which is ten times slower: plain objects and lists of texts, finite numbers,
 * booleans and null, each object in one place only.
 */
export function isPlainJson(value: unknown): boolean {
  if (isPlainLeaf(value)) return true;
  const seen = new Set<object>();
  const work: object[] = [];
  const take = (inner: unknown): boolean => {
    if (isPlainLeaf(inner)) return true;
    if (typeof inner !== 'object' || inner === null || seen.has(inner)) return false;
    seen.add(inner);
    work.push(inner);
    return true;
  };
  if (!take(value)) return false;
  for (let at = work.pop(); at; at = work.pop()) {
    const prototype: unknown = Object.getPrototypeOf(at);
    // Keys that JSON would omit; an `arguments` object has one too.
    if (Object.getOwnPropertySymbols(at).length > 0) return false;
    if (prototype === Array.prototype) {
      // A place without a value is undefined, which JSON would make null.
      for (const inner of at as unknown[]) if (!take(inner)) return false;
      if (hasNamedFields(at as unknown[])) return false;
    } else if (prototype === Object.prototype) {
      for (const [key, inner] of entriesOf(at)) if (forbidden.has(key) || !take(inner)) return false;
    } else return false;
  }
  return true;
}

/** `undefined` if a getter throws; see `findUnstorable`. */
function entriesOf(value: object): readonly (readonly [string, unknown])[] {
  try {
    return Object.entries(value);
  } catch {
    return [['', undefined]];
  }
}

/**
 * Whether a list has fields besides its items, like a regular expression match. Only short lists are checked: their keys cost as much as
 * the items.
 */
function hasNamedFields(list: readonly unknown[]): boolean {
  return list.length <= maxListAsked && Object.keys(list).length > list.length;
}

function isPlainLeaf(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0);
  return value === null || typeof value === 'string' || typeof value === 'boolean';
}

/** Built-in classes that superjson restores unchanged. */
const storable = new Set<unknown>([
  Object,
  Array,
  Date,
  Map,
  Set,
  RegExp,
  URL,
  URLSearchParams,
  ArrayBuffer,
  DataView,
  Buffer,
  ...typedArrays,
]);

/** Forbidden field names: superjson refuses them, against prototype pollution. */
const forbidden: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

const maxListAsked = 10_000;
/** Deeper values are refused: writing and reading them recurses, on a limited stack. */
const maxDepth = 1_000;

export interface Fault {
  readonly path: string;
  readonly why: string;
}

interface Place {
  readonly value: unknown;
  readonly path: string;
  readonly depth: number;
}

/**
 * First place in a value that would not survive unchanged, or null. Walks each object once; cycles are fine.
 *
 * @param looksFor `opaque`: only what has no text at all, such as functions and class instances, and not inside errors
 */
export function findUnstorable(value: unknown, looksFor: 'any' | 'opaque' = 'any'): Fault | null {
  const seen = new Set<object>();
  const work: Place[] = [{ value, path: '', depth: 0 }];
  for (let item = work.pop(); item; item = work.pop()) {
    const { value: at, path, depth } = item;
    if (typeof at === 'function') return { path, why: `it is the function ${at.name || '(anonymous)'}` };
    if (typeof at === 'symbol') return { path, why: 'it is a symbol' };
    if (typeof at !== 'object' || at === null || seen.has(at)) continue;
    if (depth > maxDepth && looksFor === 'any')
      return { path, why: `it is nested more than ${maxDepth.toLocaleString('en-US')} levels deep` };
    seen.add(at);
    const fault = opaqueFault(at, path) ?? (looksFor === 'any' ? lossFault(at, path) : null);
    if (fault) return fault;
    if (looksFor === 'opaque' && at instanceof Error) continue;
    try {
      const inner = pushInner(work, at, path, depth + 1);
      if (inner) return inner;
    } catch (error) {
      return { path, why: `reading it failed: ${error instanceof Error ? error.message : String(error)}` };
    }
  }
  return null;
}

/** Whether the object itself has no text. */
function opaqueFault(at: object, path: string): Fault | null {
  const prototype: unknown = Object.getPrototypeOf(at);
  const maker: unknown = (prototype as object | null)?.constructor;
  if (prototype !== null && !storable.has(maker) && !(at instanceof Error) && !isForeignPlain(at)) {
    if (at instanceof Promise) return { path, why: 'it is a promise that was not awaited' };
    if (Symbol.asyncIterator in at) return { path, why: 'it is a stream: take its records one by one, or gather them in a list' };
    return { path, why: `it is an instance of ${typeof maker === 'function' ? maker.name : 'a class'}` };
  }
  if (at instanceof Date && Number.isNaN(at.getTime())) return { path, why: 'it is an Invalid Date' };
  return null;
}

/** What the object itself would lose. */
function lossFault(at: object, path: string): Fault | null {
  if (Object.prototype.toString.call(at) === '[object Arguments]')
    return { path, why: 'it is an arguments object, which would come back as none' };
  if (at instanceof RegExp && at.lastIndex !== 0) return { path, why: `its lastIndex is ${at.lastIndex}, which would come back as 0` };
  if (at instanceof Error) return holdsItself(at) ? { path, why: 'it is an error that holds itself' } : null;
  const symbol = Object.getOwnPropertySymbols(at).find((key) => Object.prototype.propertyIsEnumerable.call(at, key));
  if (symbol) return { path: `${path}[${String(symbol)}]`, why: 'its key is a symbol' };
  if (Array.isArray(at)) return faultOfList(at, path);
  const hasItsOwn = at instanceof Date || at instanceof Map || at instanceof Set || at instanceof RegExp || at instanceof URL;
  const [field] = hasItsOwn ? Object.keys(at) : [];
  return field === undefined ? null : { path: fieldPath(path, field), why: `a ${at.constructor.name} would come back without it` };
}

/** superjson handles cycles only of lists, objects and maps: the place in an error would be null. */
function holdsItself(error: Error): boolean {
  const seen = new Set<unknown>();
  const work: unknown[] = Object.values(partsOf(error));
  for (let at = work.pop(); at !== undefined || work.length > 0; at = work.pop()) {
    if (at === error) return true;
    if (typeof at !== 'object' || at === null || seen.has(at) || ArrayBuffer.isView(at)) continue;
    seen.add(at);
    const inner = at instanceof Map ? [...at].flat() : at instanceof Set ? at : Object.values(at instanceof Error ? partsOf(at) : at);
    for (const one of inner) work.push(one);
  }
  return false;
}

function faultOfList(list: readonly unknown[], path: string): Fault | null {
  for (let index = 0; index < list.length; index++)
    if (!(index in list)) return { path: `${path}[${index}]`, why: 'it is a gap in a list, which would come back as null' };
  if (!hasNamedFields(list)) return null;
  const field = Object.keys(list)[list.length] ?? '';
  return { path: fieldPath(path, field), why: 'a list would come back without its named fields' };
}

/** Queues the contents of an object for checks. Returns a field that is not allowed. */
function pushInner(work: Place[], at: object, path: string, depth: number): Fault | null {
  if (ArrayBuffer.isView(at)) return null;
  if (at instanceof Map) {
    for (const [key, inner] of at) {
      pushDeep(work, key, depth, () => `${path}.keys()`);
      pushDeep(work, inner, depth, () => `${path}.get(${typeof key === 'object' ? '…' : String(key)})`);
    }
    return null;
  }
  if (at instanceof Set) for (const inner of at) pushDeep(work, inner, depth, () => `${path}.values()`);
  else if (Array.isArray(at)) for (let i = at.length - 1; i >= 0; i--) pushDeep(work, at[i], depth, () => `${path}[${i}]`);
  else {
    for (const [key, inner] of Object.entries(at instanceof Error ? partsOf(at) : at)) {
      if (forbidden.has(key)) return { path: fieldPath(path, key), why: `no field may be called ${key}` };
      pushDeep(work, inner, depth, () => fieldPath(path, key));
    }
  }
  return null;
}

function partsOf(error: Error): object {
  const { cause, errors, fields } = readError(error);
  return { ...fields, cause, errors };
}

/** Leaves are checked on the spot: a path is built only for what can hold or be a fault. */
function pushDeep(work: Place[], value: unknown, depth: number, path: () => string): void {
  if ((typeof value === 'object' && value !== null) || typeof value === 'function' || typeof value === 'symbol')
    work.push({ value, path: path(), depth });
}

function fieldPath(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

/** Plain objects and arrays of another realm (a vm context) have another `Object`. */
function isForeignPlain(value: object): boolean {
  return (
    Array.isArray(value) ||
    (Object.prototype.toString.call(Object.getPrototypeOf(value)) === '[object Object]' &&
      Object.getPrototypeOf(Object.getPrototypeOf(value)) === null &&
      Object.hasOwn(Object.getPrototypeOf(value), 'isPrototypeOf'))
  );
}
