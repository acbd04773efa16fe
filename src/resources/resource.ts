/** `resource()`: declares something that is opened before use and always closed afterwards. It opens nothing itself. */
import { type Duration, parseDuration } from '../base/duration.ts';
import { BatutaError } from '../base/errors.ts';
import { hintFor } from '../base/nearest.ts';
import type { ResourceContext } from '../model/context.ts';
import { checkName } from '../model/names.ts';
import { type Resource, resourceMark, type ResourceScopeName, resourceScopes } from '../model/resource.ts';

/** Options of `resource()`. */
export interface ResourceOptions<S extends ResourceScopeName = ResourceScopeName> {
  /** How long it stays open: `worker` until the process stops, `run` for one attempt of a run, `task` for one attempt of a task. Default `run`. */
  readonly scope?: S | undefined;
  /** Longest time opening may take; then the caller fails. Default 30 seconds. */
  readonly timeout?: Duration | undefined;
  /** Longest time to wait for closing. Default 10 seconds. */
  readonly closeTimeout?: Duration | undefined;
}

/** Value type of a resource, from its function's return type: what a generator yields, else the value itself. */
export type Opened<R> =
  R extends AsyncGenerator<infer T, unknown, never> ? T : R extends Generator<infer T, unknown, never> ? Awaited<T> : Awaited<R>;

const optionNames = ['scope', 'timeout', 'closeTimeout'] as const;
const defaultOpenMs = 30_000;
const defaultCloseMs = 10_000;

/**
 * Declares a resource. Its function opens it and is
 *
 * - a generator, sync or async, that yields the value once: the code after the `yield` closes it. If its scope fails, the error is thrown
 *   in at the `yield`, so that a unit of work can commit or roll back;
 * - or a function that returns an object with `Symbol.asyncDispose` or `Symbol.dispose`, which is called to close it;
 * - or a function that returns any other value, with nothing to close.
 *
 * A second parameter of the function is its key: the resource is then opened once per key.
 *
 * @param name used in messages, timelines and tests; 1 to 200 characters
 * @throws BatutaError NAME_INVALID, OPTION_INVALID, OPTION_UNKNOWN, DURATION_INVALID
 * @example ```ts const warehouse = resource('warehouse', async function* () { const pool = new Pool(); try { yield pool; } finally { await
 * pool.end(); } }, { scope: 'worker' }); ```
 */
export function resource<R, K = void, const S extends ResourceScopeName = 'run'>(
  name: string,
  open: (ctx: ResourceContext<S>, key: K) => R,
  options: ResourceOptions<S> = {},
): Resource<Opened<R>, K, S> {
  if (typeof name !== 'string') throw new BatutaError('NAME_INVALID', 'resource() takes the name of the resource first, as a text.');
  checkName("resource(): the resource's name", name);
  const place = `resource('${name}')`;
  if (typeof open !== 'function')
    throw new BatutaError('OPTION_INVALID', `${place} takes a function or generator function that opens it as its second argument.`);
  if (typeof options !== 'object' || options === null)
    throw new BatutaError('OPTION_INVALID', `${place} takes an object with options as its third argument.`);
  checkOptions(place, options);
  return Object.freeze({
    name,
    scope: options.scope ?? ('run' as S),
    openTimeoutMs: options.timeout === undefined ? defaultOpenMs : durationOf(place, 'timeout', options.timeout),
    closeTimeoutMs: options.closeTimeout === undefined ? defaultCloseMs : durationOf(place, 'closeTimeout', options.closeTimeout),
    open,
    [resourceMark]: true as const,
  });
}

function checkOptions(place: string, options: ResourceOptions): void {
  for (const name of Object.keys(options)) {
    if ((optionNames as readonly string[]).includes(name)) continue;
    throw new BatutaError('OPTION_UNKNOWN', `${place}: there is no option '${name}'.${hintFor(name, optionNames, 'The options are')}`);
  }
  const { scope } = options;
  if (scope !== undefined && !resourceScopes.includes(scope))
    throw new BatutaError('OPTION_INVALID', `${place}: scope is 'worker', 'run' or 'task', not ${JSON.stringify(scope)}.`);
}

function durationOf(place: string, option: string, value: Duration): number {
  try {
    return parseDuration(value);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BatutaError('DURATION_INVALID', `${place}: ${option}: ${why}`, { cause });
  }
}
