/**
 * Tasks connected by streams, over all their attempts.
 *
 * Its stages are task runs of their own that go in step: they begin an attempt together, once the first source has its places, and end it
 * together. When one fails, the streams of all are broken, their signals abort, and the attempt has failed for all of them. Their ends are
 * recorded in one turn, so that after a crash either all have ended or all run again.
 *
 * The retries of the first source decide whether there is another attempt, and when.
 */
import type { Timer } from '../../base/clock.ts';
import { BatutaError } from '../../base/errors.ts';
import { defaultBuffer } from '../../model/streams.ts';
import type { TaskDefinition } from '../../model/task.ts';
import type { RunAttempt } from '../run/run-attempt.ts';
import { DeadlockWatch } from './deadlock.ts';
import { Hop } from './hop.ts';
import { Meeting } from './meeting.ts';
import { type Replay, readReplay } from './replay.ts';
import { SegmentRecord } from './segment-record.ts';
import { Stage, type StageEnd, type StageGroup, type StagePlaces } from './stage.ts';

/** How long a stage's code is waited for after its segment has failed. */
const stopWaitMs = 5_000;

/** The first failure of an attempt. */
interface Culprit {
  readonly stage: Stage;
  readonly end: Exclude<StageEnd, { readonly kind: 'value' }>;
  /** What the others fail with. */
  readonly error: BatutaError;
}

export class Segment implements StageGroup {
  readonly #active: RunAttempt;
  readonly #stages = new Map<string, Stage>();
  readonly #lead: Stage;
  readonly #record: SegmentRecord;
  readonly #beginning: Meeting<void>;
  readonly #ending: Meeting<void>;
  readonly #deciding: Meeting<number | null>;
  /** What replaces the sources' records; null in most runs. */
  #replay: Replay | null = null;
  #culprit: Culprit | null = null;
  #force: Timer | null = null;
  /** Whether all its attempts are over. */
  #isOver = false;

  /** @param tasks in the order of the graph, so that the first is a source */
  constructor(active: RunAttempt, tasks: readonly TaskDefinition[]) {
    this.#active = active;
    const sources = active.definition.streams?.sources ?? new Set<string>();
    const places: StagePlaces = {
      tags: [...new Set(tasks.flatMap((task) => task.tags))],
      slots: Math.max(1, ...tasks.map(({ slots }) => slots)),
    };
    for (const task of tasks) this.#stages.set(task.name, new Stage(this, task, this.#stages.size === 0 ? places : null, sources));
    [this.#lead] = this.#stages.values() as unknown as [Stage];
    this.#record = new SegmentRecord(active, [...this.#stages.values()]);
    this.#beginning = new Meeting(tasks.length);
    this.#ending = new Meeting(tasks.length);
    this.#deciding = new Meeting(tasks.length);
  }

  stage(name: string): Stage {
    return this.#stages.get(name) as Stage;
  }

  /** Resolves once all stages are there, with new streams between them, or with why they do not begin. */
  begin(): Promise<BatutaError | null> {
    return this.#beginning
      .arrive(() => this.#begin())
      .then(
        () => null,
        (error: BatutaError) => error,
      );
  }

  async #begin(): Promise<void> {
    await this.#record.recall();
    this.#replay ??= await readReplay(this.#active);
    const hops = this.#connect();
    const deadlocks = new DeadlockWatch(hops);
    const { clock } = this.#active.services;
    this.#record.begin(() => {
      const found = deadlocks.look(clock.monotonic());
      found?.hop.fail(found.error);
    });
  }

  #connect(): Hop[] {
    const hops: Hop[] = [];
    this.#culprit = null;
    for (const stage of this.#stages.values()) stage.reset(this.#replay);
    for (const to of this.#stages.values()) {
      for (const name of to.definition.needs) {
        const from = this.#stages.get(name);
        if (from === undefined || !to.takesFrom(name)) continue;
        const hop = this.#hop(from, to);
        from.connect(to, hop);
        hops.push(hop);
      }
    }
    return hops;
  }

  #hop(from: Stage, to: Stage): Hop {
    return new Hop({
      ...{ from: from.definition.name, to: to.definition.name, buffer: from.definition.buffer ?? defaultBuffer },
      holdsAll: to.definition.transaction !== null,
      onMark: (mark) => to.pass(mark),
      onWait: (side, by) => this.#countWait(side === 'from' ? from : to, by),
    });
  }

  #countWait(stage: Stage, by: 1 | -1): void {
    const { clock } = this.#active.services;
    if (clock.countWait && stage.execution) clock.countWait(stage.execution.taskRunId, by);
  }

  /** A stage has ended its attempt. Resolves once all have, with how it ends as one of them. */
  async agree(stage: Stage, end: StageEnd): Promise<StageEnd> {
    if (end.kind === 'value') stage.succeeded();
    else this.#fail(stage, end);
    this.#countWait(stage, 1);
    try {
      await this.#ending.arrive(() => this.#conclude());
    } catch (error) {
      return { kind: 'stopped', error: error as BatutaError };
    } finally {
      this.#countWait(stage, -1);
    }
    const culprit = this.#culprit;
    if (culprit === null || culprit.stage === stage || this.#active.stopReason) return end;
    return { kind: culprit.end.kind, error: culprit.error };
  }

  /** Confirmed positions are recorded before the attempt ends badly; after a success nothing continues from them. */
  async #conclude(): Promise<void> {
    this.#force?.cancel();
    this.#force = null;
    this.#record.end();
    this.#isOver = this.#culprit === null;
    if (this.#culprit !== null) await this.#record.save();
  }

  #fail(stage: Stage, end: Culprit['end']): void {
    if (this.#culprit !== null) return;
    const error = end.kind === 'stopped' ? end.error : stoppedBy(stage, end.error);
    this.#culprit = { stage, end, error };
    const others = [...this.#stages.values()].filter((other) => other !== stage);
    for (const one of this.#stages.values()) one.fail(error);
    for (const other of others) other.execution?.stop(error, false);
    this.#force = this.#active.services.clock.setTimer(stopWaitMs, () => {
      for (const other of others) other.execution?.stop(error, true);
    });
  }

  /**
   * How long to wait before all begin again, ms; null if they do not.
   *
   * @param decide called for the lead, with the error of the attempt
   */
  async decide(stage: Stage, decide: (error: unknown) => Promise<number | null>): Promise<number | null> {
    const error = this.#culprit?.end.error;
    try {
      const waitMs = await this.#deciding.arrive(stage === this.#lead ? () => decide(error) : null);
      this.#isOver = waitMs === null;
      return waitMs;
    } catch {
      return null;
    }
  }

  /** A stage goes no further: others still running must not wait for it. */
  leave(stage: Stage): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { stopReason } = this.#active;
    const error = stopReason ?? new BatutaError('INTERNAL', `Task ${stage.definition.name} has left what it is connected with by streams.`);
    this.#fail(stage, { kind: 'stopped', error });
    for (const meeting of [this.#beginning, this.#ending, this.#deciding]) meeting.cancel(error);
    void this.#conclude();
  }
}

function stoppedBy(stage: Stage, cause: unknown): BatutaError {
  const { name } = stage.definition;
  return new BatutaError('STREAM_STOPPED', `Stopped because task ${name} has failed, with which it is connected by streams.`, {
    cause,
    details: { task: name },
  });
}
