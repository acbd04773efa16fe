/**
 * Text form of values passed between tasks.
 *
 * It is superjson's, so Date, Map, Set, BigInt, RegExp, URL, Error, undefined, NaN and bytes survive. Anything that would not (functions,
 * promises, instances of user classes) is refused with its path in the value.
 */
import { Buffer } from 'node:buffer';
import { SuperJSON } from 'superjson';
import { cutMiddle } from '../base/cut-text.ts';
import { BatutaError } from '../base/errors.ts';
import { makeError, readError } from './error-parts.ts';
import { noteOwn } from './move.ts';
import { type Fault, findTooDeep, findUnstorable, isPlainJson, typedArrays } from './unstorable.ts';

const superjson = new SuperJSON();
/** Identifies calls as ever: an error by name, message and cause, since its stack differs between passes. */
const identities = new SuperJSON();
/** Writes values with bytes outside the text. */
const apart = new SuperJSON();
const register: SuperJSON['registerCustom'] = (transformer, name) => {
  superjson.registerCustom(transformer, name);
  identities.registerCustom(transformer, name);
};
// superjson writes bytes as a list of numbers and does not know Buffer; base64 is a quarter of the size.
register<Buffer, string>(
  {
    isApplicable: (value): value is Buffer => Buffer.isBuffer(value),
    serialize: (value) => value.toString('base64'),
    deserialize: (text) => Buffer.from(text, 'base64'),
  },
  'Buffer',
);
// As JSON numbers, NaN and the infinities of a list of floats would be read as 0.
type TypedArray = InstanceType<(typeof typedArrays)[number]>;
for (const maker of typedArrays) {
  register<TypedArray, string>(
    {
      isApplicable: (value): value is TypedArray => value instanceof maker && value.constructor === maker,
      serialize: (value) => Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64'),
      deserialize: (text) => new maker(new Uint8Array(Buffer.from(text, 'base64')).buffer),
    },
    maker.name,
  );
}

for (const [name, maker, write, read] of [
  ['ArrayBuffer', ArrayBuffer, (value: ArrayBuffer) => base64(new Uint8Array(value)), (text: string) => bytesOf(text)],
  ['DataView', DataView, (value: DataView) => base64(value), (text: string) => new DataView(bytesOf(text))],
  ['URLSearchParams', URLSearchParams, (value: URLSearchParams) => value.toString(), (text: string) => new URLSearchParams(text)],
] as const) {
  const isApplicable = (value: unknown): value is never => value instanceof maker;
  register<never, string>({ isApplicable, serialize: write, deserialize: read as (text: string) => never }, name);
  if (maker === URLSearchParams)
    apart.registerCustom<never, string>({ isApplicable, serialize: write, deserialize: read as (text: string) => never }, name);
}
// superjson keeps only name, message and cause. Fields are next to them, so that a place in a cycle has the same path before and after.
const errors: Parameters<typeof superjson.registerCustom<Error, never>>[0] = {
  isApplicable: (value): value is Error => value instanceof Error,
  serialize: (error) => {
    const { name, message, stack, base, hasCause, cause, errors, fields } = readError(error);
    const parts = { name, message, ...(stack === null ? {} : { stack }), ...(base === 'Error' ? {} : { [errorBase]: base }) };
    return { ...parts, ...(hasCause ? { cause } : {}), ...(errors === null ? {} : { errors }), ...fields } as never;
  },
  deserialize: (written) => errorFromParts(written),
};
superjson.registerCustom(errors, 'Error');
apart.registerCustom(errors, 'Error');
/** Where an error's base is in its written form. */
export const errorBase = '#base';

/** The error from its written form. */
export function errorFromParts(written: Readonly<Record<string, unknown>>): Error {
  const { name, message, stack, [errorBase]: base, cause, errors, ...fields } = written;
  const isPart = Array.isArray(errors) && (base === 'AggregateError' || errors.every((one) => one instanceof Error));
  return makeError({
    name: String(name),
    message: String(message),
    stack: typeof stack === 'string' ? stack : null,
    base: typeof base === 'string' ? base : 'Error',
    hasCause: Object.hasOwn(written, 'cause'),
    cause,
    errors: isPart ? errors : null,
    fields: errors === undefined || isPart ? fields : { errors, ...fields },
  });
}

/** JSON for people, and which parts of it are a Date, a Map or similar, in superjson notation; undefined if none. */
export function toTypedJson(value: unknown): { readonly json: unknown; readonly types: unknown } {
  const { json, meta } = superjson.serialize(value);
  return { json, types: meta };
}

/** A fresh value from `toTypedJson`'s result. */
export function fromTypedJson(json: unknown, types: unknown): unknown {
  return superjson.deserialize({ json, meta: types } as Written);
}

/**
 * Text of a value; null for `undefined`.
 *
 * @param what names the value in the error, e.g. `result of task join`
 * @throws BatutaError RESULT_NOT_SERIALIZABLE with `details.path`
 */
