/** Runs over time by state, as stacked bars. Drag to select a time range, click or press Enter on a bar to select its range. */
import { useElementSize } from '@mantine/hooks';
import { useState } from 'react';
import type { Bucket } from '../api/wire-types.ts';
import { clockText, dateTimeText } from '../parts/format.ts';
import { BarTip, sentenceOf } from './bar-tip.tsx';
import { axisTicks, type Bar, drawnStretch, layBars } from './scale.ts';
import style from './runs-histogram.module.css';

interface RunsHistogramProps {
  readonly buckets: readonly Bucket[];
  /** Requested range, epoch ms; bars may begin slightly before and end slightly after it, at round times. */
  readonly fromAt: number;
  readonly untilAt: number;
  /** Height of the bars, px. */
  readonly height: number;
  /** Whether the bars shown are for earlier filters, and the right ones are being loaded. */
  readonly stale?: boolean;
  /** A range was selected, epoch ms. */
  readonly onChoose: (fromAt: number, untilAt: number) => void;
}

/** A drag shorter than this is a click. */
const dragPx = 5;

/** The bars with their axis. */
export function RunsHistogram({ buckets, height, stale = false, onChoose, ...asked }: RunsHistogramProps) {
  const { ref, width } = useElementSize();
  const [at, setAt] = useState<number | null>(null);
  const [drag, setDrag] = useState<{ readonly from: number; readonly to: number } | null>(null);
  const { fromAt, untilAt } = drawnStretch(buckets, asked);
  const { bars, most } = layBars(buckets, height, untilAt);
  const step = bars.length === 0 ? 0 : width / bars.length;
  const pointed = at === null ? undefined : bars[at];

  const indexAt = (x: number): number => Math.min(bars.length - 1, Math.max(0, Math.floor(x / step)));
  const xOf = (event: React.PointerEvent): number => event.clientX - event.currentTarget.getBoundingClientRect().left;
  const release = (): void => {
    if (drag === null) return;
    setDrag(null);
    const isDrag = Math.abs(drag.to - drag.from) >= dragPx;
    const first = bars[indexAt(Math.min(drag.from, isDrag ? drag.to : drag.from))];
    const last = bars[indexAt(Math.max(drag.from, isDrag ? drag.to : drag.from))];
    if (first !== undefined && last !== undefined) onChoose(first.fromAt, last.untilAt);
  };
  const onKeyDown = (event: React.KeyboardEvent): void => {
    const moves: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowRight: 1, Home: -bars.length, End: bars.length };
    const move = moves[event.key];
    if (move !== undefined) {
      event.preventDefault();
      setAt(Math.min(bars.length - 1, Math.max(0, (at ?? bars.length) + move)));
    } else if ((event.key === 'Enter' || event.key === ' ') && pointed !== undefined) {
      event.preventDefault();
      onChoose(pointed.fromAt, pointed.untilAt);
    }
  };

  return (
    <div className={style.histogram} data-stale={stale || undefined}>
      <div
        ref={ref}
        className={style.plot}
        role="slider"
        tabIndex={0}
        aria-label="Runs over time. Arrow keys move between bars, Enter shows the runs of one."
        aria-valuemin={0}
        aria-valuemax={Math.max(0, bars.length - 1)}
        aria-valuenow={at ?? bars.length - 1}
        aria-valuetext={sentenceOf(pointed ?? bars.at(-1))}
        onKeyDown={onKeyDown}
        onBlur={() => setAt(null)}
        onPointerMove={(event) => {
          if (step === 0) return;
          setAt(indexAt(xOf(event)));
          if (drag !== null) setDrag({ from: drag.from, to: xOf(event) });
        }}
        onPointerLeave={() => (drag === null ? setAt(null) : undefined)}
        onPointerDown={(event) => {
          if (event.button !== 0 || step === 0) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          setDrag({ from: xOf(event), to: xOf(event) });
        }}
        onPointerUp={release}
        onPointerCancel={() => setDrag(null)}
      >
        <svg width="100%" height={height} aria-hidden="true">
          {at === null ? null : <rect className={style.pointed} x={at * step} y={0} width={step} height={height} />}
          {bars.map((bar, index) => (
            <Column key={bar.fromAt} bar={bar} x={index * step} width={step} />
          ))}
          {drag !== null && Math.abs(drag.to - drag.from) >= dragPx ? (
            <rect className={style.brush} x={Math.min(drag.from, drag.to)} y={0} width={Math.abs(drag.to - drag.from)} height={height} />
          ) : null}
        </svg>
        <span className={style.most} aria-hidden="true">
          {most}
        </span>
        {pointed === undefined || at === null ? null : <BarTip bar={pointed} x={(at + 0.5) * step} width={width} />}
      </div>
      <Axis fromAt={fromAt} untilAt={untilAt} width={width} />
    </div>
  );
}

function Column({ bar, x, width }: { readonly bar: Bar; readonly x: number; readonly width: number }) {
  const gap = width > 5 ? 1.5 : width > 3 ? 1 : 0;
  return bar.segments.map(({ tone, y, height }) => (
    <rect key={tone} className={style.segment} data-tone={tone} x={x + gap / 2} y={y} width={Math.max(1, width - gap)} height={height} />
  ));
}

/** Half of the widest axis label, px. */
const halfTextPx = 20;

function Axis({ fromAt, untilAt, width }: { readonly fromAt: number; readonly untilAt: number; readonly width: number }) {
  const placeOf = (at: number): number => (at - fromAt) / (untilAt - fromAt);
  // A label nearer to an edge would be cut off.
  const isWhole = (at: number): boolean => Math.min(placeOf(at), 1 - placeOf(at)) * width >= halfTextPx;
  const ticks = axisTicks(fromAt, untilAt, Math.max(2, Math.floor(width / 110))).filter(isWhole);
  const inDays = untilAt - fromAt > 2 * 86_400_000;
  return (
    <div className={style.axis} aria-hidden="true">
      {ticks.map((tick) => (
        <span key={tick} style={{ left: `${placeOf(tick) * 100}%` }}>
          {inDays
            ? dateTimeText(tick, 0)
                .replace(/ \d{4}/, '')
                .replace(' 00:00', '')
            : clockText(tick)}
        </span>
      ))}
    </div>
  );
}
