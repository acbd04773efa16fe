/** A year of days by outcome, in colour and shape, with what became of each day on hover. */
import { useNow } from '../now.ts';
import { LoadingBlock } from '../parts/notices.tsx';
import { type DayCell, type DayCounts, type Outcome, yearOf } from './year.ts';
import style from './year-view.module.css';

const cellPx = 13;
const headPx = 16;
const sidePx = 30;
const weekdays = ['Mon', '', 'Wed', '', 'Fri', '', ''];
const outcomes: readonly { readonly outcome: Outcome; readonly label: string }[] = [
  { outcome: 'none', label: 'no run' },
  { outcome: 'fine', label: 'all completed' },
  { outcome: 'mixed', label: 'some failed' },
  { outcome: 'failed', label: 'half or more failed' },
  { outcome: 'cancelled', label: 'cancelled' },
];

/** The heat map with its legend; days are those of UTC. */
export function YearView({ days }: { readonly days: readonly DayCounts[] | undefined }) {
  const now = useNow(3_600_000);
  if (days === undefined) return <LoadingBlock height={128} />;
  const { weeks, months } = yearOf(days, now);
  const width = sidePx + weeks.length * cellPx;
  const runs = weeks.flat().reduce((sum, day) => sum + day.runs, 0);
  return (
    <div className={style.view}>
      <div className={style.scroll} tabIndex={0} role="region" aria-label="Year">
        <svg width={width} height={headPx + 7 * cellPx} role="img" aria-label={`${runs.toLocaleString('en')} runs ended in the last year`}>
          {months.map(({ week, label }) => (
            <text key={week} x={sidePx + week * cellPx} y={10} className={style.text}>
              {label}
            </text>
          ))}
          {weekdays.map((label, at) => (
            <text key={at} x={0} y={headPx + at * cellPx + 10} className={style.text}>
              {label}
            </text>
          ))}
          {weeks.map((week, at) => week.map((day) => <Cell key={day.at} day={day} x={sidePx + at * cellPx} />))}
        </svg>
      </div>
      <div className={style.legend}>
        {outcomes.map(({ outcome, label }) => (
          <span key={outcome}>
            <svg width="11" height="11" aria-hidden="true">
              <Shape outcome={outcome} x={0} y={0} />
            </svg>
            {label}
          </span>
        ))}
      </div>
    </div>
  );
}

function Cell({ day, x }: { readonly day: DayCell; readonly x: number }) {
  const { at, outcome, runs, failed, cancelled } = day;
  const parts = [
    `${runs} ${runs === 1 ? 'run' : 'runs'}`,
    failed > 0 ? `${failed} failed` : '',
    cancelled > 0 ? `${cancelled} cancelled` : '',
  ];
  return (
    <g>
      <title>{`${new Date(at).toISOString().slice(0, 10)}: ${runs === 0 ? 'no run' : parts.filter((part) => part !== '').join(', ')}`}</title>
      <Shape outcome={outcome} x={x} y={headPx + day.weekday * cellPx} />
    </g>
  );
}

/** Colour and, for those that do not see it, a mark: a stroke for some failed, a cross for most. */
function Shape({ outcome, x, y }: { readonly outcome: Outcome; readonly x: number; readonly y: number }) {
  return (
    <>
      <rect x={x} y={y} width={11} height={11} rx={2} className={style.day} data-outcome={outcome} />
      {outcome === 'mixed' || outcome === 'failed' ? <path d={`M${x + 3} ${y + 8} ${x + 8} ${y + 3}`} className={style.mark} /> : null}
      {outcome === 'failed' ? <path d={`M${x + 3} ${y + 3} ${x + 8} ${y + 8}`} className={style.mark} /> : null}
    </>
  );
}
