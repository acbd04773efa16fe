/** A schedule for people: when it ticks in words, and its next ticks. */
import { durationWords } from '../../base/duration.ts';
import type { DeploymentSchedule } from '../../model/deployment.ts';
import { nextTicks, type Schedule } from '../../model/schedule.ts';
import { markOf, touchedChanges } from '../../model/schedule-changes.ts';
import { describeMark, describeSchedule, wallText } from '../../model/schedule-words.ts';
import type { Paint } from './paint.ts';
import { agoText } from './times.ts';
import { oneLine } from './width.ts';

/** Ticks that are shown of each schedule. */
const shownTicks = 3;

/** One line of words with its bounds, then the next ticks after `now`, the first with how far away it is. */
export function scheduleLines(one: DeploymentSchedule, now: number, paint: Paint): string[] {
  const { slug, schedule, jitterMs, pausedAt, fault } = one;
  if (fault !== undefined)
    return [slug, `  ${paint.red(`Set aside: ${oneLine(fault)}`)}`, '  It ticks again once it is deployed or resumed.'];
  const jitter = jitterMs > 0 ? `, up to ${durationWords(jitterMs)} later` : '';
  const head = `${describeSchedule(schedule)}${jitter}${boundsText(schedule)}  ${paint.dim(slug)}${pausedAt === null ? '' : `  ${paint.cyan('‖ paused')}`}`;
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

/** `, from Fri 2027-01-01 00:00:00 +00:00 on, before Mon 2027-02-01 00:00:00 +00:00`; nothing of a bound that is not set. */
function boundsText({ start, end, timezone }: Schedule): string {
  const from = start === null ? '' : `, from ${wallText(start, timezone)} on`;
  return end === null ? from : `${from}, before ${wallText(end, timezone)}`;
}
