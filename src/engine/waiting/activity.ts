/**
 * What a run is doing: its running work is counted, and how much of it waits, for an instant, a signal or a long retry delay.
 *
 * A run that only waits can be suspended: its owner releases it, and it is continued when due. It is checked again a moment later, so that
 * a body that starts something alongside a sleep gets to it. A sub-flow counts as work of its parent, which waits when its sub-flow does;
 * they are suspended together.
 */
import type { Signal } from '../../model/signal.ts';
import type { EngineServices } from '../services.ts';

/** How long a run must only wait before it is suspended, ms. */
const settleMs = 200;

/** What a piece of work waits for. */
export interface Wait {
  /** UTC epoch ms; null: without end. */
  readonly dueAt: number | null;
  /** One sentence for people. */
  readonly why: string;
  readonly isRetry: boolean;
  /** Whether it is what the run waits for before it begins; default false. */
  readonly isStart?: boolean;
  /** How long it has to last for the run to be released, ms; default as in the settings. */
  readonly overMs?: number;
  /** The signal it waits for, by its number among those of its name; absent if it waits for time. */
  readonly signal?: Pick<Signal, 'runId' | 'name' | 'number'>;
}

export interface ActivityOptions {
  readonly services: Pick<EngineServices, 'clock' | 'leaseClock' | 'settings'>;
  /** Called when the run only waits, with all its waits: the earliest first, the others in no order. */
  readonly onIdle: (waits: readonly Wait[]) => void;
  /** That of the run whose sub-flow this is. */
  readonly parent: Activity | null;
}

/** Counting tells whether all work waits, so that a change costs the same however much of it there is. */
export class Activity {
  readonly #options: ActivityOptions;
  readonly #waiting = new Set<Wait>();
  readonly #children = new Set<Activity>();
  /** How many children are idle. */
  #idleChildren = 0;
  /** As counted by its parent. */
  #countedIdle = false;
  /** The parent that counts it; null without one. */
  #above: Activity | null = null;
  #working = 0;
  #looking = false;

  constructor(options: ActivityOptions) {
    this.#options = options;
  }

  /** Counts a piece of work while it runs. */
  async work<T>(doIt: () => Promise<T>): Promise<T> {
    this.begin();
    try {
      return await doIt();
    } finally {
      this.end();
    }
  }

  /** Counts a piece of work that has begun; `end` must follow in every case. */
  begin(): void {
    this.#working++;
    this.#report();
  }

  end(): void {
    this.#working--;
    this.#look();
  }

  /** Counts a piece of work as waiting. */
  async wait<T>(wait: Wait, until: () => Promise<T>): Promise<T> {
    this.#waiting.add(wait);
    this.#look();
    try {
      return await until();
    } finally {
      this.#waiting.delete(wait);
      this.#report();
    }
  }

  /** Counts a sub-flow, already work itself, as waiting while all of it waits. */
  async with<T>(child: Activity | null, doIt: () => Promise<T>): Promise<T> {
    if (!child) return doIt();
    this.#children.add(child);
    child.#above = this;
    child.#countedIdle = child.#isIdle;
    if (child.#countedIdle) this.#idleChildren++;
    // It may have begun to wait before it was known here.
    this.#look();
    try {
      return await doIt();
    } finally {
      this.#children.delete(child);
      child.#above = null;
      if (child.#countedIdle) this.#idleChildren--;
      this.#report();
    }
  }

  /** What it waits for: the earliest first, the others in no order; null while it does something. */
  waits(): readonly Wait[] | null {
    if (!this.#isIdle) return null;
    const waits: Wait[] = [];
    this.#gather(waits);
    let earliest = 0;
    for (let at = 1; at < waits.length; at++) if (dueOf(waits[at] as Wait) < dueOf(waits[earliest] as Wait)) earliest = at;
    [waits[0], waits[earliest]] = [waits[earliest] as Wait, waits[0] as Wait];
    return waits;
  }

  get #isIdle(): boolean {
    const idle = this.#waiting.size + this.#idleChildren;
    return idle > 0 && idle >= this.#working;
  }

  #gather(into: Wait[]): void {
    for (const wait of this.#waiting) into.push(wait);
    for (const child of this.#children) if (child.#countedIdle) child.#gather(into);
  }

  /** Updates its parent's count if it begins to wait or work. */
  #report(): void {
    const above = this.#above;
    const idle = this.#isIdle;
    if (!above || idle === this.#countedIdle) return;
    this.#countedIdle = idle;
    above.#idleChildren += idle ? 1 : -1;
    above.#report();
  }

  #look(): void {
    this.#report();
    const { parent, services } = this.#options;
    const { suspendOverMs } = services.settings;
    if (parent) return parent.#look();
    if (suspendOverMs === null || this.#looking || !this.#isIdle) return;
    this.#looking = true;
    services.leaseClock.setTimer(settleMs, () => {
      this.#looking = false;
      this.#suspendIfIdle(suspendOverMs);
    });
  }

  #suspendIfIdle(suspendOverMs: number): void {
    const waits = this.waits();
    if (!waits) return;
    const now = this.#options.services.clock.now();
    if (waits.every((wait) => dueOf(wait) - now > Math.min(wait.overMs ?? suspendOverMs, suspendOverMs))) this.#options.onIdle(waits);
  }
}

function dueOf({ dueAt }: Wait): number {
  return dueAt ?? Number.POSITIVE_INFINITY;
}
