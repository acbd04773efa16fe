/** A flame graph: each function as a box below its caller, with width proportional to time. A click, or Enter, zooms into one. */
import { Button } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { type KeyboardEvent, useMemo, useState } from 'react';
import { type Frame, layFrames } from './profile-tree.ts';
import style from './flame-view.module.css';

const rowPx = 20;
/** A narrower box has no text. */
const leastTextPx = 32;
const charPx = 6.6;

export function FlameView({ root, name }: { readonly root: Frame; readonly name: string }) {
  const { ref, width } = useElementSize();
  const [zoomed, setZoomed] = useState<Frame | null>(null);
  const whole = zoomed ?? root;
  const boxes = useMemo(() => layFrames(whole, Math.floor(width)), [whole, width]);
  const rows = boxes.reduce((most, { depth }) => Math.max(most, depth + 1), 1);
  const onKey = (event: KeyboardEvent, frame: Frame): void => {
    if (event.key !== 'Enter' && event.key !== ' ') return;
    event.preventDefault();
    setZoomed(frame);
  };
  return (
    <div className={style.view}>
      <p className={style.bar}>
        <span>{zoomed === null ? `${msText(root.totalMs)} of work` : `${frameText(zoomed)}, ${msText(zoomed.totalMs)}`}</span>
        {zoomed === null ? null : (
          <Button variant="default" size="compact-xs" onClick={() => setZoomed(null)}>
            Whole profile
          </Button>
        )}
      </p>
      <div className={style.scroll} role="region" aria-label={`Flame graph of ${name}`} tabIndex={0}>
        <div ref={ref}>
          <svg width={Math.floor(width)} height={rows * rowPx} role="group" aria-label={`Functions of ${name}`}>
            {boxes.map(({ x, width: its, depth, frame }) => (
              <g
                key={`${depth} ${x}`}
                role="button"
                tabIndex={0}
                aria-label={titleOf(frame)}
                className={style.box}
                data-series={hueOf(frame.url)}
                transform={`translate(${x} ${depth * rowPx})`}
                onClick={() => setZoomed(frame === root ? null : frame)}
                onKeyDown={(event) => onKey(event, frame)}
              >
                <title>{titleOf(frame)}</title>
                <rect width={Math.max(0.5, its - 1)} height={rowPx - 1} rx={2} />
                {its < leastTextPx ? null : (
                  <text x={4} y={14} aria-hidden="true">
                    {cut(frame.name, Math.floor((its - 8) / charPx))}
                  </text>
                )}
              </g>
            ))}
          </svg>
        </div>
      </div>
    </div>
  );
}

/** `340 ms`, `4.2 ms`, `1.25 s`: finer than durations elsewhere, as a sample is a fraction of a millisecond. */
export function msText(ms: number): string {
  if (ms >= 1_000) return `${(ms / 1_000).toFixed(2)} s`;
  return `${ms >= 100 ? Math.round(ms) : ms.toFixed(1)} ms`;
}

function frameText({ name, place }: Frame): string {
  return place === '' ? name : `${name} · ${place}`;
}

function titleOf(frame: Frame): string {
  return `${frameText(frame)} · ${msText(frame.totalMs)} in all · ${msText(frame.selfMs)} in its own code`;
}

function cut(text: string, chars: number): string {
  return text.length <= chars ? text : `${text.slice(0, Math.max(0, chars - 1))}…`;
}

/** A colour per file; Node's own code has the last, grey. */
function hueOf(url: string): number {
  if (url === '' || url.startsWith('node:')) return 6;
  let hash = 0;
  for (let at = 0; at < url.length; at++) hash = (hash * 31 + url.charCodeAt(at)) % 65_521;
  return (hash % 5) + 1;
}
