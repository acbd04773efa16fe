/** The part of a log held by the page: a range without gaps, moved by reading on at either end, so that memory is bounded. Pure. */

export interface NumberedLine {
  /** Grows along the log; the cursor for reading on. */
  readonly seq: number;
}

export interface LogWindow<Line extends NumberedLine> {
  /** Oldest first, without gaps. */
  readonly lines: readonly Line[];
  /** Whether nothing precedes the first, or follows the last. */
  readonly atStart: boolean;
  readonly atEnd: boolean;
}

/** Most lines held. */
export const mostHeld = 12_000;
/** Lines per request. */
export const pageLines = 1_000;

/** A window over the first page read. A page that is not full has reached the end of the log on its side. */
export function openWindow<Line extends NumberedLine>(lines: readonly Line[], from: 'start' | 'end', asked = pageLines): LogWindow<Line> {
  const full = lines.length >= asked;
  return { lines, atStart: from === 'start' || !full, atEnd: from === 'end' || !full };
}

/** The window with lines read after its last one; lines at the other end are dropped. */
export function addAfter<Line extends NumberedLine>(window: LogWindow<Line>, read: readonly Line[], full: boolean): LogWindow<Line> {
  const last = window.lines.at(-1)?.seq ?? Number.NEGATIVE_INFINITY;
  const fresh = read.filter(({ seq }) => seq > last);
  if (fresh.length === 0) return window.atEnd === !full ? window : { ...window, atEnd: !full };
  const lines = [...window.lines, ...fresh];
  const over = Math.max(0, lines.length - mostHeld);
  return { lines: over > 0 ? lines.slice(over) : lines, atStart: window.atStart && over === 0, atEnd: !full };
}

/** The window with lines read before its first one; lines at the other end are dropped. */
export function addBefore<Line extends NumberedLine>(window: LogWindow<Line>, read: readonly Line[], full: boolean): LogWindow<Line> {
  const first = window.lines[0]?.seq ?? Number.POSITIVE_INFINITY;
  const fresh = read.filter(({ seq }) => seq < first);
  if (fresh.length === 0) return window.atStart === !full ? window : { ...window, atStart: !full };
  const lines = [...fresh, ...window.lines];
  const over = lines.length > mostHeld;
  return { lines: over ? lines.slice(0, mostHeld) : lines, atStart: !full, atEnd: window.atEnd && !over };
}

/** Index of a line, or of the first after it; -1 if the window ends before. */
export function placeOf(lines: readonly NumberedLine[], seq: number): number {
  let [low, high] = [0, lines.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((lines[middle]?.seq ?? 0) < seq) low = middle + 1;
    else high = middle;
  }
  return low < lines.length ? low : -1;
}

/** The window with late lines inserted between those it holds; others are left out. */
export function mergeLines<Line extends NumberedLine>(window: LogWindow<Line>, late: readonly Line[]): LogWindow<Line> {
  const [first, last] = [window.lines[0]?.seq ?? Number.POSITIVE_INFINITY, window.lines.at(-1)?.seq ?? Number.NEGATIVE_INFINITY];
  const between = late.filter(({ seq }) => seq > first && seq < last && window.lines[placeOf(window.lines, seq)]?.seq !== seq);
  if (between.length === 0) return window;
  return { ...window, lines: [...window.lines, ...between].sort((a, b) => a.seq - b.seq) };
}
