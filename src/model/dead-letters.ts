/** Records rejected by tasks of streams, as kept in artifacts of kind `rejects`. Pure. */
import type { Artifact } from './run.ts';

/** A rejected record as stored. */
export interface DeadLetter {
  readonly reason: string;
  /** Name of the task that rejected it. */
  readonly stage: string;
  /** Position of the record in its source; null if the source has none. */
  readonly position: unknown;
  /** Attempt of that task. */
  readonly attempt: number;
  readonly record: unknown;
}

/** Which rejected records of a run to return. */
export interface RejectFilter {
  /** Of this task only. */
  readonly task?: string;
  /** With this reason only. */
  readonly reason?: string;
}

/** How many records a run rejected, and why. */
export interface RejectCounts {
  readonly total: number;
  /** By task and reason, most first; at most 200. */
  readonly reasons: readonly { readonly task: string; readonly reason: string; readonly count: number }[];
  /** Other reasons. */
  readonly others: number;
}

/**
 * The letters of a run, in the order kept. If several attempts rejected a record, because records behind the last confirmed position came
 * again, it is listed as often as in the attempt that rejected it most often.
 */
export function deadLettersOf(artifacts: readonly Pick<Artifact, 'kind' | 'name' | 'data'>[]): readonly DeadLetter[] {
  const reader = new DeadLetters(() => true);
  return artifacts.flatMap((artifact) => reader.take(artifact));
}

/** The same, artifact by artifact. */
export class DeadLetters {
  readonly #isRepeated: (task: string) => boolean;
  /** Occurrences of each, per attempt and at most. */
  readonly #counts = new Map<string, { readonly byAttempt: Map<number, number>; most: number }>();

  /** @param isRepeated whether a task had several attempts; the letters of others are not remembered */
  constructor(isRepeated: (task: string) => boolean) {
    this.#isRepeated = isRepeated;
  }

  /** Those of an artifact not taken before. */
  take({ kind, name, data }: Pick<Artifact, 'kind' | 'name' | 'data'>): DeadLetter[] {
    if (kind !== 'rejects' || !Array.isArray(data)) return [];
    return (data as Partial<DeadLetter>[])
      .map(({ reason = '', stage = name, position = null, attempt = 1, record = null }) => ({ reason, stage, position, attempt, record }))
      .filter((letter) => !this.#isRepeated(letter.stage) || this.#isNew(letter));
  }

  #isNew({ stage, position, reason, record, attempt }: DeadLetter): boolean {
    const key = JSON.stringify([stage, position, reason, record]);
    const count = this.#counts.get(key) ?? { byAttempt: new Map<number, number>(), most: 0 };
    this.#counts.set(key, count);
    const times = (count.byAttempt.get(attempt) ?? 0) + 1;
    count.byAttempt.set(attempt, times);
    if (times <= count.most) return false;
    count.most = times;
    return true;
  }
}
