/** How calls are debounced, by their caller's options. */
import { parseDuration } from '../../base/duration.ts';
import { BatutaError } from '../../base/errors.ts';
import type { DebounceOptions } from '../../model/submitted.ts';
import { checkDebounceKey } from './check-labels.ts';

const maxMs = 366 * 86_400_000;

/**
 * The same in ms.
 *
 * @param others options that exclude it
 * @throws BatutaError OPTION_INVALID, DURATION_INVALID
 */
export function readDebounce(
  { key, wait, maxWait }: DebounceOptions,
  others: Readonly<Record<string, unknown>>,
): { readonly key: string; readonly waitMs: number; readonly maxWaitMs: number | null } {
  checkDebounceKey(key);
  const waitMs = parseDuration(wait);
  const maxWaitMs = maxWait === undefined ? null : parseDuration(maxWait);
  if (waitMs < 1 || waitMs > maxMs) throw refusal(`The wait of a debounce is from 1 ms to 1 year, not ${String(wait)}.`);
  if (maxWaitMs !== null && (maxWaitMs < waitMs || maxWaitMs > maxMs))
    throw refusal(`The maxWait of a debounce is from its wait to 1 year, not ${String(maxWait)}.`);
  const other = Object.keys(others).find((name) => others[name] !== undefined);
  if (other !== undefined) throw refusal(`A run is debounced, or has ${other}, not both.`);
  return { key, waitMs, maxWaitMs };
}

function refusal(message: string): BatutaError {
  return new BatutaError('OPTION_INVALID', message);
}
