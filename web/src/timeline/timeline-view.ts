/** The visible time range, and the marks of its axis. Pure. */

/** Instants, UTC epoch ms. */
export interface View {
  readonly fromAt: number;
  readonly untilAt: number;
}

/** Shortest visible range, ms. */
const shortestMs = 1;
/** Room on the right, so that the newest is not glued to the edge. */
const marginShare = 0.04;

/** The whole with a little room. */
export function wholeView({ fromAt, untilAt }: View): View {
  return { fromAt, untilAt: untilAt + Math.max((untilAt - fromAt) * marginShare, shortestMs) };
}

/** Zooms in (`factor` below 1) or out around `at`; never beyond the whole. */
export function zoom(view: View, whole: View, at: number, factor: number): View {
  const length = Math.min(Math.max((view.untilAt - view.fromAt) * factor, shortestMs), whole.untilAt - whole.fromAt);
  const share = (at - view.fromAt) / (view.untilAt - view.fromAt);
  return within({ fromAt: at - share * length, untilAt: at + (1 - share) * length }, whole);
}

/** Pans by `byMs`, not past the ends of the whole. */
export function pan(view: View, whole: View, byMs: number): View {
  return within({ fromAt: view.fromAt + byMs, untilAt: view.untilAt + byMs }, whole);
}

function within(view: View, whole: View): View {
  const length = view.untilAt - view.fromAt;
  const fromAt = Math.min(Math.max(view.fromAt, whole.fromAt), Math.max(whole.untilAt - length, whole.fromAt));
  return { fromAt, untilAt: fromAt + length };
}

const stepsMs = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000]
  .concat([1, 2, 5, 10, 15, 30].map((minutes) => minutes * 60_000))
  .concat([1, 2, 3, 6, 12, 24, 48, 168, 720].map((hours) => hours * 3_600_000));

/** Marks of the axis as time since `originAt`: at most `most`, at round values. */
export function axisMarks(view: View, originAt: number, most: number): readonly { readonly at: number; readonly label: string }[] {
  const length = view.untilAt - view.fromAt;
  const stepMs =
    stepsMs.find((step) => length / step <= most) ?? (stepsMs.at(-1) as number) * Math.ceil(length / (stepsMs.at(-1) as number) / most);
  const marks: { at: number; label: string }[] = [];
  for (let since = Math.ceil((view.fromAt - originAt) / stepMs) * stepMs; originAt + since <= view.untilAt; since += stepMs)
    marks.push({ at: originAt + since, label: markText(since, stepMs) });
  return marks;
}

function markText(ms: number, stepMs: number): string {
  if (ms === 0) return '0';
  const sign = ms < 0 ? '−' : '';
  const size = Math.abs(ms);
  if (size < 1_000) return `${sign}${size} ms`;
  if (size < 60_000) return `${sign}${stepMs < 1_000 ? (size / 1_000).toFixed(stepMs < 10 ? 3 : stepMs < 100 ? 2 : 1) : size / 1_000} s`;
  const [days, hours, minutes, seconds] = [
    Math.floor(size / 86_400_000),
    Math.floor(size / 3_600_000) % 24,
    Math.floor(size / 60_000) % 60,
    (size % 60_000) / 1_000,
  ];
  const rest = stepMs < 1_000 ? seconds.toFixed(1) : Math.round(seconds);
  const parts = [
    days > 0 ? `${days} d` : '',
    hours > 0 ? `${hours} h` : '',
    minutes > 0 ? `${minutes} m` : '',
    seconds > 0 && days === 0 ? `${rest} s` : '',
  ];
  return sign + parts.filter((part) => part !== '').join(' ');
}
