/**
 * The artifacts of one attempt of a task, or of one execution of the body of a code flow. Made on first use.
 *
 * Artifacts with a key, and all of a body, which runs again after a crash or a wait, have an id derived from run, task run, name and
 * content: shown again by a later attempt it is the same row. Shown twice by one attempt, it is two.
 */
import { Buffer } from 'node:buffer';
import type { Logger } from 'pino';
import type { Timer } from '../../base/clock.ts';
import { BatutaError } from '../../base/errors.ts';
import { withoutHidden } from '../../base/hidden-values.ts';
import type { ArtifactOptions, ArtifactProgress } from '../../model/artifact.ts';
import { checkChartPoints, type ChartData } from '../../model/chart.ts';
import { hashedId } from '../../model/idempotency-key.ts';
import type { ArtifactKeeper, ArtifactWish, FileWish } from '../../model/artifact-writer.ts';
import type { RunAttempt } from '../run/run-attempt.ts';
import { type ArtifactIdentity, putArtifact } from './put-artifact.ts';

/** Minimum interval of progress updates, ms. */
const progressEveryMs = 500;

interface Bar {
  readonly id: string;
  readonly createdAt: number;
  progress: ArtifactProgress;
  writtenAt: number;
  /** Set while something is unrecorded. */
  timer: Timer | null;
}

export class AttemptArtifacts implements ArtifactKeeper {
  readonly #active: RunAttempt;
  readonly #taskRunId: string | null;
  readonly #isOver: () => boolean;
  /** How often this attempt has shown something, by kind, name or key, and content. */
  readonly #given = new Map<string, number>();
  readonly #bars = new Map<string, Bar>();

  /** @param taskRunId null for the body of a code flow @param isOver whether the attempt has ended, so that nothing more is kept */
  constructor(active: RunAttempt, taskRunId: string | null, isOver: () => boolean) {
    this.#active = active;
    this.#taskRunId = taskRunId;
    this.#isOver = isOver;
  }

  /** @throws BatutaError ARTIFACT_TOO_LARGE (a chart), RESULT_NOT_SERIALIZABLE, STORE_… */
  async put({ kind, name, data, key }: ArtifactWish): Promise<void> {
    if (this.#isOver()) return;
    if (kind === 'chart') this.#checkChart(name, data as ChartData);
    await putArtifact(this.#active, this.#taskRunId, kind, name, data, this.#identityOf(kind, name, key));
  }

  /** @throws BatutaError ARTIFACT_TYPE, ARTIFACT_TOO_LARGE, ARTIFACT_INVALID, STORE_… */
  async putFile(wish: FileWish): Promise<void> {
    if (this.#isOver()) return;
    const { putFile } = await import('./put-file.ts');
    await putFile(this.#active, this.#taskRunId, wish, {
      identity: this.#identityOf(wish.kind, wish.name, wish.key),
      isOver: this.#isOver,
    });
  }

  /** Records it now or a little later; the last one in any case. */
  setProgress(name: string, value: number, label: string | null): void {
    if (this.#isOver()) return;
    const { clock } = this.#active.services;
    const progress: ArtifactProgress = { value, label: label === null ? null : withoutHidden(label), updated: clock.now() };
    const bar = this.#bars.get(name);
    if (bar === undefined) {
      const id = this.#idOf('progress', name, '');
      const made: Bar = { id, createdAt: this.#active.record.artifactTime(), progress, writtenAt: clock.monotonic(), timer: null };
      this.#bars.set(name, made);
      this.#write(name, made);
      return;
    }
    bar.progress = progress;
    if (bar.timer !== null) return;
    const waitMs = progressEveryMs - (clock.monotonic() - bar.writtenAt);
    if (waitMs <= 0) this.#write(name, bar);
    else bar.timer = clock.setTimer(waitMs, () => this.#write(name, bar), { unref: true });
  }

  /** Queues the attempt's rejects, in the flush that carries its end. Not awaited: that flush is. */
  queueRejects(name: string, rejects: readonly unknown[], log: Logger): void {
    const warn = (error: unknown): void => log.warn({ err: error }, 'The rejected records could not be kept.');
    putArtifact(this.#active, this.#taskRunId, 'rejects', name, rejects).catch(warn);
  }

  /** Records its unrecorded progress: in the flush that carries the end of the attempt, or an earlier one. */
  end(): void {
    for (const [name, bar] of this.#bars) if (bar.timer !== null) this.#write(name, bar);
  }

  #write(name: string, bar: Bar): void {
    const { clock } = this.#active.services;
    bar.timer?.cancel();
    bar.timer = null;
    bar.writtenAt = clock.monotonic();
    const written = this.#active.record.addArtifact({
      id: bar.id,
      runId: this.#active.run.id,
      taskRunId: this.#taskRunId,
      kind: 'progress',
      name: withoutHidden(name),
      data: bar.progress,
      createdAt: bar.createdAt,
    });
    // Nobody waits for progress; the next state write meets a store that is gone.
    written.catch(() => undefined);
  }

  #checkChart(name: string, data: ChartData): void {
    const { maxArtifactBytes, maxChartPoints } = this.#active.services.output.settings;
    checkChartPoints(name, data, maxChartPoints);
    const bytes = Buffer.byteLength(JSON.stringify(data));
    if (bytes <= maxArtifactBytes) return;
    // Half a chart would be another one.
    throw new BatutaError(
      'ARTIFACT_TOO_LARGE',
      `The chart '${name}' has ${bytes} bytes as JSON, and ${maxArtifactBytes} are allowed (BATUTA_MAX_ARTIFACT).`,
      { details: { artifact: name, bytes, maxBytes: maxArtifactBytes } },
    );
  }

  #identityOf(kind: string, name: string, key: ArtifactOptions['key'] | null = null): ArtifactIdentity | null {
    if (key === null && this.#taskRunId !== null) return null;
    return {
      key: key === null ? null : withoutHidden(key),
      idOf: (sha256) => {
        const what = JSON.stringify([kind, key, key === null ? name : null, sha256]);
        const times = (this.#given.get(what) ?? 0) + 1;
        this.#given.set(what, times);
        return this.#idOf(kind, what, String(times));
      },
    };
  }

  #idOf(kind: string, what: string, times: string): string {
    return hashedId(JSON.stringify(['artifact', this.#active.run.id, this.#taskRunId, kind, what, times]));
  }
}
