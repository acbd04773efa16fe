/**
 * Errors that tasks and flows throw on purpose: a base for user errors, and classes that say whether another attempt makes sense.
 *
 * They keep class, name, code, stage, details and own plain fields across threads, other workers, sub-flows, a crash and JSON. A user class
 * comes back as an instance of itself if known: thrown in this process before, or passed to `registerErrors`. Else the error becomes one as
 * soon as `instanceof` compares it with its class, so that a code flow branches the same wherever it goes on.
 */
import { type Duration, parseDuration } from '../base/duration.ts';
import { type ErrorKind, errorKind } from '../base/errors.ts';

export interface FlowErrorOptions {
  /** Stable, for programs: `'OUT_OF_STOCK'`. */
  readonly code?: string;
  /** Where in the work it happened: `'download'`. */
  readonly stage?: string;
  /** More data; plain JSON, up to 16 KiB of it kept. */
  readonly details?: unknown;
  readonly cause?: unknown;
}

/** An error class that `registerErrors` accepts. */
export type ErrorClass = new (...args: never[]) => FlowError;

/** Symbols shared by all copies of the library. */
const awaited = Symbol.for('batuta.awaitedClasses');
const registryKey = Symbol.for('batuta.errorClasses');
type Holder = { [registryKey]?: Map<string, ErrorClass> };
const registry: Map<string, ErrorClass> = ((globalThis as Holder)[registryKey] ??= new Map<string, ErrorClass>());

/**
 * Base of user errors.
 *
 * @example
 * ```ts
 * class OutOfStock extends FlowError {}
 * throw new OutOfStock('No more of 4711', { code: 'OUT_OF_STOCK', stage: 'reserve', details: { article: 4711 } });
 * ```
 */
export class FlowError extends Error {
  declare readonly code?: string;
  declare readonly stage?: string;
  declare readonly details?: unknown;

  constructor(message: string, { code, stage, details, cause }: FlowErrorOptions = {}) {
    super(message, cause === undefined ? undefined : { cause });
    Object.defineProperty(this, 'name', { value: new.target.name, configurable: true, writable: true });
    if (code !== undefined) this.#set('code', code);
    if (stage !== undefined) this.#set('stage', stage);
    if (details !== undefined) this.#set('details', details);
    if (!kinds.has(new.target)) registry.set(new.target.name, new.target);
  }

  #set(name: 'code' | 'stage' | 'details', value: unknown): void {
    Object.defineProperty(this, name, { value, enumerable: true, configurable: true, writable: true });
  }
}

// Not a member: TypeScript would narrow nothing by `instanceof`.
Object.defineProperty(FlowError, Symbol.hasInstance, {
  value(this: typeof FlowError, value: unknown): boolean {
    return Function.prototype[Symbol.hasInstance].call(this, value) || becomes(this, value);
  },
});

/** Fails the attempt and starts the next one after its own delay, whatever `retryDelay` says; it counts like any other attempt. */
export class RetryAfter extends FlowError {
  /** Wait before the next attempt, ms. */
  readonly delayMs: number;

  /**
   * @param after the wait, such as a service's `Retry-After`
   * @param message default: the delay
   * @throws BatutaError DURATION_INVALID
   */
  constructor(after: Duration, message?: string, options: FlowErrorOptions = {}) {
    const delayMs = parseDuration(after);
    super(message ?? `To be tried again after ${typeof after === 'number' ? `${after} ms` : after}.`, { code: 'RETRY_AFTER', ...options });
    this.delayMs = delayMs;
  }
}

/** Fails the task for good: no further attempt, of the task or of its flow. */
export class NonRetryable extends FlowError {
  constructor(message: string, options: FlowErrorOptions = {}) {
    super(message, { code: 'NON_RETRYABLE', ...options });
  }
}

/** The input is invalid and will be in any attempt. `details` should say what and where. */
export class ValidationError extends NonRetryable {
  constructor(message: string, options: FlowErrorOptions = {}) {
    super(message, { code: 'VALIDATION_FAILED', ...options });
  }
}

/** Batuta's classes, by kind. */
export const flowErrorClasses: Readonly<Record<ErrorKind, ErrorClass>> = { FlowError, RetryAfter, NonRetryable, ValidationError };
const kinds: ReadonlySet<unknown> = new Set(Object.values(flowErrorClasses));
for (const [kind, { prototype }] of Object.entries(flowErrorClasses)) Object.defineProperty(prototype, errorKind, { value: kind });

/**
 * Registers classes that extend `FlowError`, so that errors thrown elsewhere (in a thread, on another worker, before a crash) become
 * instances of them. Call it in the flow file that defines them. They are known by name: of two with the same name the last counts.
 */
export function registerErrors(...classes: readonly ErrorClass[]): void {
  for (const one of classes) {
    if (typeof one !== 'function' || !(one.prototype instanceof FlowError))
      throw new TypeError('registerErrors takes classes that extend FlowError.');
    registry.set(one.name, one);
  }
}

/**
 * Makes an error an instance of its class: the user's if known, else Batuta's until it is compared with the user's.
 *
 * @param classes names of the user's classes, its own first; empty if it is of Batuta's
 */
export function setFlowErrorClass(error: Error, kind: ErrorKind, classes: readonly string[]): void {
  const [name = kind] = classes;
  const known = registry.get(name);
  const ours = flowErrorClasses[kind];
  const isKnown = known !== undefined && known.prototype instanceof ours;
  Object.setPrototypeOf(error, (isKnown ? known : ours).prototype as object);
  if (!isKnown && classes.length > 0) Object.defineProperty(error, awaited, { value: classes, configurable: true });
}

/** Names of the user's classes that an error is an instance of and that are not known here, its own first. */
export function awaitedClasses(error: object): readonly string[] {
  return (error as { readonly [awaited]?: readonly string[] })[awaited] ?? [];
}

/** Whether an error of a class that was not known is an instance of `asked`; it becomes one if that is its own class. */
function becomes(asked: typeof FlowError, value: unknown): boolean {
  if (kinds.has(asked) || typeof value !== 'object' || value === null) return false;
  const names = awaitedClasses(value);
  if (!names.includes(asked.name) || !Object.prototype.isPrototypeOf.call(Object.getPrototypeOf(value) as object, asked.prototype))
    return false;
  if (names[0] === asked.name) {
    Object.setPrototypeOf(value, asked.prototype);
    Reflect.deleteProperty(value, awaited);
    registry.set(asked.name, asked);
  }
  return true;
}
