/** A chart of a task, drawn as SVG; hovering, or the arrow keys, show the values at a place. */
import { useElementSize } from '@mantine/hooks';
import { useState } from 'react';
import type { ChartData } from '../../../src/model/chart.ts';
import { layChart, numberText, placeText } from './chart-layout.ts';
import style from './chart-view.module.css';

const heightPx = 240;
const leftPx = 56;
const rightPx = 12;
const bottomPx = 22;
const topPx = 8;

/** @param before the same chart of an earlier version, drawn behind it, dashed */
export function ChartView({
  data,
  name,
  before,
}: {
  readonly data: ChartData;
  readonly name: string;
  readonly before?: ChartData | undefined;
}) {
  const { ref, width } = useElementSize();
  const [at, setAt] = useState<number | null>(null);
  const shown = before === undefined ? data : overlaid(before, data);
  const plot = { width: width - leftPx - rightPx, height: heightPx - bottomPx - topPx };
  const drawn = layChart(shown, plot);
  const hueOf = (index: number) =>
    before !== undefined && index >= data.series.length
      ? { 'data-series': (index - data.series.length) % 12, 'data-before': true }
      : { 'data-series': index % 12 };
  const move = (step: number): void => setAt(Math.min(shown.x.length - 1, Math.max(0, (at ?? (step > 0 ? -1 : shown.x.length)) + step)));
  return (
    <div ref={ref} className={style.view}>
      {drawn === null ? (
        <div className={style.empty}>{width === 0 ? '' : 'The chart has no values.'}</div>
      ) : (
        <svg
          width={width}
          height={heightPx}
          role="img"
          tabIndex={0}
          aria-label={`Chart ${name}: ${shown.series.map((one) => one.name).join(', ')} from ${placeText(shown, 0)} to ${placeText(shown, shown.x.length - 1)}`}
          onPointerMove={(event) => setAt(nearest(drawn.xs, event.clientX - event.currentTarget.getBoundingClientRect().left - leftPx))}
          onPointerLeave={() => setAt(null)}
          onBlur={() => setAt(null)}
          onKeyDown={(event) => {
            if (event.key === 'ArrowRight') move(1);
            else if (event.key === 'ArrowLeft') move(-1);
          }}
        >
          <g transform={`translate(${leftPx} ${topPx})`}>
            {drawn.marks.map(({ y, text }) => (
              <g key={y}>
                <line x1={0} x2={plot.width} y1={y} y2={y} className={style.grid} />
                <text x={-8} y={y + 4} textAnchor="end" className={style.text}>
                  {text}
                </text>
              </g>
            ))}
            {drawn.ticks.map(({ x, text, anchor }) => (
              <text key={x} x={x} y={plot.height + 16} textAnchor={anchor} className={style.text}>
                {text}
              </text>
            ))}
            {drawn.series.map(({ name: title, line, area, bars, dots }, index) => (
              <g key={title} className={style.series} {...hueOf(index)}>
                {area === '' ? null : <path d={area} className={style.area} />}
                {line === '' ? null : <path d={line} className={style.line} />}
                {bars.map((bar) => (
                  <rect key={bar.x} {...bar} className={style.bar} />
                ))}
                {dots.map(({ x, y }) => (
                  <circle key={x} cx={x} cy={y} r={2.5} className={style.bar} />
                ))}
              </g>
            ))}
            {at === null ? null : <line x1={drawn.xs[at]} x2={drawn.xs[at]} y1={0} y2={plot.height} className={style.cursor} />}
          </g>
        </svg>
      )}
      <p className={style.legend}>
        {at === null ? data.unit === null ? null : <span>in {data.unit}</span> : <strong>{placeText(shown, at)}</strong>}
        {shown.series.map(({ name: title, values }, index) => (
          <span key={title} className={style.series} {...hueOf(index)}>
            <svg width="20" height="8" aria-hidden="true">
              <line x1="1" x2="19" y1="4" y2="4" className={style.line} />
            </svg>
            {title}
            {at === null ? '' : ` ${valueText(values[at])}`}
          </span>
        ))}
      </p>
    </div>
  );
}

function valueText(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : numberText(value);
}

function nearest(xs: readonly number[], x: number): number | null {
  let best: number | null = null;
  for (const [at, place] of xs.entries()) if (best === null || Math.abs(place - x) < Math.abs((xs[best] ?? 0) - x)) best = at;
  return best;
}

/** Both over the union of their places; the earlier series are labelled as such. */
function overlaid(before: ChartData, after: ChartData): ChartData {
  const isByWord = after.axis === 'category' || before.axis !== after.axis;
  const places = [...new Set([...before.x, ...after.x].map((place) => (isByWord ? String(place) : Number(place))))];
  if (!isByWord) places.sort((a, b) => Number(a) - Number(b));
  const over = ({ x, series }: ChartData, suffix: string): ChartData['series'] => {
    const placeOf = new Map(x.map((place, at) => [isByWord ? String(place) : Number(place), at]));
    return series.map(({ name, values }) => ({
      name: name + suffix,
      values: places.map((place) => values[placeOf.get(place) ?? -1] ?? null),
    }));
  };
  return { ...after, axis: isByWord ? 'category' : after.axis, x: places, series: [...over(after, ''), ...over(before, ' (before)')] };
}
