/**
 * Errors that tasks and flows throw on purpose: a base for the user's own, and those that say whether another attempt makes sense.
 *
 * They keep their class, name, code, stage, details and own plain fields through threads, other workers, sub-flows, a crash and JSON. A class of the user's
 * comes back as an instance of itself where it is known: it was thrown in this process before, or `registerErrors` was told of it.
 */
import { type Duration, parseDuration } from '../base/duration.ts';
import { type ErrorKind, errorKind } from '../base/errors.ts';

export interface FlowErrorOptions {
  /** Stable, for programs: `'OUT_OF_STOCK'`. */
  readonly code?: string;
  /** Where in the work it happened: `'download'`. */
  readonly stage?: string;
  /** What else is known; plain JSON, as much as 16 KiB of it is kept. */
  readonly details?: unknown;
  readonly cause?: unknown;
}

/** A class of errors that `registerErrors` takes. */
export type ErrorClass = new (...args: never[]) => FlowError;

/** Under a symbol that all copies of the library share. */
const registryKey = Symbol.for('batuta.errorClasses');
type Holder = { [registryKey]?: Map<string, ErrorClass> };
const registry: Map<string, ErrorClass> = ((globalThis as Holder)[registryKey] ??= new Map<string, ErrorClass>());

/**
 * Base of errors of one's own.
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

/** Fails the attempt and has the next one start after a time of its own, whatever `retryDelay` says; it counts as an attempt like any other. */
export class RetryAfter extends FlowError {
  /** Wait before the next attempt, ms. */
  readonly delayMs: number;

  /**
   * @param after the wait, such as what a service said in `Retry-After`
   * @param message default says how long
   * @throws BatutaError DURATION_INVALID
   */
  constructor(after: Duration, message?: string, options: FlowErrorOptions = {}) {
    const delayMs = parseDuration(after);
    super(message ?? `To be tried again after ${typeof after === 'number' ? `${after} ms` : after}.`, { code: 'RETRY_AFTER', ...options });
    this.delayMs = delayMs;
  }
}

/** Fails the task for good: no other attempt follows, neither of the task nor of its flow. */
export class NonRetryable extends FlowError {
  constructor(message: string, options: FlowErrorOptions = {}) {
    super(message, { code: 'NON_RETRYABLE', ...options });
  }
}

/** What was given is not as it must be, and will not be in another attempt. `details` best names what and where. */
export class ValidationError extends NonRetryable {
  constructor(message: string, options: FlowErrorOptions = {}) {
    super(message, { code: 'VALIDATION_FAILED', ...options });
  }
}

/** The classes of ours, by their kind. */
export const flowErrorClasses: Readonly<Record<ErrorKind, ErrorClass>> = { FlowError, RetryAfter, NonRetryable, ValidationError };
const kinds: ReadonlySet<unknown> = new Set(Object.values(flowErrorClasses));
for (const [kind, { prototype }] of Object.entries(flowErrorClasses)) Object.defineProperty(prototype, errorKind, { value: kind });

/**
 * Tells of classes that extend `FlowError`, so that those which were thrown elsewhere (in a thread, on another worker, before a crash) are instances of
 * them here, too. Call it where the flow file defines them. They are known by their names: of two that are named alike the last counts.
 */
export function registerErrors(...classes: readonly ErrorClass[]): void {
  for (const one of classes) {
    if (typeof one !== 'function' || !(one.prototype instanceof FlowError))
      throw new TypeError('registerErrors takes classes that extend FlowError.');
    registry.set(one.name, one);
  }
}

/** The class that an error of this name and kind was of: the user's where it is known, else ours. */
export function classOfFlowError(kind: ErrorKind, name: string): ErrorClass {
  const known = registry.get(name);
  const ours = flowErrorClasses[kind];
  return known !== undefined && known.prototype instanceof ours ? known : ours;
}
