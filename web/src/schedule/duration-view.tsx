/** Durations of runs over time: p50 and p95 per day. */
import { useElementSize } from '@mantine/hooks';
import { useState } from 'react';
import { durationText } from '../parts/format.ts';
import { Empty, LoadingBlock } from '../parts/notices.tsx';
import { type DurationDay, durationLines } from './duration-lines.ts';
import style from './duration-view.module.css';

const heightPx = 140;
const leftPx = 56;
const bottomPx = 18;

/** Lines of p50 and p95; hovering a day shows its values. */
export function DurationView({ days }: { readonly days: readonly DurationDay[] | undefined }) {
  const { ref, width } = useElementSize();
  const [at, setAt] = useState<number | null>(null);
  if (days === undefined) return <LoadingBlock height={heightPx} />;
  const drawn = durationLines(days, { width: Math.max(0, width - leftPx - 8), height: heightPx - bottomPx - 8 });
  if (drawn === null) return <Empty title="No run has ended yet">Their durations appear here, day by day.</Empty>;
  const pointed = at === null ? null : (drawn.points[at] ?? null);
  return (
    <div ref={ref} className={style.view}>
      {width === 0 ? (
        <LoadingBlock height={heightPx} />
      ) : (
        <svg
          width={width}
          height={heightPx}
          role="img"
          aria-label={`Durations from ${drawn.from} to ${drawn.until}`}
          onPointerMove={(event) => {
            const x = event.clientX - event.currentTarget.getBoundingClientRect().left - leftPx;
            setAt(nearest(drawn.points, x));
          }}
          onPointerLeave={() => setAt(null)}
        >
          <g transform={`translate(${leftPx} 8)`}>
            {drawn.marks.map(({ y, ms }) => (
              <g key={ms}>
                <line x1={0} x2={width - leftPx - 8} y1={y} y2={y} className={style.grid} />
                <text x={-8} y={y + 4} textAnchor="end" className={style.text}>
                  {durationText(ms)}
                </text>
              </g>
            ))}
            <text x={0} y={heightPx - 12} className={style.text}>
              {drawn.from}
            </text>
            <text x={width - leftPx - 8} y={heightPx - 12} textAnchor="end" className={style.text}>
              {drawn.until === drawn.from ? '' : drawn.until}
            </text>
            <path d={drawn.p95} className={style.line} data-line="p95" />
            <path d={drawn.p50} className={style.line} data-line="p50" />
            {drawn.points.length < 60 || pointed !== null
              ? (pointed === null ? drawn.points : [pointed]).map(({ x, p50Y, p95Y }) => (
                  <g key={x}>
                    <circle cx={x} cy={p95Y} r={2.5} className={style.point} data-line="p95" />
                    <circle cx={x} cy={p50Y} r={2.5} className={style.point} data-line="p50" />
                  </g>
                ))
              : null}
          </g>
        </svg>
      )}
      <p className={style.legend} aria-live="off">
        {pointed === null ? (
          <>
            <Sample line="p50" /> p50, half took no longer <Sample line="p95" /> p95
          </>
        ) : (
          <>
            {pointed.date}: <Sample line="p50" /> p50 {durationText(pointed.p50Ms)} <Sample line="p95" /> p95 {durationText(pointed.p95Ms)}
          </>
        )}
      </p>
    </div>
  );
}

function Sample({ line }: { readonly line: 'p50' | 'p95' }) {
  return (
    <svg width="20" height="8" aria-hidden="true">
      <line x1="1" x2="19" y1="4" y2="4" className={style.line} data-line={line} />
    </svg>
  );
}

function nearest(points: readonly { readonly x: number }[], x: number): number | null {
  let best: number | null = null;
  for (const [at, point] of points.entries()) if (best === null || Math.abs(point.x - x) < Math.abs((points[best]?.x ?? 0) - x)) best = at;
  return best;
}
