/** One card of a graph: name, state, duration, attempts; for many task runs a bar of their states. */
import { Handle, type NodeProps, Position } from '@xyflow/react';
import { ShareBar } from '../parts/bar.tsx';
import { countText } from '../parts/format.ts';
import { type Progress, progressText, progressWords, shareOf } from '../parts/progress.ts';
import { StateBadge } from '../parts/state-badge.tsx';
import { Duration } from '../parts/time.tsx';
import style from './graph-view.module.css';
import type { Difference } from './graph-difference.ts';
import { StateBar } from './state-bar.tsx';
import { endedOf, type StateCounts, totalOf } from './state-counts.ts';

/** Content of a card. */
export interface Card {
  readonly id: string;
  readonly label: string;
  /** Null if nothing has been recorded, or there is no run. */
  readonly state: string | null;
  readonly counts: StateCounts | null;
  /** UTC epoch ms. */
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly attempts: number;
  /** A further line: a special property, or figures. */
  readonly note: string | null;
  readonly critical: boolean;
  /** While it runs and reports progress. */
  readonly progress?: Progress | null;
  readonly difference?: Difference;
}

const width = 196;

/** Width and height in px, the same for all cards of a kind, so that they align in rows. */
export function cardSize({ counts, note }: Pick<Card, 'counts' | 'note'>): { readonly width: number; readonly height: number } {
  return { width, height: 52 + (counts === null ? 0 : 12) + (note === null ? 0 : 16) };
}

interface CardData {
  readonly card: Card;
  readonly selected: boolean;
  readonly onSelect: ((id: string | null) => void) | null;
}

/** The card as xyflow draws it. */
export function CardNode({ data }: NodeProps & { readonly data: CardData }) {
  const { card, selected, onSelect } = data;
  const inner = <CardBody card={card} />;
  const frame = {
    className: style.card,
    'data-critical': card.critical || undefined,
    'data-selected': selected || undefined,
    'data-difference': card.difference,
    'data-idle': card.state === null || undefined,
    title: card.label,
  };
  return (
    <>
      <Handle type="target" position={Position.Left} className={style.handle ?? ''} isConnectable={false} />
      {onSelect === null ? (
        <div {...frame}>{inner}</div>
      ) : (
        <button type="button" {...frame} aria-pressed={selected} onClick={() => onSelect(selected ? null : card.id)}>
          {inner}
        </button>
      )}
      <Handle type="source" position={Position.Right} className={style.handle ?? ''} isConnectable={false} />
    </>
  );
}

function CardBody({ card }: { readonly card: Card }) {
  const { label, state, counts, startedAt, endedAt, attempts, note, progress = null } = card;
  const share = progress === null ? null : shareOf(progress);
  return (
    <>
      <span className={style.head}>
        <span className={style.label}>{label}</span>
        {progress === null ? null : (
          <span className={style.far} title={progressWords(progress)}>
            {progressText(progress)}
          </span>
        )}
      </span>
      <span className={style.facts}>
        {state === null ? null : <StateBadge name={state} />}
        {startedAt === null ? null : endedAt === null ? <Duration since={startedAt} /> : <Duration ms={endedAt - startedAt} />}
        {attempts > 1 ? <span title={`${attempts} attempts`}>×{attempts}</span> : null}
      </span>
      {counts === null ? null : (
        <span className={style.many}>
          <StateBar counts={counts} />
          <span className={style.count}>
            {countText(endedOf(counts))}/{countText(totalOf(counts))}
          </span>
        </span>
      )}
      {note === null ? null : <span className={style.note}>{note}</span>}
      {share === null ? null : (
        <span className={style.progress}>
          <ShareBar parts={[{ share, tone: 'running' }]} />
        </span>
      )}
    </>
  );
}
