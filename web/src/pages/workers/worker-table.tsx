/** Workers in a table. */
import { useNow } from '../../now.ts';
import { plural } from '../../parts/format.ts';
import { StateBadge } from '../../parts/state-badge.tsx';
import table from '../../parts/table.module.css';
import { Duration, Time } from '../../parts/time.tsx';
import type { Worker } from '../../api/wire-types.ts';
import { Slots } from './slots.tsx';
import { isAlive } from './worker-life.ts';
import style from './workers.module.css';

/** Event loop lag from which it is shown, ms: leases and timeouts suffer. */
const lagWorthAWordMs = 200;

/** Most flows named in a worker's row. */
const namedFlows = 2;

function lossOf({ state }: Worker): string {
  return `${state === 'gone' ? 'Its process has ended' : 'It has been silent for longer than a lease'}; its runs go to others.`;
}

/** Their number, with the versions in a title; for a few, the versions themselves. */
function Flows({ flows }: Pick<Worker, 'flows'>) {
  const all = Object.entries(flows)
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, version]) => `${name} ${version}`);
  return <span title={all.join('\n')}>{all.length <= namedFlows ? all.join(', ') : plural(all.length, 'flow')}</span>;
}

/** One row per worker; a silent one stays until it is forgotten. */
export function WorkerTable({ workers }: { readonly workers: readonly Worker[] }) {
  // If the database's clock is ahead of ours, a heartbeat must not appear to be in the future.
  const now = useNow();
  return (
    <table className={table.table}>
      <thead>
        <tr>
          <th>Worker</th>
          <th>Last sign of life</th>
          <th>Queues</th>
          <th className={table.number}>Slots taken</th>
          <th className={table.number}>Lag</th>
          <th>Version</th>
          <th>Flows</th>
          <th>Process</th>
          <th>Started</th>
        </tr>
      </thead>
      <tbody>
        {workers.map((worker) => (
          <tr key={worker.id}>
            <td className={table.strong}>{worker.name}</td>
            <td data-label="Last seen">
              <span className={style.life}>
                {isAlive(worker) ? null : <StateBadge name="Crashed" message={lossOf(worker)} bare />}
                <Time at={Math.min(now, Date.parse(worker.beatAt))} />
              </span>
            </td>
            <td data-label="Queues">{worker.queues.join(', ')}</td>
            <td className={table.number} data-label="Slots">
              <Slots used={worker.running} of={worker.concurrency} />
            </td>
            <td className={table.number} data-label="Lag">
              <span
                className={worker.lagMs >= lagWorthAWordMs ? style.slow : undefined}
                title="Longest its event loop was held up since the last sign of life"
              >
                <Duration ms={worker.lagMs} />
              </span>
            </td>
            <td data-label="Version">{worker.version}</td>
            <td data-label="Flows">
              <Flows flows={worker.flows} />
            </td>
            <td className={table.soft} data-label="Process">
              {worker.host}:{worker.pid}
            </td>
            <td data-label="Started">
              <Time at={worker.startedAt} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
