/** Ranges of durations in SQL, and sums of them as they are stored. */
import { rangesPerE, type Durations } from '../../model/duration-ranges.ts';
import { jsonText } from '../storable.ts';
import { readFields } from '../read-json.ts';

/** Number of the range of a duration, given as an expression in ms; null where that is. The same in both databases. */
export function rangeText(ms: string): string {
  return `case when ${ms} is null then null when ${ms} <= 1 then 0
    else cast(floor(ln(cast(${ms} as double precision)) * ${rangesPerE}) as integer) end`;
}

/** For storing. */
export function durationsText(durations: Durations): string {
  return jsonText(Object.fromEntries(durations));
}

/** Back from it. */
export function durationsOf(text: string): Durations {
  return new Map(Object.entries(readFields<Record<string, number>>(text) ?? {}).map(([range, count]) => [Number(range), count]));
}
