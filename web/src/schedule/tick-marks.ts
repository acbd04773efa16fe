/** Effects of clock changes on the ticks shown. Pure. */

export interface MarkedTick {
  readonly at: number;
  /** Wall-clock time in the zone, `09:00`. */
  readonly wall: string;
  /** Why this tick differs from the others, null for most. */
  readonly mark: string | null;
}

/**
 * Marks ticks around clock changes: those whose distance in hours differs from the wall clock, and those whose wall-clock time
 * is not the usual one of the schedule that day.
 *
 * @param ticks oldest first, UTC epoch ms.
 */
export function markTicks(ticks: readonly number[], zone: string): readonly MarkedTick[] {
  const offsets = ticks.map((tick) => offsetMinutes(zone, tick));
  const walls = ticks.map((tick) => wallTime(zone, tick));
  const usual = new Map<string, number>();
  for (const wall of walls) usual.set(wall, (usual.get(wall) ?? 0) + 1);
  return ticks.map((at, index) => {
    const wall = walls[index] ?? '';
    const [before, here, after] = [offsets[index - 1], offsets[index] ?? 0, offsets[index + 1]];
    // Clocks went forward over the usual time: the tick is at the end of the gap, on this day only.
    if (usual.get(wall) === 1 && ticks.length > 2 && usual.size === 2 && before !== undefined && here !== before)
      return { at, wall, mark: `Moved to ${wall}: clocks go forward over its time this day` };
    if (before !== undefined && here !== before)
      return {
        at,
        wall,
        mark: `First after clocks go ${here > before ? 'forward' : 'back'} (${offsetText(before)} to ${offsetText(here)})`,
      };
    if (index === 0 && after === undefined) return { at, wall, mark: null };
    return { at, wall, mark: null };
  });
}

/** `09:00` in a zone; with seconds if not zero. */
export function wallTime(zone: string, at: number): string {
  const text = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  }).format(at);
  return text.endsWith(':00') ? text.slice(0, 5) : text;
}

/** UTC offset of a zone, minutes. */
export function offsetMinutes(zone: string, at: number): number {
  const name = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' })
    .formatToParts(at)
    .find(({ type }) => type === 'timeZoneName');
  const [, sign, hours = '0', minutes = '0'] = /([+-])(\d{2}):?(\d{2})?/.exec(name?.value ?? '') ?? [];
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}

/** `UTC+2`, `UTC−3:30`. */
export function offsetText(minutes: number): string {
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `UTC${minutes < 0 ? '−' : '+'}${hours}${rest === 0 ? '' : `:${String(rest).padStart(2, '0')}`}`;
}
