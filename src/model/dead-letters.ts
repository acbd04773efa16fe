/** Records that tasks of streams have rejected, as they are kept in artifacts of kind `rejects`. Pure. */
import type { Artifact } from './run.ts';

/** A rejected record as it is kept. */
export interface DeadLetter {
  readonly reason: string;
  /** Name of the task that has rejected it. */
  readonly stage: string;
  /** Position of the record in its source; null where the source gives none. */
  readonly position: unknown;
  /** Attempt of that task. */
  readonly attempt: number;
  readonly record: unknown;
}

/**
 * The letters of a run, in the order in which they were kept. What several attempts have rejected, because records behind the last confirmed
 * position came again, is there once: as often as the attempt that rejected it most often.
 */
export function deadLettersOf(artifacts: readonly Pick<Artifact, 'kind' | 'name' | 'data'>[]): readonly DeadLetter[] {
  const letters: DeadLetter[] = [];
  /** How often each was met in an attempt, and in all. */
  const counts = new Map<string, { readonly byAttempt: Map<number, number>; most: number }>();
  for (const { kind, name, data } of artifacts) {
    if (kind !== 'rejects' || !Array.isArray(data)) continue;
    for (const entry of data as Partial<DeadLetter>[]) {
      const { reason = '', stage = name, position = null, attempt = 1, record = null } = entry;
      const key = JSON.stringify([stage, position, reason, record]);
      const count = counts.get(key) ?? { byAttempt: new Map<number, number>(), most: 0 };
      counts.set(key, count);
      const times = (count.byAttempt.get(attempt) ?? 0) + 1;
      count.byAttempt.set(attempt, times);
      if (times <= count.most) continue;
      count.most = times;
      letters.push({ reason, stage, position, attempt, record });
    }
  }
  return letters;
}
