/** A schedule in plain English, from the server. */
import { useQuery } from '@tanstack/react-query';
import type { Schedule } from '../../../../src/model/schedule/schedule.ts';
import { previewQuery } from '../../api/deployment-queries.ts';
import { scheduleSentence } from '../../schedule/sentence.ts';

/** Ticks read for the list and the calendar of a schedule. */
export const previewedTicks = 400;

/** The words; until loaded, the written schedule. */
export function ScheduleWords({ schedule }: { readonly schedule: Schedule }) {
  const { data } = useQuery({ ...previewQuery(schedule, 1), refetchInterval: false, staleTime: Number.POSITIVE_INFINITY });
  return data === undefined ? <code>{writtenText(schedule)}</code> : scheduleSentence(data.words);
}

/** What a user wrote for a schedule. */
export function writtenText(schedule: Schedule): string {
  switch (schedule.kind) {
    case 'cron':
      return schedule.expression;
    case 'interval':
      return 'ms' in schedule.every ? `every ${schedule.every.ms / 1000} s` : `every ${schedule.every.days} days`;
    case 'rrule':
      return schedule.rule.split('\n').at(-1) ?? '';
  }
}
