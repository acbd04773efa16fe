/**
 * Wire format for HTTP: the same objects, with each instant as ISO 8601 text in UTC instead of epoch ms.
 *
 * An instant is a number whose key ends in `At`, is `at`, or is one of `scheduledFor` and `leaseUntil`; not `processStartedAt`, which on
 * some systems counts from system boot. User data (parameters, results, data of artifacts, fields of log lines) is left as it is.
 */

type InstantKey = `${string}At` | 'at' | 'scheduledFor' | 'leaseUntil';
type OpaqueKey = (typeof opaqueKeys)[number];

const opaqueKeys = [
  'params',
  'result',
  'data',
  'fields',
  'fieldTypes',
  'callArgs',
  'graph',
  'paramsSchema',
  'schema',
  'details',
  'metrics',
  'spec',
  'schedule',
  'processStartedAt',
] as const;
const opaque: ReadonlySet<string> = new Set(opaqueKeys);

/** A type of the client in wire form. */
export type Wire<T> = T extends readonly (infer Item)[]
  ? readonly Wire<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Key extends OpaqueKey ? T[Key] : Key extends InstantKey ? WireInstant<T[Key]> : Wire<T[Key]> }
    : T;

type WireInstant<T> = T extends number ? string : T extends readonly (infer Item)[] ? readonly WireInstant<Item>[] : T;

/** A user's value in wire form. `meta` records what JSON cannot: dates, maps, big integers and similar. */
export interface WireValue {
  readonly json: unknown;
  readonly meta?: unknown;
}

/** Replaces a value too large to be sent inline. */
export interface CutValue {
  readonly cut: { /** Size of its text in UTF-8. */ readonly bytes: number /** Where it can be fetched. */; readonly download: string };
}

/** To wire form. Undefined members are left out, as in JSON. */
export function toWire<T>(value: T): Wire<T> {
  return convert(value, (at) => (typeof at === 'number' ? new Date(at).toISOString() : at)) as Wire<T>;
}

/** Back from it. */
export function fromWire<T>(value: Wire<T>): T {
  return convert(value, (at) => (typeof at === 'string' ? Date.parse(at) : at)) as T;
}

function convert(value: unknown, instant: (value: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => convert(item, instant));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => {
      if (opaque.has(key)) return [key, member];
      if (isInstantKey(key) && !(member !== null && typeof member === 'object')) return [key, instant(member)];
      return [key, convert(member, instant)];
    }),
  );
}

function isInstantKey(key: string): boolean {
  return key.endsWith('At') || key === 'at' || key === 'scheduledFor' || key === 'leaseUntil';
}
