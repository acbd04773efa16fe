/** Lines of durations over days, in px. Pure. */

export interface DurationDay {
  /** Midnight UTC, epoch ms. */
  readonly startAt: number;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
}

export interface DurationPoint {
  /** `2026-03-08`. */
  readonly date: string;
  readonly x: number;
  readonly p50Y: number;
  readonly p95Y: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
}

export interface DurationLines {
  readonly points: readonly DurationPoint[];
  /** Paths of the two lines. */
  readonly p50: string;
  readonly p95: string;
  /** Marks of the axis, from 0 on. */
  readonly marks: readonly { readonly y: number; readonly ms: number }[];
  readonly from: string;
  readonly until: string;
}

const units = [1, 1_000, 60_000, 3_600_000, 86_400_000];
const steps = [1, 2, 5, 10, 15, 20, 30, 50, 100, 200, 500];

/** The lines in a box of px; null if no day has a duration. */
export function durationLines(
  days: readonly DurationDay[],
  box: { readonly width: number; readonly height: number },
): DurationLines | null {
  const timed = days.flatMap(({ startAt, p50Ms, p95Ms }) => (p50Ms === null || p95Ms === null ? [] : [{ startAt, p50Ms, p95Ms }]));
  const [first] = timed;
  const last = timed.at(-1);
  if (!first || !last) return null;
  const most = Math.max(1, ...timed.map(({ p95Ms, p50Ms }) => Math.max(p95Ms, p50Ms)));
  const stepMs = stepOf(most / 3);
  const topMs = Math.ceil(most / stepMs) * stepMs;
  const span = last.startAt - first.startAt;
  const xOf = (at: number): number => (span === 0 ? box.width / 2 : ((at - first.startAt) / span) * box.width);
  const yOf = (ms: number): number => box.height - (ms / topMs) * box.height;
  const points = timed.map(({ startAt, p50Ms, p95Ms }) => ({
    date: dateText(startAt),
    x: xOf(startAt),
    p50Y: yOf(p50Ms),
    p95Y: yOf(p95Ms),
    p50Ms,
    p95Ms,
  }));
  const path = (y: 'p50Y' | 'p95Y'): string =>
    points.map((point, at) => `${at === 0 ? 'M' : 'L'}${point.x.toFixed(1)} ${point[y].toFixed(1)}`).join('');
  const marks = Array.from({ length: Math.round(topMs / stepMs) + 1 }, (_, at) => ({ y: yOf(at * stepMs), ms: at * stepMs }));
  return { points, p50: path('p50Y'), p95: path('p95Y'), marks, from: dateText(first.startAt), until: dateText(last.startAt) };
}

/** The next round length: 1, 2, 5, 10, 15, 20 or 30 of a unit. */
function stepOf(ms: number): number {
  for (const [at, unit] of units.entries()) {
    const next = units[at + 1] ?? Number.POSITIVE_INFINITY;
    for (const step of steps) if (step * unit >= ms && step * unit < next) return step * unit;
  }
  return Math.ceil(ms / 86_400_000) * 86_400_000;
}

function dateText(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
