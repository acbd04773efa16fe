/** What an alert says to people, line by line; in Slack and in mail alike. */
import type { AlertMessage } from '../../model/alerts/alert.ts';

/** What was found, how often and since when, and which run it is about. */
export function linesOf({ data }: AlertMessage): readonly string[] {
  const { summary, count, firstAt, description, run, resolvedBy, state } = data;
  return [
    summary,
    ...(description === null ? [] : [description]),
    ...(count > 1 ? [`${count} times since ${minuteOf(firstAt)}`] : [`Since ${minuteOf(firstAt)}`]),
    ...(run === null ? [] : [`Run ${run.name ?? ''} ${run.id}`.replace('  ', ' ')]),
    ...(state === 'firing' || resolvedBy === null ? [] : [`Resolved by ${resolvedBy}`]),
  ];
}

function minuteOf(iso: string): string {
  return `${iso.slice(0, 16).replace('T', ' ')} UTC`;
}
