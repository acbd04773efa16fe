/** Checks options of ready-made resources, at declaration. */
import { type Duration, parseDuration } from '../../base/duration.ts';
import { BatutaError } from '../../base/errors.ts';
import type { ResourceContext } from '../../model/context.ts';
import type { ResourceScopeName } from '../../model/resource.ts';

/** A text, or a function called when the resource is opened: an environment variable, a secret. */
export type TextOption<S extends ResourceScopeName = ResourceScopeName> =
  | string
  | ((ctx: ResourceContext<S>) => string | undefined | Promise<string | undefined>);

/** Reads it when the resource is opened. @throws BatutaError OPTION_INVALID, now or then, for anything but non-empty text */
export function textOption<S extends ResourceScopeName>(
  place: string,
  name: string,
  given: TextOption<S>,
): (ctx: ResourceContext<S>) => Promise<string> {
  const refuse = (value: unknown): BatutaError => {
    const what = value === undefined ? 'nothing' : value === '' ? 'an empty text' : `a ${typeof value}`;
    return new BatutaError('OPTION_INVALID', `${place}: ${name} must be text, or a function that returns it, not ${what}.`);
  };
  if (typeof given !== 'function' && (typeof given !== 'string' || given === '')) throw refuse(given);
  return async (ctx) => {
    const value = typeof given === 'function' ? await given(ctx) : given;
    if (typeof value !== 'string' || value === '') throw refuse(value);
    return value;
  };
}

/** Milliseconds, undefined if not given. @throws BatutaError DURATION_INVALID */
export function durationOption(place: string, name: string, given: Duration | undefined): number | undefined {
  if (given === undefined) return undefined;
  try {
    return parseDuration(given);
  } catch (cause) {
    throw new BatutaError('DURATION_INVALID', `${place}: ${name}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** A whole number from `min`, undefined if not given. @throws BatutaError OPTION_INVALID */
export function wholeOption(place: string, name: string, given: number | undefined, min: number): number | undefined {
  if (given === undefined || (Number.isSafeInteger(given) && given >= min)) return given;
  throw new BatutaError('OPTION_INVALID', `${place}: ${name} must be a whole number from ${min}, not ${String(given)}.`);
}
