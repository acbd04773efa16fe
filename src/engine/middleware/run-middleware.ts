/** Runs middleware around a run or a task, outermost first, and enforces its contract. */
import { BatutaError } from '../../base/errors.ts';
import type { Middleware, MiddlewareContext } from '../../model/middleware.ts';

/**
 * Returns what `work` returns. Its errors are those of `work`, or what middleware threw in their place.
 *
 * @param what in messages: `task pay`
 * @throws BatutaError MIDDLEWARE_MISUSED for one that never called `next`, called it twice, or returned another value
 */
export async function runMiddleware(
  chain: readonly Middleware[],
  ctx: MiddlewareContext,
  what: string,
  work: () => unknown,
): Promise<unknown> {
  const [middleware, ...inner] = chain;
  if (middleware === undefined) return await work();
  const name = middleware.name === '' ? 'A middleware' : `The middleware ${middleware.name}`;
  const misused = (how: string): BatutaError =>
    new BatutaError('MIDDLEWARE_MISUSED', `${name} of ${what} ${how}.`, { details: { middleware: middleware.name } });
  let under: Promise<unknown> | null = null;
  let fault: BatutaError | null = null;
  const next = (): Promise<unknown> => {
    if (under !== null) {
      fault ??= misused('called next() twice; what is inside is executed once');
      return Promise.reject(fault);
    }
    under = runMiddleware(inner, ctx, what, work);
    // It may go unawaited; its outcome still counts.
    under.catch(() => undefined);
    return under;
  };
  const returned = await settled(async () => await middleware(ctx, next));
  if (fault) throw fault as BatutaError;
  if (under === null) {
    if ('error' in returned) throw returned.error;
    throw misused('never called next(); throw an error where nothing is to be executed');
  }
  const value = await settled(() => under as Promise<unknown>);
  if ('error' in returned) throw returned.error;
  if ('error' in value) throw value.error;
  if (returned.value !== undefined && returned.value !== value.value)
    throw misused('returned another value than next() gave; return that one, or nothing');
  return value.value;
}

type Settled = { readonly value: unknown } | { readonly error: unknown };

async function settled(work: () => Promise<unknown>): Promise<Settled> {
  try {
    return { value: await work() };
  } catch (error) {
    return { error };
  }
}
