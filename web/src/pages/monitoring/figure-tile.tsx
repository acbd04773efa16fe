/** One figure: its current value, and a line of past ones. */
import style from './monitoring.module.css';
import { linePath, type Point } from './series.ts';

interface FigureTileProps {
  readonly title: string;
  readonly value: string;
  /** Smaller text next to the value. */
  readonly more?: string;
  readonly points: readonly Point[];
  /** Whether it needs attention. */
  readonly isOdd?: boolean;
}

const width = 240;
const height = 36;

/** A tile; its line is scaled from zero to the maximum. */
export function FigureTile({ title, value, more, points, isOdd = false }: FigureTileProps) {
  const path = linePath(points, width, height - 2);
  return (
    <div className={style.tile} data-odd={isOdd || undefined}>
      <h3>{title}</h3>
      <p>
        <strong>{value}</strong>
        {more === undefined ? null : <span>{more}</span>}
      </p>
      <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
        <g transform="translate(0 1)">
          {path === '' ? null : <path className={style.area} d={`${path} L${width},${height} L${startOf(path)},${height} Z`} />}
          <path className={style.line} d={path} vectorEffect="non-scaling-stroke" />
        </g>
      </svg>
    </div>
  );
}

/** Where the line begins, from the left. */
function startOf(path: string): string {
  return /^M([\d.]+)/.exec(path)?.[1] ?? '0';
}
