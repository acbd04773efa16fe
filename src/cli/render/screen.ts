/**
 * The lines at the bottom of a terminal that are redrawn repeatedly, with lines printed above them.
 *
 * Owns the cursor from the first frame until `release`. A frame writes only the lines that changed, in one write. A terminal that
 * became narrower has wrapped old lines: they are counted as they are now, so that nothing is torn.
 */
import { widthOf } from './width.ts';

/** What the screen needs from its output stream. */
export interface ScreenOutput {
  write(text: string): void;
  readonly columns: number;
  readonly rows: number;
}

const hideCursor = '\u001b[?25l';
const showCursor = '\u001b[?25h';
const clearLine = '\u001b[2K';
const clearBelow = '\u001b[0J';

export class Screen {
  readonly #output: ScreenOutput;
  #lines: readonly string[] = [];
  #columns = 0;

  constructor(output: ScreenOutput) {
    this.#output = output;
  }

  get columns(): number {
    return this.#output.columns;
  }

  get rows(): number {
    return this.#output.rows;
  }

  /**
   * Replaces the last lines with these. They must fit the terminal.
   *
   * @param printAbove prints whole lines that stay above; may write to another stream of the same terminal.
   */
  draw(lines: readonly string[], printAbove?: () => void): void {
    const start = this.#columns === 0 ? hideCursor : '';
    const drawn = lines.map((line) => `${clearLine}${line}\n`).join('') + clearBelow;
    if (printAbove) {
      this.#write(start + this.#erase());
      printAbove();
      this.#write(drawn);
    } else if (lines.length === this.#lines.length && this.#columns === this.#output.columns) this.#write(this.#changes(lines));
    else this.#write(start + this.#toTop() + drawn);
    this.#lines = lines;
    this.#columns = this.#output.columns;
  }

  /** Leaves the last lines where they are and releases the cursor. May be called twice. */
  release(): void {
    if (this.#columns === 0) return;
    this.#lines = [];
    this.#columns = 0;
    this.#output.write(showCursor);
  }

  #write(text: string): void {
    if (text !== '') this.#output.write(text);
  }

  #toTop(): string {
    const rows = this.#rowsTaken();
    return rows === 0 ? '' : `${moveTo(rows, 0)}\r`;
  }

  /** Row by row: some terminals move what is cleared at once into their scrollback. */
  #erase(): string {
    const rows = this.#rowsTaken();
    return `${this.#toTop()}${`${clearLine}\n`.repeat(rows)}${moveTo(rows, 0)}`;
  }

  #rowsTaken(): number {
    const columns = Math.max(1, this.#output.columns);
    return this.#lines.reduce((rows, line) => rows + Math.max(1, Math.ceil(widthOf(line) / columns)), 0);
  }

  #changes(lines: readonly string[]): string {
    let text = '';
    let at = lines.length;
    for (const [place, line] of lines.entries()) {
      if (line === this.#lines[place]) continue;
      text += `${moveTo(at, place)}\r${clearLine}${line}`;
      at = place;
    }
    return text === '' ? '' : `${text}${moveTo(at, lines.length)}\r`;
  }
}

/** Moves the cursor between visible lines; line numbers grow downwards. */
function moveTo(from: number, to: number): string {
  if (from === to) return '';
  return from > to ? `\u001b[${from - to}A` : `\u001b[${to - from}B`;
}
