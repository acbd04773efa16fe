/** Programs that report from elsewhere, in a table. */
import type { Reporter } from '../../api/wire-types.ts';
import { useNow } from '../../now.ts';
import { countText } from '../../parts/format.ts';
import { StateBadge } from '../../parts/state-badge.tsx';
import table from '../../parts/table.module.css';
import { Time } from '../../parts/time.tsx';
import style from './workers.module.css';

/** One row per reporter; ended or replaced ones are marked. */
export function ReporterTable({ reporters }: { readonly reporters: readonly Reporter[] }) {
  const now = useNow();
  return (
    <table className={table.table}>
      <thead>
        <tr>
          <th>Program</th>
          <th>Last heard</th>
          <th>Version</th>
          <th className={table.number}>Open runs</th>
          <th className={table.number}>Waits there</th>
          <th className={table.number}>Left out</th>
          <th>Process</th>
          <th>Since</th>
        </tr>
      </thead>
      <tbody>
        {reporters.map((reporter) => (
          <tr key={reporter.id}>
            <td className={table.strong}>{reporter.name}</td>
            <td data-label="Last heard">
              <span className={style.life}>
                {reporter.state === 'silent' ? (
                  <StateBadge name="Late" message="Not heard of for 30 s. Its runs stand as they were reported last." bare />
                ) : null}
                <Time at={Math.min(now, Date.parse(reporter.beatAt))} />
                {reporter.state === 'stopped' || reporter.state === 'replaced' ? (
                  <span className={table.soft}>{reporter.state}</span>
                ) : null}
              </span>
            </td>
            <td data-label="Version">{reporter.version}</td>
            <td className={table.number} data-label="Open runs">
              {countText(reporter.openRuns)}
            </td>
            <td className={table.number} data-label="Waits there">
              <span title={`${reporter.waitingBytes.toLocaleString('en')} bytes`}>{countText(reporter.waitingItems)}</span>
            </td>
            <td className={table.number} data-label="Left out">
              <span title="Log lines and artifacts, because too much waited">{countText(reporter.dropped)}</span>
            </td>
            <td className={table.soft} data-label="Process">
              {reporter.host}:{reporter.pid}
            </td>
            <td data-label="Since">
              <Time at={reporter.registeredAt} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
