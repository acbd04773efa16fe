/** Rows of segments over time: zoomed by wheel and keys, panned by dragging; only visible rows are drawn. */
import { Button } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useEffectEvent, useRef, useState } from 'react';
import { durationText } from '../parts/format.ts';
import { type Progress, progressText, progressWords } from '../parts/progress.ts';
import { StateBadge } from '../parts/state-badge.tsx';
import { wordsOf } from '../parts/state.ts';
import { toneOf } from '../parts/tone.ts';
import { OpeningBars, type ResourceGroup, ResourceGroupHead, ResourceHead, ResourceSample } from './resource-bars.tsx';
import { type ResourceRow, spokenOf as spokenResource } from './resource-rows.ts';
import type { Segment, TimelineRow } from './timeline-model.ts';
import { axisMarks, pan, type View, wholeView, zoom } from './timeline-view.ts';
import style from './timeline.module.css';

const rowPx = 26;
const barPx = 12;
/** Narrower segments would be invisible. */
const leastPx = 2;
const zoomStep = 0.7;
/** Share of the view that an arrow key moves. */
const keyStep = 0.15;

/** The run, its tasks, or the resources they opened. */
export type ChartRow = TimelineRow | ResourceGroup | ResourceRow;

interface TimelineChartProps {
  readonly rows: readonly ChartRow[];
  /** First and last instant of the rows. */
  readonly span: View;
  /** Position of the now-line; null if nothing is running. */
  readonly now: number | null;
  readonly selected: string | null;
  readonly onSelect: (id: string) => void;
  /** Shows or hides the rows of resources. */
  readonly onToggleResources: () => void;
}

