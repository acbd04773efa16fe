/** A stored schedule as the request that previews it. Pure. */
import type { Schedule } from '../../../src/model/schedule/schedule.ts';

/** What a user would have written for it. */
export function previewBody(schedule: Schedule): Readonly<Record<string, string>> {
  const { timezone, start, end } = schedule;
  const bounds = { timezone, ...(start === null ? {} : { start: isoText(start) }), ...(end === null ? {} : { end: isoText(end) }) };
  switch (schedule.kind) {
    case 'cron':
      return { cron: schedule.expression, ...bounds };
    case 'rrule':
      return { rrule: schedule.rule, ...bounds };
    case 'interval': {
      const { every, anchor } = schedule;
      return { interval: 'ms' in every ? `${every.ms}ms` : `${every.days} days`, anchor: isoText(anchor), ...bounds };
    }
  }
}

function isoText(at: number): string {
  return new Date(at).toISOString();
}
