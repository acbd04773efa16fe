/** A year of days as a heat map: a column per week, a row per weekday. Pure; days are in UTC, as counted by the server. */
import { shortMonthNames } from '../parts/format.ts';

export interface DayCounts {
  /** Midnight UTC, epoch ms. */
  readonly startAt: number;
  readonly completed: number;
  readonly failed: number;
  readonly cancelled: number;
}

/** `none`: no run ended · `fine`: all completed · `mixed`: some failed · `failed`: half or more failed · `cancelled`: none completed or failed. */
export type Outcome = 'none' | 'fine' | 'mixed' | 'failed' | 'cancelled';

export interface DayCell {
  readonly at: number;
  /** 0: Monday. */
  readonly weekday: number;
  readonly outcome: Outcome;
  readonly runs: number;
  readonly failed: number;
  readonly cancelled: number;
}

export interface Year {
  /** Weeks from the oldest, each of up to seven days. */
  readonly weeks: readonly (readonly DayCell[])[];
  /** Where months begin. */
  readonly months: readonly { readonly week: number; readonly label: string }[];
}

const dayMs = 86_400_000;

/** The 53 weeks up to the day of `now`. */
export function yearOf(days: readonly DayCounts[], now: number): Year {
  const today = Math.floor(now / dayMs) * dayMs;
  const firstMonday = today - (weekdayOf(today) + 52 * 7) * dayMs;
  const byDay = new Map(days.map((day) => [Math.floor(day.startAt / dayMs) * dayMs, day]));
  const weeks: DayCell[][] = [];
  const months: { week: number; label: string }[] = [];
  for (let at = firstMonday; at <= today; at += dayMs) {
    const week = Math.floor((at - firstMonday) / (7 * dayMs));
    (weeks[week] ??= []).push(cellOf(at, byDay.get(at)));
    const date = new Date(at);
    if (date.getUTCDate() <= 7 && weekdayOf(at) === 0) months.push({ week, label: shortMonthNames[date.getUTCMonth()] ?? '' });
  }
  return { weeks, months };
}

/** The outcome of a day. */
export function outcomeOf({ completed, failed, cancelled }: Pick<DayCounts, 'completed' | 'failed' | 'cancelled'>): Outcome {
  if (failed > 0) return failed >= completed ? 'failed' : 'mixed';
  if (completed > 0) return 'fine';
  return cancelled > 0 ? 'cancelled' : 'none';
}

function cellOf(at: number, day: DayCounts | undefined): DayCell {
  const { completed = 0, failed = 0, cancelled = 0 } = day ?? {};
  return {
    at,
    weekday: weekdayOf(at),
    outcome: outcomeOf({ completed, failed, cancelled }),
    runs: completed + failed + cancelled,
    failed,
    cancelled,
  };
}

function weekdayOf(at: number): number {
  return (new Date(at).getUTCDay() + 6) % 7;
}
