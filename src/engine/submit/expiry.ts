/** Until when a run may begin, by its caller's options. */
import { parseDuration, type Duration } from '../../base/duration.ts';
import { BatutaError } from '../../base/errors.ts';

/** Maximum `ttl`, ms: a hundred years. */
const maxTtlMs = 36_525 * 86_400_000;

/**
 * The instant after which the run no longer begins, UTC epoch ms: `ttl` after it is due, or after now; null without one.
 *
 * @throws BatutaError DURATION_INVALID, OPTION_INVALID (not from 1 ms to 100 years)
 */
export function expiryOf(ttl: Duration | undefined, startAt: Date | number | undefined, now: number): number | null {
  if (ttl === undefined) return null;
  const ms = parseDuration(ttl);
  if (ms < 1 || ms > maxTtlMs) throw new BatutaError('OPTION_INVALID', `The ttl of a run is from 1 ms to 100 years, not ${String(ttl)}.`);
  const due = startAt === undefined ? now : Number(startAt);
  return Math.max(now, Number.isNaN(due) ? now : due) + ms;
}
