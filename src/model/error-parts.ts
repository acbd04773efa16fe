/**
 * The parts of an error, and an error made from parts: shared by recorded failures and errors inside values.
 *
 * Nothing read here throws: user getters that throw are left out.
 */
import { BatutaError, errorCodes, type ErrorCode, errorKind, type ErrorKind } from '../base/errors.ts';
import { awaitedClasses, flowErrorClasses, setFlowErrorClass } from './flow-error.ts';

/** Parts of an error. */
export interface ErrorParts {
  /** Its `name`; if that is the plain `Error`, the name of its class. */
  readonly name: string;
  readonly message: string;
  readonly stack: string | null;
  /** Nearest class of the language (or of Batuta) it is an instance of; usually `Error`. */
  readonly base: string;
  /** Names of the user's classes below a base of Batuta's, its own first; empty if none. */
  readonly classes: readonly string[];
  readonly hasCause: boolean;
  readonly cause: unknown;
  /** Parts of an AggregateError, or of another error with a list of errors; null if none. */
  readonly errors: readonly unknown[] | null;
  /** Everything else: own fields, and values of its class's getters. No functions, symbols or undefined. */
  readonly fields: Readonly<Record<string, unknown>>;
}

type Maker = new (message: string, options?: ErrorOptions) => Error;

const plainMakers: Readonly<Record<string, Maker>> = { Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError };
const bases: ReadonlySet<string> = new Set([
  ...Object.keys(plainMakers),
  ...Object.keys(flowErrorClasses),
  'AggregateError',
  'DOMException',
  'BatutaError',
]);
/** Fields that are separate parts. */
const ownParts: ReadonlySet<string> = new Set(['name', 'message', 'stack', 'cause']);
/** Longest class chain followed. */
const maxClasses = 32;

/** Whether it is an error, of this or another realm. Never throws. */
export function isError(value: unknown): value is Error {
  return attempt(
    () =>
      value instanceof Error || (typeof value === 'object' && value !== null && Object.prototype.toString.call(value) === '[object Error]'),
    false,
  );
}

/** Reads an error. Never throws. */
export function readError(error: Error): ErrorParts {
  const { base, getters, classes } = classOf(error);
  const fields: Record<string, unknown> = {};
  let errors: readonly unknown[] | null = null;
  for (const key of [...ownKeys(error), ...getters]) {
    if (ownParts.has(key) || (base === 'BatutaError' && key === 'stage') || (base === 'DOMException' && key === 'code')) continue;
    const value = readField(error, key);
    if (value === undefined || typeof value === 'function' || typeof value === 'symbol') continue;
    if (key === 'errors' && Array.isArray(value) && (base === 'AggregateError' || (value.length > 0 && value.every(isError))))
      errors = value;
    else fields[key] = value;
  }
  const stack = readField(error, 'stack');
  return {
    name: nameOf(error),
    message: attempt(() => textOf(error.message), '(its message cannot be read)'),
    stack: typeof stack === 'string' ? stack : null,
    base,
    classes,
    hasCause: attempt(() => 'cause' in error, false),
    cause: readField(error, 'cause'),
    errors,
    fields,
  };
}

/** An error made from these parts, an instance of its base. */
export function makeError(parts: Omit<ErrorParts, 'hasCause' | 'classes'> & Partial<Pick<ErrorParts, 'hasCause' | 'classes'>>): Error {
  const { name, stack, errors, fields } = parts;
  const error = instanceOf(parts);
  // As in classes: not printed or compared.
  if (error.name !== name) define(error, 'name', name);
  if (stack === null) define(error, 'stack', `${name}: ${parts.message}`);
  else define(error, 'stack', stack);
  if (errors !== null && parts.base !== 'AggregateError') define(error, 'errors', [...errors]);
  for (const [key, value] of Object.entries(fields)) {
    if (key === 'details' && parts.base === 'BatutaError') continue;
    Object.defineProperty(error, key, { value, enumerable: true, configurable: true, writable: true });
  }
  return error;
}

/** Text of anything. Never throws. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  const tag = (): string => attempt(() => Object.prototype.toString.call(value), 'something that has no text');
  return attempt(() => (typeof value === 'bigint' ? undefined : JSON.stringify(value)) ?? String(value), null) ?? tag();
}

function instanceOf({
  base,
  name,
  classes = name === base ? [] : [name],
  message,
  cause,
  hasCause = cause !== undefined,
  errors,
  fields,
}: Parameters<typeof makeError>[0]): Error {
  const options = hasCause ? { cause } : undefined;
  if (base === 'AggregateError') return new AggregateError(errors ?? [], message, options);
  if (base === 'DOMException') return domException(message, name, options);
  const { code, details } = fields;
  if (base === 'BatutaError' && typeof code === 'string' && code in errorCodes)
    return new BatutaError(code as ErrorCode, message, { details: isRecord(details) ? details : {}, cause });
  const error = new (plainMakers[base] ?? Error)(message, options);
  // Not via its constructor, whose arguments are unknown.
  if (base in flowErrorClasses) setFlowErrorClass(error, base as ErrorKind, classes);
  return error;
}

function domException(message: string, name: string, options: ErrorOptions | undefined): Error {
  const error = new DOMException(message, name);
  if (options) define(error, 'cause', options.cause);
  return error;
}

function define(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, enumerable: false, configurable: true, writable: true });
}

/** Its base, the names of the getters of the classes below it, and of these classes. */
function classOf(error: Error): { readonly base: string; readonly getters: readonly string[]; readonly classes: readonly string[] } {
  const getters: string[] = [];
  const below: string[] = [];
  const findBase = (): string => {
    let at: unknown = Object.getPrototypeOf(error);
    for (let depth = 0; at !== null && typeof at === 'object' && depth < maxClasses; depth++) {
      const name = ownClassName(at);
      if (bases.has(name) && isBuiltIn(at, name)) return name;
      if (name !== '') below.push(name);
      for (const [key, { get }] of Object.entries(Object.getOwnPropertyDescriptors(at))) if (get && key !== '__proto__') getters.push(key);
      at = Object.getPrototypeOf(at);
    }
    return 'Error';
  };
  const base = attempt(findBase, 'Error');
  const classes = base in flowErrorClasses ? (below.length > 0 ? below : attempt(() => awaitedClasses(error), [])) : [];
  return { base, getters, classes };
}

function isBuiltIn(prototype: object, name: string): boolean {
  if (name === 'BatutaError') return Object.hasOwn(prototype, 'exitCode');
  if (name in flowErrorClasses) return Object.hasOwn(prototype, errorKind);
  return Object.hasOwn(prototype, 'name') || name === 'DOMException';
}

function ownClassName(prototype: object): string {
  const maker: unknown = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value;
  return typeof maker === 'function' && typeof maker.name === 'string' ? maker.name : '';
}

function nameOf(error: Error): string {
  const name = textOf(readField(error, 'name') || 'Error');
  return name === 'Error' ? attempt(() => ownClassName(Object.getPrototypeOf(error) as object), '') || name : name;
}

/** Its own fields, also hidden ones, except hidden ones starting with `_`, which are internals of libraries. */
function ownKeys(error: Error): string[] {
  const isShown = (key: string): boolean => !key.startsWith('_') || Object.prototype.propertyIsEnumerable.call(error, key);
  return attempt(() => Object.getOwnPropertyNames(error).filter(isShown), []);
}

/** A field of anything; undefined if reading it throws. */
export function readField(value: object, key: string): unknown {
  return attempt(() => Reflect.get(value, key) as unknown, undefined);
}

/** Result of `read`, or `otherwise` if a user getter or proxy throws. */
function attempt<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
