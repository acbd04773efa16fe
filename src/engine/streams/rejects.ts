/** Records that a task of a stream has rejected: kept in pieces, counted by reason, and checked against the allowed share. */
import { BatutaError } from '../../base/errors.ts';
import type { TaskDefinition } from '../../model/task.ts';
import type { DeadLetter } from '../../model/dead-letters.ts';
import { plainReject } from '../../model/task-context.ts';
import type { Stage } from './stage.ts';

/** Records and characters after which a piece is written, so that an artifact stays small. */
const pieceRecords = 1_000;
const pieceChars = 256 * 1024;
/** How many reasons messages list one by one; a reason that contains a value of its record may be new each time. */
const maxReasons = 1_000;

export class Rejects {
  #pending: DeadLetter[] = [];
  #chars = 0;
  readonly #full: DeadLetter[][] = [];
  /** Running calls of `keep`. */
  readonly #keeping = new Set<Promise<void>>();
  readonly #reasons = new Map<string, number>();
  count = 0;

  put(record: unknown, reason: string, stage: Stage, attempt: number): void {
    const plain = plainReject({ record, reason });
    this.count++;
    if (this.#reasons.size < maxReasons || this.#reasons.has(plain.reason))
      this.#reasons.set(plain.reason, (this.#reasons.get(plain.reason) ?? 0) + 1);
    const at = { stage: stage.definition.name, position: plainOf(stage.position), attempt };
    this.#pending.push({ reason: plain.reason, ...at, record: plain.record });
    this.#chars += JSON.stringify(plain).length;
    if (this.#pending.length < pieceRecords && this.#chars < pieceChars) return;
    this.#full.push(this.#pending);
    this.#pending = [];
    this.#chars = 0;
  }

  /**
   * Writes what is not written yet, as pieces. Resolves once all of it is durable, including what other calls are writing.
   *
   * @throws what a write was refused with; what could not be written is left for the next call
   */
  async keep(write: (letters: readonly DeadLetter[]) => Promise<void>): Promise<void> {
    const keeping = this.#writePending(write);
    this.#keeping.add(keeping);
    const ends = await Promise.allSettled(this.#keeping);
    this.#keeping.delete(keeping);
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  async #writePending(write: (letters: readonly DeadLetter[]) => Promise<void>): Promise<void> {
    const pieces = this.#full.splice(0);
    if (this.#pending.length > 0) pieces.push(this.#pending);
    this.#pending = [];
    this.#chars = 0;
    const ends = await Promise.allSettled(pieces.map(write));
    this.#full.unshift(...pieces.filter((_, at) => ends[at]?.status === 'rejected'));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  /** Whether a whole piece waits to be written. */
  get isFull(): boolean {
    return this.#full.length > 0;
  }

  /** TOO_MANY_REJECTS with the figures; null within the allowed share. @param total records so far */
  tooMany({ name, maxErrorRate }: TaskDefinition, total: number): BatutaError | null {
    if (maxErrorRate === null || total < maxErrorRate.from || this.count / total <= maxErrorRate.share) return null;
    const percent = (share: number): string => `${Number((share * 100).toPrecision(3))} %`;
    const top = [...this.#reasons].sort(([, a], [, b]) => b - a).slice(0, 3);
    return new BatutaError(
      'TOO_MANY_REJECTS',
      `Task ${name} has rejected ${this.count} of ${total} records, ${percent(this.count / total)}; ${percent(maxErrorRate.share)} are allowed. ` +
        `Most: ${top.map(([reason, count]) => `${reason} (${count})`).join(', ')}.`,
      { details: { task: name, rejected: this.count, total, share: maxErrorRate.share, reasons: Object.fromEntries(top) } },
    );
  }
}

function plainOf(position: unknown): unknown {
  return position === undefined ? null : plainReject({ record: position, reason: '' }).record;
}
