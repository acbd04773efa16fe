/**
 * One resource from opening to closing: drives its generator, or disposes of its object, each within its time limit.
 *
 * A generator sees how its scope ended: it continues after its `yield`, or the scope's error is thrown in there. A value that arrives too
 * late, because opening took too long, is closed at once.
 */
import { inspect } from 'node:util';
import type { Clock } from '../base/clock.ts';
import { formatDuration } from '../base/duration.ts';
import { BatutaError, isBatutaError } from '../base/errors.ts';

/** How a scope ended: with an error, or without. */
export type ScopeEnd = { readonly error: unknown } | null;

/** An opened value, and how it is closed; null if there is nothing to close. */
interface Live {
  readonly value: unknown;
  readonly close: ((end: ScopeEnd) => Promise<void>) | null;
}

type AnyGenerator = Generator<unknown, unknown, unknown> | AsyncGenerator<unknown, unknown, unknown>;

/** Time after which a slow opening or closing is reported, ms. */
export const slowMs = 5_000;

/** A value used unchanged: there is nothing to open or close. */
export class Given {
  readonly value: unknown;

  constructor(value: unknown) {
    this.value = value;
  }
}

export interface OpenedOptions {
  /** For messages: `'warehouse'`, with its key if it has one. */
  readonly shown: string;
  readonly openTimeoutMs: number;
  readonly closeTimeoutMs: number;
  readonly clock: Clock;
  /** Runs code of the resource in its scope's context, see `ScopeSource.enter`. */
  readonly enter: <T>(work: () => T) => T;
  /** Called with the outcome of an opening that took too long: it was open after all and is closed, or failed with `error`. */
  readonly onLate: (error: unknown) => void;
  /** Called once each if opening or closing takes longer than `slowMs`. */
  readonly onSlow: (doing: 'opening' | 'closing') => void;
  /** Calls the function of the resource. */
  readonly call: (signal: AbortSignal) => unknown;
}

/** Codes of declaration errors; they pass unwrapped from resource to resource. */
const faultsOfDeclaration = ['RESOURCE_CYCLE', 'RESOURCE_SCOPE', 'RESOURCE_DUPLICATE'] as const;

export class Opened {
  readonly #options: OpenedOptions;
  readonly #giveUp = new AbortController();
  readonly #live: Promise<Live>;
  /** Its value, once it is open. @throws BatutaError RESOURCE_OPEN_FAILED, RESOURCE_CYCLE, RESOURCE_SCOPE, RESOURCE_DUPLICATE */
  readonly value: Promise<unknown>;

  /** Begins opening. */
  constructor(options: OpenedOptions) {
    this.#options = options;
    const { clock, openTimeoutMs, shown, enter, call, onSlow } = options;
    this.#live = enter(() => start(() => call(this.#giveUp.signal)));
    const opened = within(clock, openTimeoutMs, this.#live, {
      late: () => this.#tooLate(),
      slow: () => onSlow('opening'),
    });
    this.value = opened.then(
      ({ value }) => value,
      (error: unknown) => Promise.reject(openFailure(shown, error)),
    );
    // The caller has the error; if nobody waits any more, it must not be unhandled.
    this.value.catch(() => undefined);
  }

  /** Aborts the signal of its function: the value is no longer wanted. */
  discourage(reason: unknown): void {
    if (!this.#giveUp.signal.aborted) this.#giveUp.abort(reason);
  }

  #tooLate(): BatutaError {
    const { openTimeoutMs, shown, enter, onLate } = this.#options;
    const message = `The resource ${shown} was not open after ${formatDuration(openTimeoutMs)}.`;
    const error = new BatutaError('RESOURCE_OPEN_FAILED', message, { details: { resource: shown, timeoutMs: openTimeoutMs } });
    this.discourage(error);
    this.#live.then(({ close }) => (close === null ? undefined : enter(() => close({ error })))).then(() => onLate(null), onLate);
    return error;
  }

  /** Closes what is open. @throws BatutaError RESOURCE_CLOSE_FAILED: it threw, yielded again, or took too long */
  async close(end: ScopeEnd): Promise<void> {
    const { close } = await this.#live;
    if (close === null) return;
    const { clock, closeTimeoutMs, shown, enter, onSlow } = this.#options;
    const closing = enter(() => close(end));
    try {
      await within(clock, closeTimeoutMs, closing, {
        late: () => new Error(`it was not closed after ${formatDuration(closeTimeoutMs)}`),
        slow: () => onSlow('closing'),
      });
    } catch (cause) {
      throw new BatutaError('RESOURCE_CLOSE_FAILED', `The resource ${shown} could not be closed: ${messageOf(cause)}`, {
        details: { resource: shown },
        cause,
      });
    }
  }
}

function openFailure(shown: string, cause: unknown): BatutaError {
  if (isBatutaError(cause) && (cause.details['resource'] === shown || faultsOfDeclaration.some((code) => code === cause.code)))
    return cause;
  return new BatutaError('RESOURCE_OPEN_FAILED', `The resource ${shown} could not be opened: ${messageOf(cause)}`, {
    details: { resource: shown },
    cause,
  });
}

async function start(call: () => unknown): Promise<Live> {
  const made = await call();
  if (made instanceof Given) return { value: made.value, close: null };
  if (isGenerator(made)) return startGenerator(made);
  return { value: made, close: disposalOf(made) };
}

async function startGenerator(generator: AnyGenerator): Promise<Live> {
  const first = await generator.next();
  if (first.done) throw new Error('its generator has ended without a yield; yield the value once');
  return { value: await first.value, close: (end) => endGenerator(generator, end) };
}

/** Lets it run to its end. */
async function endGenerator(generator: AnyGenerator, end: ScopeEnd): Promise<void> {
  let last: IteratorResult<unknown>;
  try {
    last = await (end === null ? generator.next() : generator.throw(end.error));
  } catch (error) {
    // The scope's own error passing through.
    if (end !== null && error === end.error) return;
    throw error;
  }
  if (last.done) return;
  await generator.return(undefined);
  throw new Error('its generator has yielded a second time; what comes after the first yield closes it');
}

function disposalOf(value: unknown): Live['close'] {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return null;
  const { [Symbol.asyncDispose]: later, [Symbol.dispose]: now } = value as Partial<AsyncDisposable & Disposable>;
  if (typeof later === 'function') return async () => later.call(value);
  return typeof now === 'function' ? async () => now.call(value) : null;
}

function isGenerator(value: unknown): value is AnyGenerator {
  if (typeof value !== 'object' || value === null) return false;
  const { next, throw: fail, return: end } = value as Partial<AnyGenerator>;
  const iterates = Symbol.asyncIterator in value || Symbol.iterator in value;
  return iterates && [next, fail, end].every((method) => typeof method === 'function');
}

/** The promise's value, unless it takes longer. @throws its rejection, or the error `late` returns */
async function within<T>(
  clock: Clock,
  ms: number,
  promise: Promise<T>,
  { late, slow }: { readonly late: () => unknown; readonly slow: () => void },
): Promise<T> {
  return await new Promise<T>((resolve, reject) => {
    const timers = [clock.setTimer(ms, () => reject(late()))];
    if (ms > slowMs) timers.push(clock.setTimer(slowMs, slow));
    promise.then(resolve, reject).finally(() => {
      for (const timer of timers) timer.cancel();
    });
  });
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message || cause.name : inspect(cause, { depth: 1 });
}
