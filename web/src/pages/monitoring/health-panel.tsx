/** Health of the fleet: each check with its finding, and when the overall status last changed. */
import type { HealthStatus, HealthView } from '../../api/wire-types.ts';
import { durationText } from '../../parts/format.ts';
import { Panel } from '../../parts/page.tsx';
import { StateBadge } from '../../parts/state-badge.tsx';
import table from '../../parts/table.module.css';
import { Time } from '../../parts/time.tsx';
import style from './monitoring.module.css';

/** States whose shape and colour represent these. */
const looks: Readonly<Record<HealthStatus, string>> = { healthy: 'Completed', degraded: 'Late', unhealthy: 'Failed' };
const words: Readonly<Record<HealthStatus, string>> = { healthy: 'Healthy', degraded: 'Degraded', unhealthy: 'Unhealthy' };
const shownChanges = 5;

/** The checks; unhealthy ones say what to do. */
export function HealthPanel({ health }: { readonly health: HealthView }) {
  return (
    <Panel title="Health" aside={<Status status={health.status} />}>
      <table className={table.table}>
        <thead>
          <tr>
            <th>Check</th>
            <th>Status</th>
            <th>Found</th>
            <th className={table.number}>Took</th>
            <th>Checked</th>
          </tr>
        </thead>
        <tbody>
          {health.checks.map(({ name, status, found, mend, tookMs, at }) => (
            <tr key={name}>
              <td className={table.strong}>{name}</td>
              <td>
                <Status status={status} />
              </td>
              <td className={style.found}>
                {found}
                {mend === null ? null : <em>{mend}</em>}
              </td>
              <td className={table.number} data-label="Took">
                {durationText(tookMs)}
              </td>
              <td data-label="Checked">
                <Time at={at} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {health.history.length < 2 ? null : (
        <ol className={style.history} aria-label="Changes of health">
          {health.history.slice(0, shownChanges).map(({ status, check, at }) => (
            <li key={at}>
              <Status status={status} />
              {check === null ? null : <span>{check}</span>}
              <Time at={at} />
            </li>
          ))}
        </ol>
      )}
    </Panel>
  );
}

function Status({ status }: { readonly status: HealthStatus }) {
  return (
    <span className={style.status} data-status={status}>
      <StateBadge name={looks[status]} message={words[status]} bare />
      {words[status]}
    </span>
  );
}
