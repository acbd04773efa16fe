/**
 * What a run does at this moment: its work under way is counted, and how much of it waits, for an instant, a signal or a long retry delay.
 *
 * Such a run can be suspended: its owner lets go of it, and somebody goes on when it is due. It is looked at again a moment later,
 * so that a body which starts something else beside a sleep gets to it. A sub-flow counts as work of its parent, which waits when
 * its sub-flow does; they are suspended together.
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
  /** How long it has to last for the run to be let go of, ms; default as the settings say. */
  readonly overMs?: number;
  /** The signal it waits for, by its number among those of its name; absent where it waits for time. */
  readonly signal?: Pick<Signal, 'runId' | 'name' | 'number'>;
}

export interface ActivityOptions {
  readonly services: Pick<EngineServices, 'clock' | 'leaseClock' | 'settings'>;
  /** Called when the run only waits, with all its waits: the earliest first, the others in no order. */
  readonly onIdle: (waits: readonly Wait[]) => void;
  /** Of the run that this one is a sub-flow of. */
  readonly parent: Activity | null;
}

/** Whether all of it waits is kept by counting, so that a change costs the same however much of it there is. */
export class Activity {
  readonly #options: ActivityOptions;
  readonly #waiting = new Set<Wait>();
  readonly #children = new Set<Activity>();
  /** Of the children those that are idle. */
  #idleChildren = 0;
  /** As its parent has counted it. */
  #countedIdle = false;
  /** The parent that counts it; null without one. */
  #above: Activity | null = null;
  #working = 0;
  #looking = false;

  constructor(options: ActivityOptions) {
    this.#options = options;
  }

  /** Counts a piece of work while it is under way. */
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

  /** Counts a piece of the work as waiting. */
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

  /** Counts a sub-flow, which is work of its own already, as waiting while all of it waits. */
  async with<T>(child: Activity | null, doIt: () => Promise<T>): Promise<T> {
    if (!child) return doIt();
    this.#children.add(child);
    child.#above = this;
    child.#countedIdle = child.#isIdle;
    if (child.#countedIdle) this.#idleChildren++;
    // It may have come to wait before it was known here.
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

  /** Has its parent count it when it begins to wait, or works again. */
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
