/** The option `cache` of `@Task`, checked and turned into data. */
import { type Duration, parseDuration } from '../base/duration.ts';
import type { CachePolicy, CacheUse } from '../model/cache.ts';
import { OptionReader, type RawOptions, refuse } from './options.ts';

/** What a task may say about reusing its values. */
export interface CacheOptions<K extends CacheFunction = CacheFunction, F extends CacheFunction = CacheFunction> {
  /** How long a value is valid: a duration, or a function of the key's use, e.g. from `adaptiveTtl`. Default: forever. */
  readonly ttl?: Duration | ((use: CacheUse) => Duration) | undefined;
  /**
   * Represents the inputs in the key: a template over the parameters such as `'{month}'`, or a function of the task's arguments and context
   * that returns plain data. Default: the inputs themselves, and the run's parameters if the method takes its context.
   */
  readonly key?: string | K | undefined;
  /** `run` keeps values in the run that made them. Default `global`. */
  readonly scope?: 'global' | 'run' | undefined;
  /** True makes the value again each time, for others to find; or a function of arguments and context. Default false. */
  readonly refresh?: boolean | F | undefined;
}

/** A function of a task's arguments and context. */
// oxlint-disable-next-line typescript/no-explicit-any -- it is checked against the method on which the decorator stands.
export type CacheFunction = (...args: any[]) => unknown;

const optionNames = ['ttl', 'key', 'scope', 'refresh'];

/**
 * The policy of a task, null if it has none.
 *
 * @throws BatutaError OPTION_INVALID, OPTION_UNKNOWN, DURATION_INVALID
 */
export function cachePolicyOf(read: OptionReader): CachePolicy | null {
  const { place, raw } = read;
  const value = raw.cache;
  if (value === undefined || value === false) return null;
  if (raw.persist === false)
    throw refuse(
      'OPTION_INVALID',
      place,
      ': cache does not go with persist: false, for what is cached has to be stored; leave one of them out.',
    );
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject && typeof value !== 'string' && typeof value !== 'number')
    throw read.invalid('cache', "a duration such as '1 hour', or an object { ttl, key, scope, refresh }");
  return policyOf(place, isObject ? (value as RawOptions) : { ttl: value });
}

function policyOf(place: string, options: RawOptions): CachePolicy {
  for (const name of Object.keys(options)) {
    if (!optionNames.includes(name))
      throw refuse('OPTION_UNKNOWN', place, `: cache has no option '${name}'. It takes ttl, key, scope and refresh.`);
  }
  const named = Object.fromEntries(Object.entries(options).map(([name, value]) => [`cache.${name}`, value]));
  const read = new OptionReader(place, named);
  const { ttl, key, refresh } = options;
  return {
    ttl: typeof ttl === 'function' ? askedTtl(ttl as (use: CacheUse) => unknown) : (read.positiveMs('cache.ttl') ?? null),
    key: typeof key === 'function' ? (key as CachePolicy['key']) : (read.text('cache.key') ?? null),
    scope: read.oneOf('cache.scope', ['global', 'run'] as const) ?? 'global',
    refresh: typeof refresh === 'function' ? (refresh as () => boolean) : (read.flag('cache.refresh') ?? false),
  };
}

function askedTtl(ask: (use: CacheUse) => unknown): (use: CacheUse) => number {
  return (use) => parseDuration(ask(use));
}
