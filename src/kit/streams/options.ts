/** Checks of helper options. */
import { BatutaError } from '../../base/errors.ts';

/** @throws BatutaError OPTION_INVALID unless it is a whole number from 1 */
export function checkCount(helper: string, name: string, value: unknown): asserts value is number {
  checkWhole(helper, name, value, 1);
}

/** @throws BatutaError OPTION_INVALID unless it is a whole number from 0 */
export function checkFrom(helper: string, name: string, value: unknown): asserts value is number {
  checkWhole(helper, name, value, 0);
}

function checkWhole(helper: string, name: string, value: unknown, least: number): void {
  if (Number.isSafeInteger(value) && Number(value) >= least) return;
  throw new BatutaError('OPTION_INVALID', `${helper}: ${name} must be a whole number from ${least}, not ${String(value)}.`, {
    details: { helper, name },
  });
}
