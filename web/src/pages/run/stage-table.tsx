/** Throughput of each stream task of a run. */
import { type StageStats, stageStatsOf } from '../../../../src/model/stage-stats.ts';
import { countText, durationText, percentText } from '../../parts/format.ts';
import { Panel } from '../../parts/page.tsx';
import { StateBadge } from '../../parts/state-badge.tsx';
import table from '../../parts/table.module.css';
import type { TabProps } from './tab-props.ts';

/** Columns of counts, in order, with their headings. */
const counts = {
  in: 'In',
  out: 'Out',
  rejected: 'Rejected',
  parseErrors: 'Parse errors',
  skipped: 'Skipped',
  perSecond: 'Per second',
} as const;
type Count = keyof typeof counts;
/** Shown only if not zero. */
const rare: ReadonlySet<string> = new Set<Count>(['parseErrors', 'skipped']);

/** Counts of the last attempts; nothing if no task streams or rejects. */
export function StageTable({ rows }: { readonly rows: TabProps['tasks']['rows'] }) {
  const stages = rows.flatMap((row) => stageStatsOf([row]).map((stats) => ({ row, stats })));
  if (stages.length === 0) return null;
  const shown = Object.entries(counts).filter(
    ([count]) => !rare.has(count) || stages.some(({ stats }) => (stats[count as Count] ?? 0) > 0),
  );
  return (
    <Panel title="Records by task">
      <div className={table.scroll} tabIndex={0} role="region" aria-label="Records by task">
        <table className={table.table}>
          <thead>
            <tr>
              <th>Task</th>
              <th>State</th>
              {[...shown.map(([, head]) => head), 'Duration'].map((head) => (
                <th key={head} className={table.number}>
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {stages.map(({ row, stats }) => (
              <tr key={row.id}>
                <td className={table.strong}>{stats.task}</td>
                <td>
                  <StateBadge name={row.state.name} />
                </td>
                {shown.map(([count, head]) => (
                  <td key={count} data-label={head.toLowerCase()} className={table.number}>
                    {cellText(stats, count as Count)}
                  </td>
                ))}
                <td data-label="duration" className={table.number}>
                  {stats.tookMs === null ? '–' : durationText(stats.tookMs)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}

/** The count; for rejected records also their share of the records taken (for a source: read). */
function cellText(stats: StageStats, count: Count): string {
  const value = stats[count];
  if (value === null) return '–';
  const total = stats.in ?? (stats.out ?? 0) + stats.rejected;
  if (count !== 'rejected' || value === 0 || total === 0) return countText(value);
  return `${countText(value)} (${percentText(Math.min(1, value / total))})`;
}
