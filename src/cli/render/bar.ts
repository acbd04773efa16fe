/** A bar of filled and open cells. */
import type { Paint } from './paint.ts';

const filled = '█';
const open = '░';

/**
 * A bar `width` cells wide. A started one shows at least one filled cell, and only a full one shows no open cell.
 *
 * @param share 0 to 1; what lies outside is drawn as the nearest end.
 */
export function barOf(share: number, width: number, paint: Paint, hue: 'green' | 'blueBright' | 'red' | 'gray' = 'blueBright'): string {
  const bounded = Number.isFinite(share) ? Math.min(1, Math.max(0, share)) : 0;
  const cells = bounded === 0 ? 0 : bounded === 1 ? width : Math.min(width - 1, Math.max(1, Math.round(bounded * width)));
  return paint[hue](filled.repeat(cells)) + paint.gray(open.repeat(width - cells));
}

/** `42 %`, rounded down so that 100 % means done. */
export function percentOf(done: number, total: number): string {
  return total <= 0 ? '0 %' : `${Math.min(100, Math.max(0, Math.floor((done / total) * 100)))} %`;
}

/** A count with thousands apart: `1,024`. */
export function countOf(value: number): string {
  return value.toLocaleString('en-US');
}
