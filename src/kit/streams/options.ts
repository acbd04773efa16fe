/** Checks of helper options. */
import { BatutaError } from '../../base/errors.ts';

/** @throws BatutaError OPTION_INVALID unless it is a whole number from 1 */
export function checkCount(helper: string, name: string, value: unknown): asserts value is number {
  if (Number.isSafeInteger(value) && Number(value) >= 1) return;
  throw new BatutaError('OPTION_INVALID', `${helper}: ${name} must be a whole number from 1, not ${String(value)}.`, {
    details: { helper, name },
  });
}
