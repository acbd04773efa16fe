/** A schedule for people: when it ticks in words, and its next ticks. */
import { durationWords } from '../../base/duration.ts';
import type { DeploymentSchedule } from '../../model/deployment.ts';
import { nextTicks } from '../../model/schedule.ts';
import { markOf, touchedChanges } from '../../model/schedule-changes.ts';
import { describeMark, describeSchedule, wallText } from '../../model/schedule-words.ts';
import type { Paint } from './paint.ts';
import { agoText } from './times.ts';

/** Ticks that are shown of each schedule. */
const shownTicks = 3;

/** One line of words, then the next ticks after `now`, the first with how far away it is. */
export function scheduleLines({ slug, schedule, jitterMs, pausedAt }: DeploymentSchedule, now: number, paint: Paint): string[] {
  const jitter = jitterMs > 0 ? `, up to ${durationWords(jitterMs)} later` : '';
  const head = `${describeSchedule(schedule)}${jitter}  ${paint.dim(slug)}${pausedAt === null ? '' : `  ${paint.cyan('‖ paused')}`}`;
  const ticks = nextTicks(schedule, now, shownTicks);
  if (ticks.length === 0) return [head, `  ${paint.yellow('It never ticks again.')}`];
  const changes = touchedChanges(schedule, now, ticks);
  return [
    head,
    ...ticks.map((tick, at) => {
      const mark = markOf(tick, schedule, changes);
      const distance = at === 0 && tick - now < 86_400_000 ? `  ${paint.dim(agoText(tick, now))}` : '';
      return `  ${wallText(tick, schedule.timezone)}${distance}${mark === null ? '' : `  ${paint.yellow(describeMark(mark))}`}`;
    }),
  ];
}
