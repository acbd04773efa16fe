/** What is recorded of a running segment, once a second and at the end of each attempt: counts of its stages, and positions. */
import type { Timer } from '../../base/clock.ts';
import type { RunAttempt } from '../run/run-attempt.ts';
import { decodeValue, encodeValue } from '../values/results.ts';
import type { Stage } from './stage.ts';

const everyMs = 1_000;

export class SegmentRecord {
  readonly #active: RunAttempt;
  readonly #stages: readonly Stage[];
  #timer: Timer | null = null;
  #recalled: Promise<void> | null = null;
  /** Writes are sequential, so that an older position never follows a newer one. */
  #saving: Promise<void> = Promise.resolve();

  constructor(active: RunAttempt, stages: readonly Stage[]) {
    this.#active = active;
    this.#stages = stages;
  }

  /** Restores each source's recorded position. One that had completed gets none: if it is run again, then from the beginning. */
  recall(): Promise<void> {
    this.#recalled ??= this.#active.recorded.size === 0 ? Promise.resolve() : this.#recall();
    return this.#recalled;
  }

  async #recall(): Promise<void> {
    const { recorded, run, services } = this.#active;
    for (const { task, position } of await services.store.streams.positionsOf(run.id)) {
      const stage = this.#stages.find(({ definition }) => definition.name === task);
      if (stage && recorded.get(task)?.state.type !== 'COMPLETED') stage.resumeFrom = decodeValue(position);
    }
  }

  /** Records from now on. @param onTick called once a second */
  begin(onTick: () => void): void {
    this.#timer = this.#active.services.clock.setTimer(everyMs, () => {
      onTick();
      for (const { execution } of this.#stages) {
        execution?.reportCounts();
        execution?.queueFullRejects();
      }
      const again = (): void => {
        if (this.#timer !== null) this.begin(onTick);
      };
      this.save().then(again, again);
    });
  }

  /** From now on records only what `save` is called for. */
  end(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** Writes newly confirmed positions. A failed write is logged: more is then read again. */
  save(): Promise<void> {
    this.#saving = this.#saving.then(() => this.#save());
    return this.#saving;
  }

  /** Any stage may have rejected a record before a position: those records are made durable first, or the position is not used. */
  async #save(): Promise<void> {
    const { record, services, log } = this.#active;
    const all = this.#stages.flatMap((stage) => (stage.confirmed === null ? [] : [{ stage, confirmed: stage.confirmed }]));
    if (all.length === 0) return;
    try {
      await Promise.all(this.#stages.map(async ({ execution }) => execution?.keepRejects()));
    } catch (error) {
      log.warn({ err: error }, 'The rejected records could not be kept, so the position of their source is not recorded either.');
      return;
    }
    for (const { stage, confirmed } of all) {
      stage.settle(confirmed);
      try {
        const position = encodeValue(confirmed.position, `position of ${stage.definition.name}`) ?? 'null';
        await services.store.streams.confirm(record.claim, { task: stage.definition.name, position }, services.clock.now());
      } catch (error) {
        log.warn({ err: error }, `The position of ${stage.definition.name} could not be recorded.`);
      }
    }
  }
}
