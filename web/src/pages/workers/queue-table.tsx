/** Queues in a table. */
import { Link } from '@tanstack/react-router';
import type { Queue } from '../../api/wire-types.ts';
import { countText } from '../../parts/format.ts';
import { StateBadge } from '../../parts/state-badge.tsx';
import table from '../../parts/table.module.css';
import { Duration } from '../../parts/time.tsx';
import style from './workers.module.css';

/** One row per queue; a queue with waiting runs and no worker is marked. */
export function QueueTable({ queues }: { readonly queues: readonly Queue[] }) {
  return (
    <table className={table.table}>
      <thead>
        <tr>
          <th>Queue</th>
          <th className={table.number}>Waiting</th>
          <th className={table.number}>Longest</th>
          <th className={table.number}>Later</th>
          <th className={table.number}>Running</th>
          <th className={table.number}>In, last minute</th>
          <th className={table.number}>Out, last minute</th>
          <th className={table.number}>Workers</th>
        </tr>
      </thead>
      <tbody>
        {queues.map((queue) => (
          <tr key={queue.name}>
            <td className={table.strong}>
              <Link to="/runs" search={{ queue: queue.name, last: 'all' }}>
                {queue.name}
              </Link>
            </td>
            <td className={table.number} data-label="Waiting">
              <Link to="/runs" search={{ queue: queue.name, state: ['SCHEDULED', 'PENDING'], last: 'all' }}>
                {countText(queue.waiting)}
              </Link>
            </td>
            <td className={table.number} data-label="Longest">
              <Duration since={queue.oldestAt} />
            </td>
            <td className={table.number} data-label="Later">
              {countText(queue.delayed)}
            </td>
            <td className={table.number} data-label="Running">
              <Link to="/runs" search={{ queue: queue.name, state: ['RUNNING'], last: 'all' }}>
                {countText(queue.running)}
              </Link>
            </td>
            <td className={table.number} data-label="In, last minute">
              {countText(queue.inLastMinute)}
            </td>
            <td className={table.number} data-label="Out, last minute">
              {countText(queue.outLastMinute)}
            </td>
            <td className={table.number} data-label="Workers">
              <span className={style.life}>
                {queue.workers === 0 && queue.waiting > 0 ? (
                  <StateBadge name="Late" message="Runs wait and no worker serves this queue." bare />
                ) : null}
                {queue.workers}
              </span>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
