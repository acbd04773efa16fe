/** What a deployment runs and when, in one sentence. Pure. */
import type { Overlap } from '../../../src/model/deployment.ts';

const overlaps: Readonly<Record<Overlap, string>> = {
  allow: 'runs may overlap',
  skip: 'overlapping runs are skipped',
  'buffer-one': 'one run may wait for the one before',
  'buffer-all': 'runs wait for those before',
  'cancel-running': 'a new run cancels the one before',
};

/** `Every day at 09:00 New York`, `At 09:00 New York, Monday through Friday`. `words` are those of the server: `At 09:00, in America/New_York`. */
export function scheduleSentence(words: string): string {
  const [, what = words, zone = ''] = /^(.*), in ([^,]+)$/s.exec(words) ?? [];
  const elapsed = /^(Every .+?) of elapsed time/.exec(words)?.[1];
  if (elapsed !== undefined) return elapsed.replace(/ 0+ (m|s)\b/g, '');
  const place = placeOf(zone);
  const [, clock, days] = /^(At \d{1,2}:\d{2}(?::\d{2})?(?: (?:AM|PM))?)(?:, (.+))?$/s.exec(what) ?? [];
  if (clock !== undefined) {
    const at = place === '' ? clock : `${clock} ${place}`;
    return days === undefined ? `Every day a${at.slice(1)}` : `${at}, ${days}`;
  }
  if (place === '') return what;
  return what.includes(',') ? `${what}, ${place} time` : `${what} ${place}`;
}

/** What happens to runs that would overlap. */
export function overlapSentence(overlap: Overlap): string {
  return overlaps[overlap];
}

/** The whole: `Every day at 09:00 New York, overlapping runs are skipped.` */
export function deploymentSentence(schedules: readonly string[], overlap: Overlap): string {
  if (schedules.length === 0) return 'It runs when somebody or something starts it; it has no schedule.';
  const parts = schedules.map(scheduleSentence);
  const when = parts.map((part, at) => (at === 0 ? part : part.charAt(0).toLowerCase() + part.slice(1))).join('; ');
  return `${when}, ${overlapSentence(overlap)}.`;
}

/** `America/New_York` → `New York`. */
function placeOf(zone: string): string {
  return zone.slice(zone.lastIndexOf('/') + 1).replaceAll('_', ' ');
}
