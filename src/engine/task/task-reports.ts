/** What an attempt's code has reported through its context: progress, metrics, rejected records. */
import type { TaskRun } from '../../model/run.ts';
import { maxRejects, plainReject } from '../../model/task-context.ts';

/** Minimum interval of progress updates, ms. */
const progressEveryMs = 100;

export class TaskReports {
  #progress: TaskRun['progress'] = null;
  #progressAt = Number.NEGATIVE_INFINITY;
  #metrics: Map<string, number> | null = null;
  readonly #rejects: { readonly record: unknown; readonly reason: string }[] = [];

  /** @returns whether to record it now. @param now monotonic ms */
  setProgress(done: number, total: number | null, now: number): boolean {
    this.#progress = { done, total };
    if (now - this.#progressAt < progressEveryMs) return false;
    this.#progressAt = now;
    return true;
  }

  changeMetric(change: 'add' | 'set', name: string, value: number): void {
    this.#metrics ??= new Map();
    this.#metrics.set(name, change === 'add' ? (this.#metrics.get(name) ?? 0) + value : value);
  }

  putReject(record: unknown, reason: string): void {
    if (this.#rejects.length < maxRejects) this.#rejects.push({ record, reason });
    this.changeMetric('add', 'rejected', 1);
  }

  /** The row with the reports. */
  on(row: TaskRun): TaskRun {
    if (this.#progress === null && this.#metrics === null) return row;
    return { ...row, progress: this.#progress, metrics: this.#metrics && Object.fromEntries(this.#metrics) };
  }

  /** Rejected records as they are kept; empty if none. */
  get rejects(): readonly unknown[] {
    return this.#rejects.map(plainReject);
  }
}
