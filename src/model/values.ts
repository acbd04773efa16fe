/**
 * The text form of values that tasks pass on.
 *
 * It is superjson's, so Date, Map, Set, BigInt, RegExp, URL, Error, undefined, NaN and bytes survive. What would come back as
 * something else (functions, promises, instances of the user's classes) is refused with the path inside the value.
 */
import { Buffer } from 'node:buffer';
import { SuperJSON } from 'superjson';
import { BatutaError } from '../base/errors.ts';

const superjson = new SuperJSON();
// superjson writes bytes as a list of numbers and does not know Buffer; base64 is a quarter of the size.
superjson.registerCustom<Buffer, string>(
  {
    isApplicable: (value): value is Buffer => Buffer.isBuffer(value),
    serialize: (value) => value.toString('base64'),
    deserialize: (text) => Buffer.from(text, 'base64'),
  },
  'Buffer',
);
// As numbers in JSON, NaN and the infinities of a list of floats would come back as 0.
const typedArrays = [
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
type TypedArray = InstanceType<(typeof typedArrays)[number]>;
for (const maker of typedArrays) {
  superjson.registerCustom<TypedArray, string>(
    {
      isApplicable: (value): value is TypedArray => value instanceof maker && value.constructor === maker,
      serialize: (value) => Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64'),
      deserialize: (text) => new maker(new Uint8Array(Buffer.from(text, 'base64')).buffer),
    },
    maker.name,
  );
}

/**
 * Text of a value; null for `undefined`.
 *
 * @param what names the value in the error, e.g. `result of task join`.
 * @throws BatutaError RESULT_NOT_SERIALIZABLE with `details.path`
 */
export function encodeValue(value: unknown, what: string): string | null {
  if (value === undefined) return null;
  const isPlain = isPlainJson(value);
  const fault = isPlain ? null : findUnstorable(value);
  if (fault) {
    const place = fault.path === '' ? `The ${what}` : `The ${what} holds at ${fault.path} a value that`;
    throw new BatutaError(
      'RESULT_NOT_SERIALIZABLE',
      `${place} cannot be stored: ${fault.why}. Give plain data on, or set persist: false to keep it in memory only.`,
      {
        details: { path: fault.path },
      },
    );
  }
  try {
    return isPlain ? `{"json":${JSON.stringify(value)}}` : superjson.stringify(value);
  } catch (cause) {
    throw new BatutaError(
      'RESULT_NOT_SERIALIZABLE',
      `The ${what} cannot be stored: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause, details: { path: '' } },
    );
  }
}

/** The value of a text that `encodeValue` made. */
export function decodeValue(text: string | null): unknown {
  return text === null ? undefined : superjson.parse(text);
}

/**
 * Whether JSON by itself writes the value as superjson does, which takes ten times as long over it: plain objects and lists of texts, finite
 * numbers, booleans and null, each object in one place only.
 */
function isPlainJson(value: unknown): boolean {
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
    if (prototype === Array.prototype) {
      // A place without a value gives undefined, which JSON would make null.
      for (const inner of at as unknown[]) if (!take(inner)) return false;
    } else if (prototype === Object.prototype) {
      for (const [key, inner] of Object.entries(at)) if (forbidden.has(key) || !take(inner)) return false;
    } else return false;
  }
  return true;
}

function isPlainLeaf(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0);
  return value === null || typeof value === 'string' || typeof value === 'boolean';
}

/** Built-in classes that superjson brings back as they were. */
const storable = new Set<unknown>([Object, Array, Date, Map, Set, RegExp, URL, Buffer, ...typedArrays]);

/** Names that no field may have: superjson refuses them, lest reading a value change every object. */
const forbidden: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** First place in a value that would not come back as it was, or null. Walks each object once; circles are fine. */
function findUnstorable(value: unknown): { readonly path: string; readonly why: string } | null {
  const seen = new Set<object>();
  const work: Place[] = [{ value, path: '' }];
  for (let item = work.pop(); item; item = work.pop()) {
    const { value: at, path } = item;
    if (typeof at === 'function') return { path, why: `it is the function ${at.name || '(anonymous)'}` };
    if (typeof at === 'symbol') return { path, why: 'it is a symbol' };
    if (typeof at !== 'object' || at === null || seen.has(at)) continue;
    seen.add(at);
    const maker: unknown = Object.getPrototypeOf(at)?.constructor;
    if (Object.getPrototypeOf(at) !== null && !storable.has(maker) && !(at instanceof Error) && !isForeignPlain(at)) {
      return {
        path,
        why:
          at instanceof Promise
            ? 'it is a promise that was not awaited'
            : `it is an instance of ${typeof maker === 'function' ? maker.name : 'a class'}`,
      };
    }
    if (ArrayBuffer.isView(at) || at instanceof Error) continue;
    if (at instanceof Date && Number.isNaN(at.getTime())) return { path, why: 'it is a date that is none (Invalid Date)' };
    if (at instanceof Map) pushEntries(work, at, path);
    else if (at instanceof Set) for (const inner of at) pushDeep(work, inner, () => `${path}.values()`);
    else if (Array.isArray(at)) for (let i = at.length - 1; i >= 0; i--) pushDeep(work, at[i], () => `${path}[${i}]`);
    else {
      for (const [key, inner] of Object.entries(at)) {
        if (forbidden.has(key)) return { path: fieldPath(path, key), why: `no field may be called ${key}` };
        pushDeep(work, inner, () => fieldPath(path, key));
      }
    }
  }
  return null;
}

interface Place {
  readonly value: unknown;
  readonly path: string;
}

/** Leaves are looked at on the spot: a path is built only for what can hold or be a fault. */
function pushDeep(work: Place[], value: unknown, path: () => string): void {
  if ((typeof value === 'object' && value !== null) || typeof value === 'function' || typeof value === 'symbol')
    work.push({ value, path: path() });
}

function pushEntries(work: Place[], map: ReadonlyMap<unknown, unknown>, path: string): void {
  for (const [key, inner] of map) {
    pushDeep(work, key, () => `${path}.keys()`);
    pushDeep(work, inner, () => `${path}.get(${typeof key === 'object' ? '…' : String(key)})`);
  }
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
