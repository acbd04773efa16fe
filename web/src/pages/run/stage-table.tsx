/** What has gone through each task of the streams of a run. */
import { countText, durationText, percentText } from '../../parts/format.ts';
import { Panel } from '../../parts/page.tsx';
import { StateBadge } from '../../parts/state-badge.tsx';
import table from '../../parts/table.module.css';
import type { TabProps } from './tab-props.ts';

/** Of their last attempts; nothing where no task streams or rejects. */
export function StageTable({ rows }: { readonly rows: TabProps['tasks']['rows'] }) {
  const stages = rows.filter(({ metrics }) => metrics?.['perSecond'] !== undefined || metrics?.['rejected'] !== undefined);
  if (stages.length === 0) return null;
  return (
    <Panel title="Records by task">
      <table className={table.table}>
        <thead>
          <tr>
            <th>Task</th>
            <th>State</th>
            {['In', 'Out', 'Rejected', 'A second', 'Took'].map((head) => (
              <th key={head} className={table.number}>
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {stages.map(({ id, name, state, metrics, startedAt, endedAt }) => (
            <tr key={id}>
              <td className={table.strong}>{name}</td>
              <td>
                <StateBadge name={state.name} />
              </td>
              {(['in', 'out', 'rejected', 'perSecond'] as const).map((metric) => (
                <td key={metric} data-label={labels[metric]} className={table.number}>
                  {metric === 'rejected' ? rejectedText(metrics) : metrics?.[metric] === undefined ? '–' : countText(metrics[metric])}
                </td>
              ))}
              <td data-label="took" className={table.number}>
                {startedAt === null || endedAt === null ? '–' : durationText(endedAt - startedAt)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  );
}

/** How many, and their share of what the task has taken; of a source, of what it has read. */
function rejectedText(metrics: Readonly<Record<string, number>> | null): string {
  const { rejected = 0, in: taken, out = 0 } = metrics ?? {};
  const total = taken ?? out + rejected;
  return rejected === 0 ? '0' : total > 0 ? `${countText(rejected)} (${percentText(Math.min(1, rejected / total))})` : countText(rejected);
}

const labels = {
  in: 'in',
  out: 'out',
  rejected: 'rejected',
  parseErrors: 'parse errors',
  skipped: 'skipped',
  perSecond: 'a second',
} as const;
