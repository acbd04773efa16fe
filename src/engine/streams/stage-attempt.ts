/** An attempt of a task connected to others by streams. */
import { inspect } from 'node:util';
import type { BatutaError } from '../../base/errors.ts';
import { runScope } from '../../model/run-context.ts';
import type { TaskRun } from '../../model/run.ts';
import type { RunAttempt } from '../run/run-attempt.ts';
import { putArtifact } from '../artifacts/put-artifact.ts';
import { TaskAttempt } from '../task/task-attempt.ts';
import { Rejects } from './rejects.ts';
import type { Stage, StageExecution } from './stage.ts';

/** How a position is shown: on one line, and large ones abbreviated. */
const shown = { breakLength: Number.POSITIVE_INFINITY, depth: 3, maxArrayLength: 5, maxStringLength: 100 };

export class StageAttempt extends TaskAttempt implements StageExecution {
  readonly #stage: Stage;
  readonly #began: number;
  readonly #rejects = new Rejects();
  /** The counts when last recorded. */
  #counted = { in: 0, out: 0, at: 0 };

  constructor(active: RunAttempt, row: TaskRun, stage: Stage) {
    super(active, stage.definition, row);
    this.#stage = stage;
    this.#began = active.services.clock.monotonic();
    stage.execution = this;
  }

  get resumeFrom(): unknown {
    return this.#stage.resumeFrom;
  }

  /** How many records it had taken, or given as a source, and the last position. */
  override get reached(): string {
    const { in: taken, out, takes, position } = this.#stage;
    const count = takes ? taken : out;
    const doing = takes ? 'taking' : 'giving';
    if (count === 0) return ` before ${doing} a record`;
    const last = position === undefined ? '' : `, the last at position ${inspect(position, shown)}`;
    return ` after ${doing} ${count === 1 ? '1 record' : `${count} records`}${last}`;
  }

  /** With the records it has taken (`in`) and given (`out`), and how many a second: since the last report, or overall once it has ended. */
  override get reportedRow(): TaskRun {
    const { in: taken, out, takes, gives } = this.#stage;
    const now = this.active.services.clock.monotonic();
    const since = this.isOver ? { in: 0, out: 0, at: this.#began } : this.#counted;
    const seconds = Math.max(0.001, (now - (since.at || this.#began)) / 1_000);
    const perSecond = Math.round((gives ? out - since.out : taken - since.in) / seconds);
    if (!this.isOver) this.#counted = { in: taken, out, at: now };
    const row = super.reportedRow;
    // For people, who see progress wherever tasks are shown.
    const progress = row.progress ?? { done: gives ? out : taken, total: null };
    return { ...row, progress, metrics: { ...row.metrics, ...(takes ? { in: taken } : null), ...(gives ? { out } : null), perSecond } };
  }

  /** Also breaks its streams: code that only takes and gives records need not check the signal. */
  override stop(reason: BatutaError, force: boolean): void {
    super.stop(reason, force);
    if (!this.isCommitting) this.#stage.fail(reason);
  }

  reportCounts(): void {
    if (this.isOver || this.row.state.type !== 'RUNNING') return;
    const { in: taken, out } = this.#stage;
    if (taken === this.#counted.in && out === this.#counted.out && this.row.metrics?.['perSecond'] === 0) return;
    this.row = this.reportedRow;
    this.active.record.touchTask(this.row);
  }

  /** Keeps it with its position. All are kept, however many there are. @throws BatutaError TOO_MANY_REJECTS */
  override putReject(record: unknown, reason: string): void {
    if (this.isOver) return super.putReject(record, reason);
    this.changeMetric('add', 'rejected', 1);
    this.#rejects.put(record, reason, this.#stage, this.attempt);
    const error = this.tooManyRejects();
    if (error) throw error;
  }

  /** The error of the attempt if more than the allowed share of its records was rejected; else null. */
  tooManyRejects(): BatutaError | null {
    const { in: taken, out, takes, definition } = this.#stage;
    return this.#rejects.tooMany(definition, takes ? taken : out + this.#rejects.count);
  }

  queueFullRejects(): void {
    if (this.#rejects.isFull) this.queueRejects();
  }

  override queueRejects(): void {
    const warn = (error: unknown): void => this.log.warn({ err: error }, 'The rejected records could not be kept.');
    this.keepRejects().catch(warn);
  }

  async keepRejects(): Promise<void> {
    await this.#rejects.keep((list) => putArtifact(this.active, this.row.id, 'rejects', this.row.name, list));
  }

  /** A streaming task's records go to their takers. */
  override collect(items: AsyncIterable<unknown>): Promise<unknown> {
    return this.#stage.gives ? runScope.run(this, () => this.#stage.handOn(items)) : super.collect(items);
  }
}
