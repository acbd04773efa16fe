/** The progress a task reports (`ctx.progress(done, total)`), for display. */
import type { TaskRun } from '../../../src/model/run.ts';
import { countText } from './format.ts';

export type Progress = NonNullable<TaskRun['progress']> & {
  /** For a stream task: records in the last second. */
  readonly perSecond?: number;
};

/** Progress of a task run, for a stream task with its rate. Null if it reports none. */
export function progressOf({
  progress,
  metrics = null,
}: Pick<TaskRun, 'progress'> & { readonly metrics?: TaskRun['metrics'] }): Progress | null {
  const perSecond = metrics?.['perSecond'];
  return progress === null || perSecond === undefined ? progress : { ...progress, perSecond };
}

/** From 0 to 1; null without a total. */
export function shareOf({ done, total }: Progress): number | null {
  return total === null || total <= 0 ? null : Math.min(1, Math.max(0, done / total));
}

/** `41 %`: below 100 until everything is done. */
export function wholePercentText(share: number): string {
  return `${Math.floor(share * 100)} %`;
}

/** `41 %`, or `1 234` without a total, `1 234 · 410/s` for a stream. */
export function progressText(progress: Progress): string {
  const share = shareOf(progress);
  if (share !== null) return wholePercentText(share);
  const { done, perSecond } = progress;
  return perSecond === undefined ? countText(done) : `${countText(done)} · ${countText(perSecond)}/s`;
}

/** `37 of 90`, or `1 234 done`; for a stream also `410/s`. */
export function progressWords({ done, total, perSecond }: Progress): string {
  const far = total === null ? `${countText(done)} done` : `${countText(done)} of ${countText(total)}`;
  return perSecond === undefined ? far : `${far}, ${countText(perSecond)}/s`;
}
