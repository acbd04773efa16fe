/** Figures of a flow's tasks per process that executed them: one that fails or is slow on only one machine stands out. */
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Fragment, useState } from 'react';
import type { TaskWorkerView } from '../../../../src/client/fleet-client.ts';
import { taskWorkersQuery } from '../../api/flow-queries.ts';
import { ShareBar } from '../../parts/bar.tsx';
import { countText, durationText, percentText, plural } from '../../parts/format.ts';
import { Failed } from '../../parts/notices.tsx';
import { Panel } from '../../parts/page.tsx';
import table from '../../parts/table.module.css';
import { WorkerName } from '../run/worker-name.tsx';
import style from './flow-page.module.css';

/** Rows shown at first. */
const shownAtFirst = 40;

/** The panel; nothing if no task ended in that time. */
export function TaskWorkers({ flow, days }: { readonly flow: string; readonly days: number }) {
  const { data, error, refetch } = useQuery(taskWorkersQuery(flow, days));
  const [all, setAll] = useState(false);
  if (data === undefined)
    return error === null ? null : <Failed what="The figures by process" error={error} retry={() => void refetch()} />;
  if (data.length === 0) return null;
  const processes = new Set(data.map(({ worker }) => worker)).size;
  const shown = all ? data : data.slice(0, shownAtFirst);
  return (
    <Panel title="Tasks by process" aside={plural(processes, 'process', 'processes')}>
      <table className={table.table}>
        <thead>
          <tr>
            <th>Task</th>
            <th>Process</th>
            <th>Mean, compared</th>
            <th className={table.number}>Mean</th>
            <th className={table.number}>Ran</th>
            <th className={table.number}>Failed</th>
          </tr>
        </thead>
        <tbody>
          {byTask(shown).map(([task, rows]) => (
            <Fragment key={task}>
              {rows.map((row, at) => (
                <ProcessRow key={row.worker ?? ''} row={row} isFirst={at === 0} slowest={Math.max(...rows.map(({ meanMs }) => meanMs))} />
              ))}
            </Fragment>
          ))}
        </tbody>
      </table>
      {shown.length === data.length ? null : (
        <div>
          <Button variant="default" onClick={() => setAll(true)}>
            Show {countText(data.length - shown.length)} more
          </Button>
        </div>
      )}
    </Panel>
  );
}

interface ProcessRowProps {
  readonly row: TaskWorkerView;
  /** Whether it is the first row of its task; only that one shows the name. */
  readonly isFirst: boolean;
  /** Longest mean of its task, ms. */
  readonly slowest: number;
}

function ProcessRow({ row: { task, worker, host, pid, runs, failures, meanMs }, isFirst, slowest }: ProcessRowProps) {
  return (
    <tr>
      <td className={table.strong}>{isFirst ? task : ''}</td>
      <td data-label="process">
        {worker === null ? '–' : <WorkerName id={worker} />}
        {host === null ? null : <span className={style.soft}>{` ${host}${pid === null ? '' : `, process ${pid}`}`}</span>}
      </td>
      <td>
        <ShareBar width={120} parts={[{ share: meanMs / Math.max(1, slowest), tone: 'plain' }]} />
      </td>
      <td className={table.number} data-label="mean">
        {durationText(meanMs)}
      </td>
      <td className={table.number} data-label="ran">
        {countText(runs)}
      </td>
      <td className={`${table.number} ${failures > 0 ? style.bad : ''}`} data-label="failed">
        {failures === 0 ? '–' : `${countText(failures)} (${percentText(failures / runs)})`}
      </td>
    </tr>
  );
}

function byTask(rows: readonly TaskWorkerView[]): [string, readonly TaskWorkerView[]][] {
  const tasks = new Map<string, TaskWorkerView[]>();
  for (const row of rows) {
    const known = tasks.get(row.task);
    if (known) known.push(row);
    else tasks.set(row.task, [row]);
  }
  return [...tasks];
}
