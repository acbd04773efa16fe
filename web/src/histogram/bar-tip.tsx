/** Content of one histogram bar, next to the pointer and for screen readers. */
import { clockText, countText, dateTimeText, plural } from '../parts/format.ts';
import { StateBadge } from '../parts/state-badge.tsx';
import { type Bar, stackOrder } from './scale.ts';
import { stateNames } from '../../../src/model/state.ts';
import style from './bar-tip.module.css';

/** Counts by state of one bar. `x` is the middle of the bar and `width` that of the plot, px. */
export function BarTip({ bar, x, width }: { readonly bar: Bar; readonly x: number; readonly width: number }) {
  return (
    <div className={style.tip} style={x < width / 2 ? { left: x + 12 } : { right: width - x + 12 }} aria-hidden="true">
      <div className={style.time}>{stretchOf(bar)}</div>
      {bar.total === 0 ? <div className={style.none}>no runs</div> : null}
      {stackOrder
        .filter((type) => (bar.counts[type] ?? 0) > 0)
        .map((type) => (
          <div key={type} className={style.line}>
            <StateBadge name={stateNames[type][0]} />
            <span>{countText(bar.counts[type] ?? 0)}</span>
          </div>
        ))}
    </div>
  );
}

/** The same as one sentence. */
export function sentenceOf(bar: Bar | undefined): string {
  if (bar === undefined) return 'no runs';
  const counts = stackOrder
    .filter((type) => (bar.counts[type] ?? 0) > 0)
    .map((type) => `${bar.counts[type]} ${stateNames[type][0].toLowerCase()}`);
  return `${stretchOf(bar)}: ${counts.length === 0 ? 'no runs' : `${plural(bar.total, 'run')}, ${counts.join(', ')}`}`;
}

function stretchOf({ fromAt, untilAt }: Bar): string {
  const sameDay = new Date(fromAt).toDateString() === new Date(untilAt).toDateString();
  return `${dateTimeText(fromAt, untilAt)} – ${sameDay ? clockText(untilAt) : dateTimeText(untilAt, fromAt)}`;
}
