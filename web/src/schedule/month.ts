/** A month as a calendar with the ticks of each day, in the time zone of the schedule. Pure. */

export interface MonthDay {
  /** `2026-03-08`. */
  readonly date: string;
  readonly day: number;
  /** Whether it belongs to the month itself. */
  readonly inMonth: boolean;
  readonly ticks: readonly number[];
}

const dayMs = 86_400_000;

/** The local date of an instant in a zone: `2026-03-08`. */
export function dateIn(zone: string, at: number): string {
  const parts = new Intl.DateTimeFormat('en-CA', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' }).formatToParts(at);
  const part = (type: string): string => parts.find((one) => one.type === type)?.value ?? '';
  return `${part('year')}-${part('month')}-${part('day')}`;
}

/** Weeks of a month, Monday first, each of seven days. `month` counts from 1. */
export function monthOf(year: number, month: number, ticks: readonly number[], zone: string): readonly (readonly MonthDay[])[] {
  const byDate = new Map<string, number[]>();
  for (const tick of ticks) {
    const date = dateIn(zone, tick);
    const list = byDate.get(date);
    if (list) list.push(tick);
    else byDate.set(date, [tick]);
  }
  const first = Date.UTC(year, month - 1, 1);
  const begin = first - ((new Date(first).getUTCDay() + 6) % 7) * dayMs;
  const weeks: MonthDay[][] = [];
  for (let at = begin; at < Date.UTC(year, month, 1); at += 7 * dayMs) {
    weeks.push(
      Array.from({ length: 7 }, (_, weekday) => {
        const date = new Date(at + weekday * dayMs);
        const text = date.toISOString().slice(0, 10);
        return { date: text, day: date.getUTCDate(), inMonth: date.getUTCMonth() === month - 1, ticks: byDate.get(text) ?? [] };
      }),
    );
  }
  return weeks;
}
