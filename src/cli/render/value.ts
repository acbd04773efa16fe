/** Values of flows, shortened for a terminal. */
import { inspect } from 'node:util';
import { oneLine } from './width.ts';
import { cutText } from '../../base/cut-text.ts';

/** A value on one line, at most `maxChars` long: a result or parameter at a glance. */
export function valueLine(value: unknown, maxChars = 200): string {
  const text = oneLine(
    typeof value === 'string'
      ? value
      : inspect(value, { depth: 3, maxArrayLength: 10, maxStringLength: 100, breakLength: Number.POSITIVE_INFINITY }),
  );
  return cutText(text, maxChars, '…');
}

/** A value over as many lines as it needs, at most `maxLines`; the last line gives the number left out. */
export function valueLines(
  value: unknown,
  options: { readonly color: boolean; readonly width: number; readonly maxLines?: number },
): string[] {
  const { color, width, maxLines = 40 } = options;
  const text = inspect(value, {
    depth: 6,
    colors: color,
    maxArrayLength: 50,
    maxStringLength: 2_000,
    breakLength: Math.max(40, width - 2),
  });
  const lines = text.split('\n');
  return lines.length <= maxLines ? lines : [...lines.slice(0, maxLines), `… ${lines.length - maxLines} more lines (--json shows all)`];
}