/** The chart with its axis. Until the viewer zooms it always shows the whole. */
export function TimelineChart({ rows, span, now, selected, onSelect, onToggleResources }: TimelineChartProps) {
  const whole = wholeView(span);
  const [chosen, setChosen] = useState<View | null>(null);
  const view = chosen ?? whole;
  const box = useRef<HTMLDivElement>(null);
  const { ref: track, width } = useElementSize();
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    estimateSize: () => rowPx,
    getItemKey: (at) => rows[at]?.id ?? at,
    overscan: 10,
    useFlushSync: false,
  });
  const xOf = (at: number): number => ((at - view.fromAt) / (view.untilAt - view.fromAt)) * width;
  const change = (next: View): void => setChosen(next.untilAt - next.fromAt >= whole.untilAt - whole.fromAt ? null : next);
  const zoomBy = (factor: number, at = (view.fromAt + view.untilAt) / 2): void => change(zoom(view, whole, at, factor));
  const panBy = (share: number): void => change(pan(view, whole, share * (view.untilAt - view.fromAt)));

  const onWheel = useEffectEvent((event: WheelEvent): void => {
    const rect = box.current?.getBoundingClientRect();
    const left = rect ? rect.right - width : 0;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      const share = width === 0 ? 0.5 : Math.min(1, Math.max(0, (event.clientX - left) / width));
      zoomBy(event.deltaY > 0 ? 1 / 0.85 : 0.85, view.fromAt + share * (view.untilAt - view.fromAt));
    } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault();
      panBy(event.deltaX / Math.max(1, width));
    }
  });
  useEffect(() => {
    const element = box.current;
    const listener = (event: WheelEvent): void => onWheel(event);
    // React's listeners are passive, and cannot keep the browser from zooming the page.
    element?.addEventListener('wheel', listener, { passive: false });
    return () => element?.removeEventListener('wheel', listener);
  }, []);

  const drag = useRef<{ readonly x: number; readonly view: View } | null>(null);
  const marks = axisMarks(view, span.fromAt, Math.max(2, Math.floor(width / 110)));

  return (
    <div>
      <div className={style.toolbar}>
        <span className={style.legend}>
          <svg width="0" height="0" aria-hidden="true">
            <defs>
              <pattern id="batuta-waiting" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
                <rect width="1.6" height="5" fill="var(--line-strong)" />
              </pattern>
            </defs>
          </svg>
          <Sample kind="waiting" /> waiting <Sample kind="executing" /> executing <Sample kind="suspended" /> suspended
          {rows.some(({ kind }) => kind === 'resources') ? <ResourceSample /> : null}
        </span>
        <Button variant="default" size="compact-xs" aria-label="Zoom in" onClick={() => zoomBy(zoomStep)}>
          +
        </Button>
        <Button variant="default" size="compact-xs" aria-label="Zoom out" onClick={() => zoomBy(1 / zoomStep)} disabled={chosen === null}>
          −
        </Button>
        <Button variant="default" size="compact-xs" onClick={() => setChosen(null)} disabled={chosen === null}>
          Whole
        </Button>
      </div>
      <div
        ref={box}
        className={style.box}
        tabIndex={0}
        role="region"
        aria-label="Timeline; plus and minus zoom, arrows move"
        onKeyDown={(event) => {
          if (event.key === '+' || event.key === '=') zoomBy(zoomStep);
          else if (event.key === '-') zoomBy(1 / zoomStep);
          else if (event.key === '0') setChosen(null);
          else if (event.key === 'ArrowLeft') panBy(-keyStep);
          else if (event.key === 'ArrowRight') panBy(keyStep);
          else return;
          event.preventDefault();
        }}
        onPointerDown={(event) => {
          if (event.button !== 0 || (event.target as Element).closest('button') !== null || chosen === null) return;
          drag.current = { x: event.clientX, view };
        }}
        onPointerMove={(event) => {
          if (drag.current === null || event.buttons === 0) return;
          const { x, view: from } = drag.current;
          change(pan(from, whole, (-(event.clientX - x) / Math.max(1, width)) * (from.untilAt - from.fromAt)));
        }}
        onPointerUp={() => {
          drag.current = null;
        }}
        data-movable={chosen !== null || undefined}
      >
        <div className={style.axis}>
          <span className={style.label} />
          <div ref={track} className={style.track}>
            <svg width={width} height={24} className={style.drawing} aria-hidden="true">
              {marks.map(({ at, label }) => (
                <g key={at} transform={`translate(${xOf(at)} 0)`}>
                  <line y1={18} y2={24} className={style.tick} />
                  <text x={3} y={15} className={style.tickText}>
                    {label}
                  </text>
                </g>
              ))}
            </svg>
          </div>
        </div>
        <div className={style.rows} style={{ height: virtualizer.getTotalSize() }}>
          {virtualizer.getVirtualItems().map(({ index, key, start }) => {
            const row = rows[index];
            if (row === undefined) return null;
            return (
              <div
                key={key}
                className={style.row}
                data-selected={row.id === selected || undefined}
                style={{ transform: `translateY(${start}px)` }}
              >
                <RowHead row={row} onSelect={onSelect} onToggleResources={onToggleResources} />
                <svg width={width} height={rowPx} className={style.drawing} role="img" aria-label={spokenOf(row)}>
                  {marks.map(({ at }) => (
                    <line key={at} x1={xOf(at)} x2={xOf(at)} y1={0} y2={rowPx} className={style.grid} />
                  ))}
                  <RowBars row={row} xOf={xOf} width={width} now={now ?? span.untilAt} />
                  {now === null ? null : <line x1={xOf(now)} x2={xOf(now)} y1={0} y2={rowPx} className={style.now} />}
                </svg>
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

function RowHead({
  row,
  onSelect,
  onToggleResources,
}: Pick<TimelineChartProps, 'onSelect' | 'onToggleResources'> & { readonly row: ChartRow }) {
  if (row.kind === 'resources') return <ResourceGroupHead group={row} onToggle={onToggleResources} />;
  if (row.kind === 'resource') return <ResourceHead row={row} onSelect={onSelect} />;
  return (
    <button
      type="button"
      className={style.label}
      title={row.used === undefined ? row.label : `${row.label} · ${row.used}`}
      onClick={() => onSelect(row.id)}
    >
      <StateBadge name={row.state} bare />
      <span className={style.name}>{row.label.slice(0, row.label.length - row.suffix.length)}</span>
      <span className={style.suffix}>{row.suffix}</span>
    </button>
  );
}

interface Scale {
  readonly xOf: (at: number) => number;
  readonly width: number;
  /** Where the bars of running segments end. */
  readonly now: number;
}

function RowBars({ row, ...scale }: Scale & { readonly row: ChartRow }) {
  if (row.kind === 'resource') return <OpeningBars openings={row.openings} rowPx={rowPx} {...scale} />;
  if (row.kind === 'resources')
    return row.isOpen ? null : row.rows.map(({ id, openings }) => <OpeningBars key={id} openings={openings} rowPx={rowPx} {...scale} />);
  return (
    <>
      {row.segments.map((segment) => (
        <SegmentBar key={`${segment.kind} ${segment.fromAt} ${segment.attempt}`} segment={segment} {...scale} />
      ))}
      {row.progress === null || row.untilAt !== null ? null : <ProgressText progress={row.progress} x={scale.xOf(scale.now)} />}
    </>
  );
}

interface SegmentBarProps extends Scale {
  readonly segment: Segment;
}

function SegmentBar({ segment, xOf, width, now }: SegmentBarProps) {
  const { kind, fromAt, untilAt, attempt, state } = segment;
  const from = Math.max(-4, xOf(fromAt));
  const until = Math.min(width + 4, xOf(untilAt ?? now));
  if (until < 0 || from > width) return null;
  const height = kind === 'suspended' ? 4 : barPx;
  const told = `${kind} ${durationText((untilAt ?? now) - fromAt)}${attempt > 1 ? `, attempt ${attempt}` : ''}, ${wordsOf(state)}`;
  return (
    <rect
      x={from}
      y={(rowPx - height) / 2}
      width={Math.max(leastPx, until - from - (untilAt === null ? 0 : 1))}
      height={height}
      rx={2}
      className={style.segment}
      data-kind={kind}
      style={toneOf(toneState(segment))}
    >
      <title>{told}</title>
    </rect>
  );
}

/** Progress of a running task, at the end of its bar. */
function ProgressText({ progress, x }: { readonly progress: Progress; readonly x: number }) {
  return (
    <text x={x - 6} y={rowPx / 2 + 4} className={style.progress}>
      {progressText(progress)}
    </text>
  );
}

/** An attempt that ended in a retry failed; the retry is another segment. */
function toneState({ kind, state, untilAt }: Segment): string {
  return kind === 'executing' && untilAt !== null && state === 'AwaitingRetry' ? 'Failed' : state;
}

function Sample({ kind }: { readonly kind: Segment['kind'] }) {
  const height = kind === 'suspended' ? 4 : 10;
  return (
    <svg width="22" height="12" aria-hidden="true">
      <rect
        x="0.5"
        y={(12 - height) / 2}
        width="21"
        height={height}
        rx="2"
        className={style.segment}
        data-kind={kind}
        style={toneOf(kind === 'suspended' ? 'Suspended' : 'Running')}
      />
    </svg>
  );
}

function spokenOf(row: ChartRow): string {
  if (row.kind === 'resources') return `Resources: ${row.rows.length}`;
  if (row.kind === 'resource') return spokenResource(row);
  const { label, state, fromAt, untilAt, progress } = row;
  const length = fromAt === null ? 'not begun' : untilAt === null ? 'goes on' : durationText(untilAt - fromAt);
  return `${label}: ${wordsOf(state)}, ${length}${progress === null || untilAt !== null ? '' : `, ${progressWords(progress)}`}`;
}
