/** Figures over runs and tasks: how many, how many failed, how long. */
import { Link } from '@tanstack/react-router';
import type { Figures, TaskFiguresView } from '../../../../src/client/fleet-client.ts';
import { ShareBar } from '../../parts/bar.tsx';
import { bytesText, countText, durationText, percentText, plural } from '../../parts/format.ts';
import table from '../../parts/table.module.css';
import style from './flow-page.module.css';

/** One sentence; failures lead to the runs that failed. */
export function FigureLine({ figures, flow }: { readonly figures: Figures; readonly flow: string }) {
  const { runs, failures, meanMs, p50Ms, p95Ms } = figures;
  if (runs === 0) return <p className={style.sentence}>No run ended in this time.</p>;
  return (
    <p className={style.sentence}>
      {plural(runs, 'run')} ·{' '}
      {failures === 0 ? (
        'none failed'
      ) : (
        <Link className={style.bad} to="/runs" search={{ flow, state: ['FAILED', 'CRASHED'], last: 'all' }}>
          {countText(failures)} failed ({percentText(failures / runs)})
        </Link>
      )}{' '}
      · mean {durationText(meanMs)} · p50 {durationText(p50Ms)} · p95 {durationText(p95Ms)}
    </p>
  );
}

/** Tasks in the order given, with bars that compare them. */
export function TaskFigures({ tasks }: { readonly tasks: readonly TaskFiguresView[] }) {
  const isMeasured = tasks.some(({ cpuP50Ms, peakBytes }) => cpuP50Ms !== null || peakBytes !== null);
  const most = Math.max(1, ...tasks.map(({ p95Ms }) => p95Ms ?? 0));
  return (
    <table className={table.table}>
      <thead>
        <tr>
          <th>Task</th>
          <th>How slow, compared</th>
          <th className={table.number}>p50</th>
          <th className={table.number}>p95</th>
          <th className={table.number}>Mean</th>
          {isMeasured ? (
            <>
              <th className={table.number}>CPU p50</th>
              <th className={table.number}>CPU p95</th>
              <th className={table.number}>Peak memory</th>
            </>
          ) : null}
          <th className={table.number}>Task runs</th>
          <th className={table.number}>Failed</th>
        </tr>
      </thead>
      <tbody>
        {tasks.map(({ name, runs, failures, meanMs, p50Ms, p95Ms, cpuP50Ms, cpuP95Ms, peakBytes }) => (
          <tr key={name}>
            <td className={table.strong}>{name}</td>
            <td>
              <ShareBar width={160} parts={[{ share: (p50Ms ?? 0) / most, tone: 'plain' }]} />
            </td>
            <td className={table.number} data-label="p50">
              {durationText(p50Ms)}
            </td>
            <td className={table.number} data-label="p95">
              {durationText(p95Ms)}
            </td>
            <td className={table.number} data-label="mean">
              {durationText(meanMs)}
            </td>
            {isMeasured ? (
              <>
                <td className={table.number} data-label="CPU p50">
                  {durationText(cpuP50Ms)}
                </td>
                <td className={table.number} data-label="CPU p95">
                  {durationText(cpuP95Ms)}
                </td>
                <td className={table.number} data-label="peak memory">
                  {bytesText(peakBytes)}
                </td>
              </>
            ) : null}
            <td className={table.number} data-label="task runs">
              {countText(runs)}
            </td>
            <td className={`${table.number} ${failures > 0 ? style.bad : ''}`} data-label="failed">
              {runs === 0 || failures === 0 ? '–' : percentText(failures / runs)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
