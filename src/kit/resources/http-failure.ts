/** Failures of requests. */
import { BatutaError } from '../../base/errors.ts';

/** HTTP_FAILED. @param attempts how many were made */
export function failed(
  method: string,
  { origin, pathname }: URL,
  attempts: number,
  { status, cause }: { readonly status?: number; readonly cause?: unknown },
): BatutaError {
  // Anything after the path may be secret.
  const url = `${origin}${pathname}`;
  const why = status === undefined ? reasonOf(cause) : `answered with ${status}`;
  const tried = attempts === 1 ? '' : ` (${attempts} attempts)`;
  return new BatutaError('HTTP_FAILED', `${method} ${url}: ${why}${tried}.`, {
    details: { method, url, status: status ?? null, attempts },
    ...(cause === undefined ? {} : { cause }),
  });
}

/** fetch says "fetch failed"; the reason is its cause. */
function reasonOf(error: unknown): string {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return (inner instanceof Error ? inner.message || inner.name : String(inner)).replace(/\.$/, '');
}
