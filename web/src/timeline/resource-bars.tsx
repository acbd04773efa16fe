/** Timeline rows for the resources of the run: their heads, and the bars of each opening. */
import { Icon } from '../parts/icon.tsx';
import { StateBadge } from '../parts/state-badge.tsx';
import { type Opening, type ResourceRow, visibleOpenings } from './resource-rows.ts';
import style from './timeline.module.css';

const barPx = 8;
/** Narrower bars would be invisible. */
const leastPx = 2;

/** How the resources are shown: all rows, or a summary in one. */
export interface ResourceGroup {
  readonly kind: 'resources';
  readonly id: string;
  readonly rows: readonly ResourceRow[];
  readonly isOpen: boolean;
}

interface Scale {
  readonly xOf: (at: number) => number;
  readonly width: number;
  readonly rowPx: number;
  /** Where the bars of open resources end. */
  readonly now: number;
}

/** The head of the resources, which expands and collapses their rows. */
export function ResourceGroupHead({ group, onToggle }: { readonly group: ResourceGroup; readonly onToggle: () => void }) {
  const failed = group.rows.reduce((sum, row) => sum + row.failed, 0);
  return (
    <button type="button" className={style.label} aria-expanded={group.isOpen} onClick={onToggle}>
      <span className={style.turn} data-open={group.isOpen || undefined}>
        <Icon name="chevron" size={12} />
      </span>
      <span className={style.name}>{`Resources · ${group.rows.length}`}</span>
      {failed > 0 ? <StateBadge name="Failed" message={failed === 1 ? 'One went wrong' : `${failed} went wrong`} bare /> : null}
    </button>
  );
}

interface HeadProps {
  readonly row: ResourceRow;
  readonly onSelect: (id: string) => void;
}

/** Name, key and scope; a button if a single task opened it. */
export function ResourceHead({ row, onSelect }: HeadProps) {
  const { name, key, scope, taskRunId, failed, openings } = row;
  const title = `${name}${key === null ? '' : ` (${key})`}, open for ${scope === 'run' ? 'the run' : 'a task'}`;
  const content = (
    <>
      {failed > 0 ? (
        <StateBadge name="Failed" message={failed === openings.length ? null : `${failed} of ${openings.length}`} bare />
      ) : (
        <span className={style.indent} />
      )}
      <span className={style.name}>
        {name}
        {key === null ? null : <span className={style.faint}>{` ${key}`}</span>}
      </span>
      <span className={style.scope}>{openings.length === 1 ? scope : `${scope} ×${openings.length}`}</span>
    </>
  );
  if (taskRunId === null)
    return (
      <span className={style.label} title={title}>
        {content}
      </span>
    );
  return (
    <button type="button" className={style.label} title={title} onClick={() => onSelect(taskRunId)}>
      {content}
    </button>
  );
}

/** The bars of openings, in one row. */
export function OpeningBars({ openings, ...scale }: Scale & { readonly openings: readonly Opening[] }) {
  return visibleOpenings(openings, scale.xOf, scale.now).map((opening) => <OpeningBar key={opening.id} opening={opening} {...scale} />);
}

function OpeningBar({ opening, xOf, width, rowPx, now }: Scale & { readonly opening: Opening }) {
  const { fromAt, openedAt, closingAt, untilAt, outcome, told } = opening;
  const clip = (at: number): number => Math.min(width + 4, Math.max(-4, xOf(at)));
  const [from, until] = [clip(fromAt), Math.max(clip(untilAt ?? now), clip(fromAt) + leastPx)];
  if (until <= -4 || from > width) return null;
  const opened = openedAt === null ? until : clip(openedAt);
  const closing = closingAt === null ? until : clip(closingAt);
  const y = (rowPx - barPx) / 2;
  const hasFailed = outcome === 'opening failed';
  return (
    <g>
      <title>{told}</title>
      <rect {...{ x: from, y, height: barPx, rx: 2 }} width={until - from} className={style.opening} data-failed={hasFailed || undefined} />
      {openedAt === null ? null : (
        <rect
          {...{ x: opened, y, height: barPx, rx: 2 }}
          width={Math.max(leastPx, closing - opened)}
          className={style.open}
          data-lost={outcome === 'lost' || undefined}
        />
      )}
      {outcome === 'fine' ? null : (
        <path className={style.fault} d={`m${until + 3} ${rowPx / 2 - 3} 6 6m0-6-6 6`} data-lost={outcome === 'lost' || undefined} />
      )}
    </g>
  );
}

/** Sample bars for the legend. */
export function ResourceSample() {
  return (
    <>
      <svg width="30" height="12" aria-hidden="true">
        <rect x="0.5" y="2" width="29" height={barPx} rx="2" className={style.opening} />
        <rect x="10" y="2" width="19.5" height={barPx} rx="2" className={style.open} />
      </svg>
      resource opening, open
    </>
  );
}
