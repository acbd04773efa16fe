/** The progress that a task reports (`ctx.progress(done, total)`), for showing. */
import type { TaskRun } from '../../../src/model/run.ts';
import { countText } from './format.ts';

export type Progress = NonNullable<TaskRun['progress']>;

/** From 0 to 1; null without a total. */
export function shareOf({ done, total }: Progress): number | null {
  return total === null || total <= 0 ? null : Math.min(1, Math.max(0, done / total));
}

/** `41 %`: below 100 until all is done. */
export function wholePercentText(share: number): string {
  return `${Math.floor(share * 100)} %`;
}

/** `41 %`, or `1 234` without a total. */
export function progressText(progress: Progress): string {
  const share = shareOf(progress);
  return share === null ? countText(progress.done) : wholePercentText(share);
}

/** `37 of 90`, or `1 234 done`. */
export function progressWords({ done, total }: Progress): string {
  return total === null ? `${countText(done)} done` : `${countText(done)} of ${countText(total)}`;
}
