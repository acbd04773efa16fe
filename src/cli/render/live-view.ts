/**
 * The live tree of a run on a terminal.
 *
 * Events only change the model; frames are drawn by a timer, at most twelve a second, and once more at the end. Log lines and
 * output of flows are kept until the next frame, which prints them above the tree in one write.
 */
import type { Clock, Timer } from '../../base/clock.ts';
import type { TaskRun } from '../../model/run.ts';
import type { Paint } from './shapes.ts';
import type { RunTree } from './run-tree.ts';
import type { Screen } from './screen.ts';
import { treeLines } from './tree-lines.ts';
import { cut } from './width.ts';

const frameMs = 84;
/** Beyond this, text is printed without waiting for the next frame. */
const maxPendingChars = 256 * 1024;
const finalRows = 60;

/** A change in a tree. */
export type TreeChange = { readonly kind: 'run' } | { readonly kind: 'mapped' } | { readonly kind: 'task'; readonly taskRun: TaskRun };

/** Shows a run while it runs. Two implementations: the live tree and the plain lines. */
export interface RunView {
  /** Takes the tree after an event changed it; `changed` is the run concerned. */
  update(tree: RunTree, changed: RunTree, change: TreeChange): void;
  /** Prints a log line, or other output, above or between. */
  print(text: string): void;
  /** Prints a status message, e.g. that Ctrl-C was received. */
  say(text: string): void;
  /** Draws the last state and releases the terminal. May be called twice. */
  end(): void;
}

export interface LiveViewOptions {
  readonly screen: Screen;
  readonly paint: Paint;
  readonly clock: Clock;
  /** Writes text that stays above the tree; whole lines. */
  readonly printAbove: (text: string) => void;
}

export class LiveView implements RunView {
  readonly #options: LiveViewOptions;
  #tree: RunTree | null = null;
  #pending = '';
  #said: string | null = null;
  #frame = 0;
  #timer: Timer | null = null;
  #ended = false;

  constructor(options: LiveViewOptions) {
    this.#options = options;
  }

  update(tree: RunTree): void {
    this.#tree = tree;
    this.#arm(0);
  }

  print(text: string): void {
    this.#pending += text.endsWith('\n') ? text : `${text}\n`;
    if (this.#ended || this.#pending.length > maxPendingChars) this.#draw();
    else this.#arm(0);
  }

  say(text: string): void {
    this.#said = text;
    if (!this.#ended) this.#draw();
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#timer?.cancel();
    this.#said = null;
    this.#draw();
    this.#options.screen.release();
  }

  /** Schedules the next frame, the first one at once. */
  #arm(firstMs: number): void {
    if (this.#timer || this.#ended) return;
    this.#timer = this.#options.clock.setTimer(this.#frame === 0 ? firstMs : frameMs, () => {
      this.#timer = null;
      this.#frame++;
      this.#draw();
      // The spinner and the clocks advance without an event.
      this.#arm(frameMs);
    });
  }

  #draw(): void {
    const { screen, printAbove } = this.#options;
    const text = this.#pending;
    this.#pending = '';
    screen.draw(this.#lines(), text === '' ? undefined : () => printAbove(text));
  }

  #lines(): string[] {
    if (!this.#tree) return [];
    const { screen, paint, clock } = this.#options;
    const said = this.#said === null ? [] : [cut(paint.yellow(this.#said), screen.columns - 1)];
    const rows = this.#ended ? Math.max(finalRows, screen.rows) : screen.rows - 1 - said.length;
    const frame = this.#ended ? null : this.#frame;
    return [...treeLines(this.#tree, { columns: screen.columns - 1, rows: Math.max(3, rows), now: clock.now(), frame, paint }), ...said];
  }
}
