/** Finds what in a value would change when read back from the record. */
import { Buffer } from 'node:buffer';
import { inspect } from 'node:util';
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
  try {
    return holdsPlainJson(value);
  } catch {
    // A getter or a proxy throws; see `findUnstorable`.
    return false;
  }
}

function holdsPlainJson(value: unknown): boolean {
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
      if (namedField(at as unknown[]) !== undefined) return false;
    } else if (prototype === Object.prototype) {
      for (const [key, inner] of Object.entries(at)) if (forbidden.has(key) || !take(inner)) return false;
    } else return false;
  }
  return true;
}

/** A field that a list, or bytes, has besides its items, like a regular expression match. */
function namedField(list: readonly unknown[] | TypedArray): string | undefined {
  // Keys cost as much as the items. Printed without its items, a list says within microseconds whether there is anything else.
  if (list.length > fewItems && onlyItems.test(inspect(list, withoutItems))) return undefined;
  return Object.keys(list)[list.length];
}

const fewItems = 20;
const withoutItems = { maxArrayLength: 0, maxStringLength: 0, depth: 0, customInspect: false, breakLength: Infinity } as const;
const onlyItems = /^(\w+\(\d+\) (\[Uint8Array\] )?)?\[ \.\.\. \d+ more items? \]$/;
type TypedArray = InstanceType<(typeof typedArrays)[number]>;

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

/** Their prototypes. */
const builtIn: ReadonlySet<unknown> = new Set([...storable].map((maker) => (maker as { readonly prototype: unknown }).prototype));

/** Forbidden field names: superjson refuses them, against prototype pollution. */
const forbidden: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** Deeper values are refused: writing and reading them recurses, on a limited stack. */
const deepest = 1_000;

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
 * @param maxDepth levels allowed
 */
export function findUnstorable(value: unknown, looksFor: 'any' | 'opaque' = 'any', maxDepth = deepest): Fault | null {
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
    try {
      const fault = opaqueFault(at, path) ?? (looksFor === 'any' ? lossFault(at, path) : null);
      if (fault) return fault;
      if (looksFor === 'opaque' && at instanceof Error) continue;
      const inner = pushInner(work, at, path, depth + 1);
      if (inner) return inner;
    } catch (error) {
      return { path, why: `reading it failed (${error instanceof Error ? error.message : String(error)})` };
    }
  }
  return null;
}

/** The place in a value whose nesting used up the stack, although it is within the limit: maps and errors take more of it. */
export function findTooDeep(value: unknown): Fault | null {
  for (let levels = deepest / 2; levels >= 1; levels = Math.floor(levels / 2)) {
    const fault = findUnstorable(value, 'any', levels);
    if (fault) return fault;
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
    return { path, why: `it is an instance of ${makerName(prototype)}` };
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
  const inherited = faultOfPrototype(at, path);
  if (inherited) return inherited;
  if (Array.isArray(at)) return faultOfList(at, path);
  const prototype: unknown = Object.getPrototypeOf(at);
  if (prototype === null || prototype === Object.prototype || !storable.has(at.constructor) || at.constructor === Object) return null;
  if (at instanceof ArrayBuffer && isDetached(at)) return { path, why: 'it is a buffer that was transferred' };
  const isTyped = ArrayBuffer.isView(at) && !(at instanceof DataView);
  const field = isTyped ? namedField(at as TypedArray) : Object.keys(at)[0];
  return field === undefined
    ? null
    : { path: fieldPath(path, field), why: `${at.constructor.name} values come back without fields of their own` };
}

/** What a value inherits would be gone: the methods of a list's own class, the fields of an object that others are made from. */
function faultOfPrototype(at: object, path: string): Fault | null {
  const tag = Object.prototype.toString.call(at).slice('[object '.length, -1);
  const first: unknown = Object.getPrototypeOf(at);
  // Math, JSON and the like.
  if (first === Object.prototype) return tag === 'Object' ? null : { path, why: `it is ${tag}` };
  if (Array.isArray(at)) {
    if (Array.isArray(first)) return null;
    const name = makerName(first);
    return { path, why: `it is an instance of ${name}, which would come back as a plain list; Array.from() makes one of it` };
  }
  const isKnown = first === null || builtIn.has(first) || isForeignPlain(at);
  if (isKnown) return null;
  for (let each = first; each !== null && each !== Object.prototype; each = Object.getPrototypeOf(each))
    if (Reflect.ownKeys(each as object).length > 0)
      return { path, why: tag === 'Object' ? 'it inherits fields or methods, which would be gone' : `it is an instance of ${tag}` };
  return null;
}

function makerName(prototype: unknown): string {
  const maker = (prototype as { readonly constructor?: unknown } | null)?.constructor;
  return typeof maker === 'function' && maker.name !== '' ? maker.name : 'a class';
}

function isDetached(buffer: ArrayBuffer): boolean {
  try {
    return new Uint8Array(buffer).length < 0;
  } catch {
    return true;
  }
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
  const field = namedField(list);
  return field === undefined ? null : { path: fieldPath(path, field), why: 'a list would come back without its named fields' };
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
