/** Limits, for people and as JSON. */
import { formatDuration } from '../../base/duration.ts';
import type { LimitHolder, LimitView } from '../../client/fleet-client.ts';
import type { Paint } from './paint.ts';
import type { Column } from './table.ts';
import { isoOrNull } from './times.ts';
import { oneLine } from './width.ts';

/** Most holders that are named in a row. */
const maxNamed = 3;

export const limitColumns: readonly Column[] = [
  { head: 'limit', max: 48 },
  { head: 'taken', align: 'right' },
  { head: 'waiting', align: 'right' },
  { head: 'held by', max: 60, drop: 1 },
  { head: 'longest wait', drop: 2 },
];

/** Cells of one limit, in the order of the columns. */
export function limitCells({ name, slots, held, waiting, holders, waiters }: LimitView, now: number, paint: Paint): string[] {
  const names = [...new Set(holders.map(({ runName }) => runName))];
  const more = names.length > maxNamed ? ' …' : '';
  const [longest] = waiters;
  const taken = `${held}/${slots}`;
  return [
    oneLine(name),
    held >= slots ? paint.yellow(taken) : taken,
    String(waiting),
    `${names.slice(0, maxNamed).map(oneLine).join(', ')}${more}`,
    longest === undefined ? '' : formatDuration(Math.max(0, now - longest.sinceAt)),
  ];
}

/** A limit as the API gives it, instants as ISO 8601. */
export function limitJson({ name, slots, changeable, held, waiting, holders, waiters }: LimitView): object {
  return { name, slots, changeable, held, waiting, holders: holders.map(holderJson), waiters: waiters.map(holderJson) };
}

function holderJson({ runId, runName, taskRunId, sinceAt }: LimitHolder): object {
  return { runId, runName, taskRunId, sinceAt: isoOrNull(sinceAt) };
}
