/** The option `middleware` of flows and tasks. */
import { type Middleware, noMiddleware } from '../model/middleware.ts';
import type { OptionReader } from './options.ts';

/** The list, outermost first; the one empty list where there is none. @throws BatutaError OPTION_INVALID */
export function middlewareOf(read: OptionReader): readonly Middleware[] {
  const given = read.raw['middleware'];
  if (given === undefined) return noMiddleware;
  if (!Array.isArray(given) || !given.every((one) => typeof one === 'function'))
    throw read.invalid('middleware', 'a list of functions (ctx, next) => …');
  return given.length === 0 ? noMiddleware : Object.freeze([...(given as Middleware[])]);
}
