/** The part of a log that the page holds: a stretch without gaps, moved by reading on at either end, so that a million lines cost no more than a few thousand. Pure. */

export interface NumberedLine {
  /** Grows along the log; the cursor for reading on. */
  readonly seq: number;
}

export interface LogWindow<Line extends NumberedLine> {
  /** Oldest first, without gaps. */
  readonly lines: readonly Line[];
  /** Whether nothing stands before the first, or after the last. */
  readonly atStart: boolean;
  readonly atEnd: boolean;
}

/** Lines held at most. */
export const mostHeld = 12_000;
/** Lines asked for at once. */
export const pageLines = 1_000;

/** A window over what was read first. A page that is not full has reached the end of the log on its side. */
export function openWindow<Line extends NumberedLine>(lines: readonly Line[], from: 'start' | 'end', asked = pageLines): LogWindow<Line> {
  const full = lines.length >= asked;
  return { lines, atStart: from === 'start' || !full, atEnd: from === 'end' || !full };
}

/** The window with what was read after its last line; lines at the other end are let go. */
export function addAfter<Line extends NumberedLine>(window: LogWindow<Line>, read: readonly Line[], full: boolean): LogWindow<Line> {
  const last = window.lines.at(-1)?.seq ?? Number.NEGATIVE_INFINITY;
  const fresh = read.filter(({ seq }) => seq > last);
  if (fresh.length === 0) return window.atEnd === !full ? window : { ...window, atEnd: !full };
  const lines = [...window.lines, ...fresh];
  const over = Math.max(0, lines.length - mostHeld);
  return { lines: over > 0 ? lines.slice(over) : lines, atStart: window.atStart && over === 0, atEnd: !full };
}

/** The window with what was read before its first line; lines at the other end are let go. */
export function addBefore<Line extends NumberedLine>(window: LogWindow<Line>, read: readonly Line[], full: boolean): LogWindow<Line> {
  const first = window.lines[0]?.seq ?? Number.POSITIVE_INFINITY;
  const fresh = read.filter(({ seq }) => seq < first);
  if (fresh.length === 0) return window.atStart === !full ? window : { ...window, atStart: !full };
  const lines = [...fresh, ...window.lines];
  const over = lines.length > mostHeld;
  return { lines: over ? lines.slice(0, mostHeld) : lines, atStart: !full, atEnd: window.atEnd && !over };
}

/** Place of a line, or of the first after it; -1 when the window ends before. */
export function placeOf(lines: readonly NumberedLine[], seq: number): number {
  let [low, high] = [0, lines.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((lines[middle]?.seq ?? 0) < seq) low = middle + 1;
    else high = middle;
  }
  return low < lines.length ? low : -1;
}

/** The window with lines that became visible late between those it holds; others are left out. */
export function mergeLines<Line extends NumberedLine>(window: LogWindow<Line>, late: readonly Line[]): LogWindow<Line> {
  const [first, last] = [window.lines[0]?.seq ?? Number.POSITIVE_INFINITY, window.lines.at(-1)?.seq ?? Number.NEGATIVE_INFINITY];
  const between = late.filter(({ seq }) => seq > first && seq < last && window.lines[placeOf(window.lines, seq)]?.seq !== seq);
  if (between.length === 0) return window;
  return { ...window, lines: [...window.lines, ...between].sort((a, b) => a.seq - b.seq) };
}