export function encodeValue(value: unknown, what: string): string | null {
  return encodeBy(superjson, value, what);
}

/** The same, with bytes written by `bytesApart`. */
export function encodeApart(value: unknown, what: string): string | null {
  return encodeBy(apart, value, what);
}

/** The value of a text from `encodeApart`. */
export function decodeApart(text: string | null): unknown {
  return text === null ? undefined : apart.deserialize(JSON.parse(text) as Written, { inPlace: true });
}

/** Registers how `encodeApart` writes and reads one kind of bytes. */
export function bytesApart<Kind extends object, Place extends readonly number[]>(
  name: string,
  isOfKind: (value: unknown) => boolean,
  write: (value: Kind) => Place | null,
  read: (place: Place) => object,
): void {
  const isApplicable = (value: unknown): value is never => isOfKind(value);
  apart.registerCustom<never, never>({ isApplicable, serialize: write as never, deserialize: read as never }, name);
}

function encodeBy(json: SuperJSON, value: unknown, what: string): string | null {
  if (value === undefined) return null;
  const isPlain = isPlainJson(value);
  if (!isPlain) refuse(findUnstorable(value), what);
  try {
    return isPlain ? `{"json":${JSON.stringify(value)}}` : json.stringify(value);
  } catch (cause) {
    // Stack overflow: it is nested too deep for JSON.
    if (cause instanceof RangeError) refuse(findUnstorable(value) ?? findTooDeep(value), what);
    if (cause instanceof BatutaError) throw cause;
    throw new BatutaError(
      'RESULT_NOT_SERIALIZABLE',
      `The ${what} cannot be stored: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause, details: { path: '' } },
    );
  }
}

/** Of a path in messages. */
export const maxPathChars = 200;

function refuse(fault: Fault | null, what: string): void {
  if (!fault) return;
  const path = cutMiddle(fault.path, maxPathChars);
  const place = path === '' ? `The ${what}` : `${path} in the ${what}`;
  const orInMemory = what.startsWith('result of task') ? ', or set persist: false to keep it in memory only' : '';
  throw new BatutaError('RESULT_NOT_SERIALIZABLE', `${place} cannot be stored: ${fault.why}. Use plain data${orInMemory}.`, {
    details: { path },
  });
}

/**
 * Text that identifies a value, for the identity of calls; null if it holds something without identity. For plain JSON it is the text of
 * the value. It must never change: recorded calls are found by it.
 */
export function identityOf(value: unknown): { readonly text: string; readonly isPlain: boolean } | null {
  try {
    if (isPlainJson(value)) return { text: `{"json":${JSON.stringify(value)}}`, isPlain: true };
    return findUnstorable(value, 'opaque') ? null : { text: identities.stringify(value), isPlain: false };
  } catch {
    return null;
  }
}

/** The value of a text from `encodeValue`. */
export function decodeValue(text: string | null): unknown {
  return text === null ? undefined : decodeParted(text).value;
}

/** The same, and whether no object occurs twice in the value. */
export function decodeParted(text: string): { readonly value: unknown; readonly isParted: boolean } {
  const written = readText(text) as Written | null;
  if (written === null) return { value: undefined, isParted: true };
  const { json, meta } = written;
  if (meta === undefined) return { value: json, isParted: true };
  const value: unknown = superjson.deserialize(written, { inPlace: true });
  noteOwn(value);
  return { value, isParted: meta.referentialEqualities === undefined };
}

/** Prefix of the text of a value encrypted at rest. */
export const sealedPayload = 'sealed:';

/** Value of a stored text. @throws BatutaError PAYLOAD_UNREADABLE if it is encrypted and was not opened, or damaged */
export function readText(text: string): unknown {
  let written: unknown;
  try {
    written = JSON.parse(text);
  } catch (cause) {
    refuseSealed(text);
    const message = 'The value on record is damaged: its text is no JSON.';
    throw new BatutaError('PAYLOAD_UNREADABLE', message, { cause });
  }
  if (written === null || (typeof written === 'object' && Object.hasOwn(written, 'json'))) return written;
  throw new BatutaError('PAYLOAD_UNREADABLE', 'The value on record is damaged: its text is not of the form { json, meta }.');
}

/** @throws BatutaError PAYLOAD_UNREADABLE for an encrypted text */
export function refuseSealed(text: string): void {
  if (!text.startsWith(sealedPayload)) return;
  const keyId = text.split('.', 2)[1] ?? '';
  throw new BatutaError(
    'PAYLOAD_UNREADABLE',
    `The value is encrypted with the key ${keyId}, which is not set here, or it was changed since. Set BATUTA_PAYLOAD_KEY to that key, or list it in BATUTA_PAYLOAD_KEY_OLD.`,
    { details: { keyId } },
  );
}

type Written = Parameters<typeof superjson.deserialize>[0];

function base64(bytes: Uint8Array | DataView): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** Its own buffer: small ones in Node share one. */
function bytesOf(text: string): ArrayBuffer {
  return new Uint8Array(Buffer.from(text, 'base64')).buffer;
}
