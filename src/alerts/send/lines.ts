/** An alert's text for people, line by line; the same in Slack and mail. */
import { cutText, storableText } from '../../base/cut-text.ts';
import type { AlertMessage } from '../../model/alerts/alert.ts';

// oxlint-disable-next-line no-control-regex -- these are what a single line must not hold
const breaks = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g;

/** What was found, how often and since when, and the run concerned. */
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

/** A title as one line of at most `maxChars`: users choose the names of flows and deployments, which may contain line breaks. */
export function titleLine(title: string, maxChars: number): string {
  return cutText(storableText(title).replaceAll(breaks, ' ').trim(), maxChars, '…');
}

function minuteOf(iso: string): string {
  return `${iso.slice(0, 16).replace('T', ' ')} UTC`;
}
