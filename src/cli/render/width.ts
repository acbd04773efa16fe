/** Width of text in a terminal, and cutting it to fit. Colour codes take no room; wide characters take two cells. */
import { stripVTControlCharacters } from 'node:util';
import measure from 'fast-string-truncated-width';

const reset = '\u001b[0m';
/** Colours and styles: the only codes in our text. */
const style = /(\u001b\[[0-9;]*m)/;
const controlChars = /[\u0000-\u001f\u007f-\u009f]+/g;
/** Made when first needed: it takes some 10 ms. */
let graphemes: Intl.Segmenter | undefined;

/** Number of cells of a text. */
export function widthOf(text: string): number {
  return measure(text).width;
}

/** Cuts a text to at most `width` cells, with `…` as its last one if something was cut off. Width 0 returns ''. */
export function cut(text: string, width: number): string {
  if (width <= 0) return '';
  if (widthOf(text) <= width) return text;
  let room = width - 1;
  let kept = '';
  for (const part of text.split(style)) {
    if (style.test(part)) {
      kept += part;
      continue;
    }
    const cells = widthOf(part);
    kept += cells <= room ? part : firstCells(part, room);
    if (cells > room) break;
    room -= cells;
  }
  return `${kept}…${style.test(kept) ? reset : ''}`;
}

/** Pads a text with spaces on the right to `width` cells; a wider one is unchanged. */
export function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}

/** Pads a text with spaces on the left to `width` cells; a wider one is unchanged. */
export function padStart(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - widthOf(text))) + text;
}

/** A text on one line: terminal control sequences are removed, line breaks and other control characters become one space. */
export function oneLine(text: string): string {
  return stripVTControlCharacters(text).replace(controlChars, ' ').trim();
}

function firstCells(text: string, width: number): string {
  let room = width;
  let kept = '';
  graphemes ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  for (const { segment } of graphemes.segment(text)) {
    room -= widthOf(segment);
    if (room < 0) break;
    kept += segment;
  }
  return kept;
}
