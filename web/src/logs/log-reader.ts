/**
 * Reads a log for a page: opens at its end or around a line, reads on at either side, and follows new lines.
 *
 * Only one read runs at a time; reopening ends it. Lines from live events only trigger reading on,
 * except late ones between lines already held, which are inserted in place.
 */
import { addAfter, addBefore, type LogWindow, mergeLines, type NumberedLine, openWindow, pageLines } from './log-window.ts';

/** Which part of the log to fetch. */
export interface Stretch {
  readonly after?: number;
  readonly before?: number;
  /** Number of last lines. */
  readonly tail?: number;
  readonly limit?: number;
}

export interface LogView<Line extends NumberedLine> {
  readonly window: LogWindow<Line>;
  /** Whether the first lines are still being read. */
  readonly opening: boolean;
  /** Grows whenever the log is reopened, at its end or elsewhere. */
  readonly opened: number;
  /** The line it was opened around, null for its end. */
  readonly around: number | null;
  readonly error: unknown;
}

type Load<Line> = (stretch: Stretch, signal: AbortSignal) => Promise<readonly Line[]>;

/** Pages behind at which a reader jumps to the end instead of reading everything in between. */
const catchUpPages = 3;

export class LogReader<Line extends NumberedLine> {
  readonly #load: Load<Line>;
  readonly #watchers = new Set<() => void>();
  #stop = new AbortController();
  #busy = false;
  #wanted = false;
  #view: LogView<Line> = { window: { lines: [], atStart: true, atEnd: true }, opening: true, opened: 0, around: null, error: null };

  constructor(load: Load<Line>) {
    this.#load = load;
  }

  get view(): LogView<Line> {
    return this.#view;
  }

  readonly watch = (onChange: () => void): (() => void) => {
    this.#watchers.add(onChange);
    return () => void this.#watchers.delete(onChange);
  };

  /** Opens at the end of the log. */
  openAtEnd(): Promise<void> {
    return this.#open(null, async (signal) => openWindow(await this.#load({ tail: pageLines }, signal), 'end'));
  }

  /** Opens with a line in the middle. */
  openAround(seq: number): Promise<void> {
    return this.#open(seq, async (signal) => {
      const half = pageLines / 2;
      const [before, after] = [
        await this.#load({ before: seq, tail: half }, signal),
        await this.#load({ after: seq - 1, limit: half }, signal),
      ];
      return { lines: [...before, ...after], atStart: before.length < half, atEnd: after.length < half };
    });
  }

  /** Opens at the beginning. */
  openAtStart(): Promise<void> {
    return this.#open(0, async (signal) => openWindow(await this.#load({ after: 0, limit: pageLines }, signal), 'start'));
  }

  /** Reads on before the first line. */
  async readBefore(): Promise<void> {
    const [first] = this.#view.window.lines;
    if (this.#busy || this.#view.opening || first === undefined || this.#view.window.atStart) return;
    await this.#during(async (signal) => {
      const read = await this.#load({ before: first.seq, tail: pageLines }, signal);
      if (!signal.aborted) this.#show({ window: addBefore(this.#view.window, read, read.length >= pageLines), error: null });
    });
  }

  /** Reads on after the last line; `follow` jumps to the end if it is far behind. */
  async readAfter(follow = false): Promise<void> {
    if (this.#busy || this.#view.opening) {
      this.#wanted = true;
      return;
    }
    await this.#during(async (signal) => {
      for (let pages = 1; ; pages++) {
        const after = this.#view.window.lines.at(-1)?.seq ?? 0;
        const read = await this.#load({ after, limit: pageLines }, signal);
        if (signal.aborted) return;
        const full = read.length >= pageLines;
        this.#show({ window: addAfter(this.#view.window, read, full), error: null });
        if (!full || !follow) return;
        if (pages >= catchUpPages) return void this.openAtEnd();
      }
    });
  }

  /** Takes lines from live events. Returns whether there is more to read after the last line. */
  take(lines: readonly Line[]): boolean {
    const window = mergeLines(this.#view.window, lines);
    if (window !== this.#view.window) this.#show({ window });
    const last = this.#view.window.lines.at(-1)?.seq ?? 0;
    return lines.some(({ seq }) => seq > last);
  }

  close(): void {
    this.#stop.abort();
  }

  async #open(around: number | null, read: (signal: AbortSignal) => Promise<LogWindow<Line>>): Promise<void> {
    this.#stop.abort();
    this.#stop = new AbortController();
    this.#busy = false;
    this.#wanted = false;
    const opened = this.#view.opened + 1;
    this.#show({ opening: true, around, opened });
    await this.#during(async (signal) => {
      const window = await read(signal);
      if (!signal.aborted) this.#show({ window, opening: false, error: null });
    });
  }

  async #during(read: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { signal } = this.#stop;
    this.#busy = true;
    try {
      await read(signal);
    } catch (error) {
      if (!signal.aborted) this.#show({ error, opening: false });
    } finally {
      if (!signal.aborted) {
        this.#busy = false;
        const again = this.#wanted && this.#view.error === null;
        this.#wanted = false;
        if (again) void this.readAfter();
      }
    }
  }

  #show(change: Partial<LogView<Line>>): void {
    this.#view = { ...this.#view, ...change };
    for (const onChange of this.#watchers) onChange();
  }
}
