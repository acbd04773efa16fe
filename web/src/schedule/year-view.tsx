/** A year of days by outcome, in colour and shape, with the outcome of each day on hover. */
import { useElementSize } from '@mantine/hooks';
import { useLayoutEffect, useRef } from 'react';
import { useNow } from '../now.ts';
import { LoadingBlock } from '../parts/notices.tsx';
import { type DayCell, type DayCounts, type Outcome, yearOf } from './year.ts';
import style from './year-view.module.css';

/** Bounds of a day's width, px, which follows the room for the year; if there is less, the year starts scrolled to its end. */
const cellPx = { least: 9, most: 15 };
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
  const { ref, width: room } = useElementSize();
  const box = useRef<HTMLDivElement>(null);
  const isThere = days !== undefined && room > 0;
  useLayoutEffect(() => {
    if (isThere && box.current) box.current.scrollLeft = box.current.scrollWidth;
  }, [isThere]);
  if (days === undefined) return <LoadingBlock height={128} />;
  const { weeks, months } = yearOf(days, now);
  const cell = Math.min(cellPx.most, Math.max(cellPx.least, Math.floor((room - sidePx) / weeks.length)));
  const width = sidePx + weeks.length * cell;
  const runs = weeks.flat().reduce((sum, day) => sum + day.runs, 0);
  return (
    <div ref={ref} className={style.view}>
      <div ref={box} className={style.scroll} tabIndex={0} role="region" aria-label="Year">
        <svg width={width} height={headPx + 7 * cell} role="img" aria-label={`${runs.toLocaleString('en')} runs ended in the last year`}>
          {months.map(({ week, label }) => (
            <text key={week} x={sidePx + week * cell} y={10} className={style.text}>
              {label}
            </text>
          ))}
          {weekdays.map((label, at) => (
            <text key={at} x={0} y={headPx + at * cell + 10} className={style.text}>
              {label}
            </text>
          ))}
          {weeks.map((week, at) => week.map((day) => <Cell key={day.at} day={day} x={sidePx + at * cell} cell={cell} />))}
        </svg>
      </div>
      <div className={style.legend}>
        {outcomes.map(({ outcome, label }) => (
          <span key={outcome}>
            <svg width="11" height="11" aria-hidden="true">
              <Shape outcome={outcome} x={0} y={0} size={11} />
            </svg>
            {label}
          </span>
        ))}
      </div>
    </div>
  );
}

function Cell({ day, x, cell }: { readonly day: DayCell; readonly x: number; readonly cell: number }) {
  const { at, outcome, runs, failed, cancelled } = day;
  const parts = [
    `${runs} ${runs === 1 ? 'run' : 'runs'}`,
    failed > 0 ? `${failed} failed` : '',
    cancelled > 0 ? `${cancelled} cancelled` : '',
  ];
  return (
    <g>
      <title>{`${new Date(at).toISOString().slice(0, 10)}: ${runs === 0 ? 'no run' : parts.filter((part) => part !== '').join(', ')}`}</title>
      <Shape outcome={outcome} x={x} y={headPx + day.weekday * cell} size={cell - 2} />
    </g>
  );
}

interface ShapeProps {
  readonly outcome: Outcome;
  readonly x: number;
  readonly y: number;
  readonly size: number;
}

/** Colour and, for those who cannot see it, a mark: a stroke for some failed, a cross for most. */
function Shape({ outcome, x, y, size }: ShapeProps) {
  const [near, far] = [size * 0.27, size * 0.73];
  return (
    <>
      <rect x={x} y={y} width={size} height={size} rx={2} className={style.day} data-outcome={outcome} />
      {outcome === 'mixed' || outcome === 'failed' ? (
        <path d={`M${x + near} ${y + far} ${x + far} ${y + near}`} className={style.mark} />
      ) : null}
      {outcome === 'failed' ? <path d={`M${x + near} ${y + near} ${x + far} ${y + far}`} className={style.mark} /> : null}
    </>
  );
}
