/** A bar of filled and open cells. */
import type { Paint } from './shapes.ts';

const filled = '█';
const open = '░';

/**
 * A bar `width` cells wide. A started one shows at least one filled cell, and only a full one shows no open cell.
 *
 * @param share 0 to 1; values outside are clamped.
 */
export function barOf(share: number, width: number, paint: Paint, hue: 'green' | 'blueBright' | 'red' | 'gray' = 'blueBright'): string {
  const bounded = Number.isFinite(share) ? Math.min(1, Math.max(0, share)) : 0;
  const cells = bounded === 0 ? 0 : bounded === 1 ? width : Math.min(width - 1, Math.max(1, Math.round(bounded * width)));
  return paint[hue](filled.repeat(cells)) + paint.gray(open.repeat(width - cells));
}

/**
 * A bar of ended items by outcome: done, failed, stopped, then those still to come. Each part that is not empty has at least one cell,
 * and failures are never hidden.
 */
export function endsBar(
  ends: { readonly done: number; readonly failed: number; readonly stopped: number; readonly total: number },
  width: number,
  paint: Paint,
): string {
  const left = Math.max(0, ends.total - ends.done - ends.failed - ends.stopped);
  const parts = [ends.failed, ends.stopped, left, ends.done].map((count) =>
    count === 0 ? 0 : Math.max(1, Math.round((count / Math.max(1, ends.total)) * width)),
  );
  // Excess cells are taken from the widest part: it loses least.
  for (let over = parts.reduce((sum, cells) => sum + cells, 0) - width; over !== 0; over -= Math.sign(over)) {
    const widest = parts.indexOf(Math.max(...parts));
    parts[widest] = (parts[widest] ?? 0) - Math.sign(over);
  }
  const [failed = 0, stopped = 0, rest = 0, done = 0] = parts;
  return (
    paint.green(filled.repeat(done)) + paint.red(filled.repeat(failed)) + paint.gray(filled.repeat(stopped)) + paint.gray(open.repeat(rest))
  );
}

/** `42 %`, rounded down so that 100 % means done. */
export function percentOf(done: number, total: number): string {
  return total <= 0 ? '0 %' : `${Math.min(100, Math.max(0, Math.floor((done / total) * 100)))} %`;
}

/** A count with thousands separators: `1,024`. */
export function countOf(value: number): string {
  // The first use of a locale costs milliseconds.
  return value < 1000 ? String(value) : value.toLocaleString('en-US');
}
