/** How wide text stands in a terminal, and cutting it to fit. Colour codes take no room; wide characters take two cells. */
import measure from 'fast-string-truncated-width';

const escape = '\u001b';
const reset = `${escape}[0m`;
const controlChars = /[\u0000-\u001f\u007f-\u009f]+/g;

/** Cells a text takes. */
export function widthOf(text: string): number {
  return measure(text).width;
}

/** Cuts a text to at most `width` cells, with `…` as its last one when something was cut off. Width 0 gives ''. */
export function cut(text: string, width: number): string {
  if (width <= 0) return '';
  const fit = measure(text, { limit: width, ellipsis: '…', ellipsisWidth: 1 });
  if (!fit.truncated) return text;
  const kept = text.slice(0, fit.index);
  return kept + (fit.ellipsed ? '…' : '') + (kept.includes(escape) ? reset : '');
}

/** Fills a text with spaces on its right up to `width` cells; a wider one is left as it is. */
export function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}

/** Fills a text with spaces on its left up to `width` cells; a wider one is left as it is. */
export function padStart(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - widthOf(text))) + text;
}

/** A text on one line: line breaks and every other control character become one space, so that nothing a flow prints steers the terminal. */
export function oneLine(text: string): string {
  return text.replace(controlChars, ' ').trim();
}
