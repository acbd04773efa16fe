/**
 * Tasks that wait for each other forever: one reads a stream to its end before it begins another, and both come from the same task, whose
 * buffer for the other stream is full.
 *
 * Reported only for a stream that was never begun while nothing at all has moved for a while. A task that has begun to read may be
 * processing the record it took last, which cannot be observed.
 */
import { BatutaError } from '../../base/errors.ts';
import type { Hop } from './hop.ts';

/** How long nothing moves before it looks for the cause, ms. */
const stillMs = 30_000;

/** A task that waits for a record that never comes. */
export interface Deadlock {
  /** What it waits for. */
  readonly hop: Hop;
  readonly error: BatutaError;
}

export class DeadlockWatch {
  readonly #hops: readonly Hop[];
  #moved = -1;
  #since = 0;

  constructor(hops: readonly Hop[]) {
    this.#hops = hops;
  }

  /** Checks whether tasks wait for each other; null if none do. @param now monotonic, ms */
  look(now: number): Deadlock | null {
    const moved = this.#hops.reduce((sum, hop) => sum + hop.moved, 0);
    if (moved !== this.#moved) {
      this.#moved = moved;
      this.#since = now;
    }
    return now - this.#since < stillMs ? null : this.#find();
  }

  #find(): Deadlock | null {
    for (const full of this.#hops) {
      if (full.isBegun || !full.giverWaits) continue;
      for (const hop of this.#hops) {
        if (hop.to !== full.to || !hop.takerWaits || !this.#waitsFor(hop.from, full)) continue;
        return { hop, error: deadlockOf(hop, full) };
      }
    }
    return null;
  }

  /** Whether the task, or one it waits for, waits for room in that hop. */
  #waitsFor(task: string, full: Hop): boolean {
    const seen = new Set<string>();
    const queue = [task];
    for (let at = queue.shift(); at !== undefined; at = queue.shift()) {
      if (at === full.from) return true;
      if (seen.has(at)) continue;
      seen.add(at);
      for (const hop of this.#hops) {
        if (hop.to === at && hop.takerWaits) queue.push(hop.from);
        if (hop.from === at && hop.giverWaits) queue.push(hop.to);
      }
    }
    return false;
  }
}

function deadlockOf(hop: Hop, full: Hop): BatutaError {
  const { to: task, from: first } = hop;
  const second = full.from;
  return new BatutaError(
    'STREAM_DEADLOCK',
    `Task ${task} waits for a record of ${first} and has not begun to read ${second}, which waits for room in its buffer of ${full.buffer} records, and without ${second} nothing more comes from ${first}. Read both at the same time (Promise.all, or merge of batuta/streams), or give ${second} a buffer that holds all its records.`,
    { details: { task, reads: first, unread: second, buffer: full.buffer } },
  );
}
