/** When each task waited and executed. */
import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';
import { isTerminal } from '../../../../src/model/state.ts';
import { readStoredGraph } from '../../graph/stored-graph.ts';
import { useNow } from '../../now.ts';
import { Empty, LoadingBlock } from '../../parts/notices.tsx';
import { countText } from '../../parts/format.ts';
import { type ChartRow, TimelineChart } from '../../timeline/timeline-chart.tsx';
import { changesByTask, readiness, runRow, spanOf, timelineRows } from '../../timeline/timeline-model.ts';
import { fewResources, resourceRows } from '../../timeline/resource-rows.ts';
import { resourcesQuery, transitionsQuery } from './run-data.ts';
import { labelOf } from './task-label.ts';
import type { TabProps } from './tab-props.ts';
import { useThrottled } from './use-run.ts';
import style from '../../timeline/timeline.module.css';

/** Most task runs for which all history is read; beyond that rows show only start and end. */
const mostWithHistory = 20_000;

/** The run in the first row, its resources below it, then its tasks in the order they began. */
export function TimelineTab({ detail, tasks, selected, onSelect }: TabProps) {
  const { run, flow, counts } = detail;
  const total = counts.reduce((sum, { count }) => sum + count, 0);
  const withHistory = total <= mostWithHistory;
  const all = useQuery({ ...transitionsQuery(run.id), enabled: withHistory });
  const own = useQuery({ ...transitionsQuery(run.id, 'none'), enabled: !withHistory });
  const refetch = withHistory ? all.refetch : own.refetch;
  const opened = useQuery(resourcesQuery(run.id));
  const refresh = useThrottled(() => void Promise.all([refetch(), opened.refetch()]), total > 2_000 ? 5_000 : 1_000);
  const live = !isTerminal(run.state.type);
  useEffect(() => {
    refresh();
    // oxlint-disable-next-line react/exhaustive-deps -- read again when tasks have changed, at most once a second.
  }, [tasks.rows, run.state.name, run.attempt]);

  const changes = useMemo(() => changesByTask((withHistory ? all.data : own.data) ?? []), [withHistory, all.data, own.data]);
  const rows = useMemo(() => {
    const { edges } = readStoredGraph(flow?.graph);
    return [runRow('Run', run.state.name, changes.get('') ?? []), ...timelineRows(tasks.rows, changes, readiness(edges, tasks.rows))];
  }, [flow?.graph, run.state.name, changes, tasks.rows]);
  const resources = useMemo(() => {
    if (opened.data === undefined || opened.data.length === 0) return [];
    const byId = new Map(tasks.rows.map((row) => [row.id, row]));
    const taskOf = (id: string): { readonly label: string; readonly endedAt: number | null } | null => {
      const row = byId.get(id);
      return row === undefined ? null : { label: labelOf(row), endedAt: row.endedAt };
    };
    return resourceRows(opened.data, { runEndedAt: live ? null : run.endedAt, taskOf });
  }, [opened.data, tasks.rows, live, run.endedAt]);
  const [asked, setAsked] = useState<boolean | null>(null);
  const isOpen = asked ?? resources.length <= fewResources;
  const shown = useMemo((): readonly ChartRow[] => {
    const [first, ...rest] = rows;
    if (first === undefined || resources.length === 0) return rows;
    return [first, { kind: 'resources', id: 'resources', rows: resources, isOpen }, ...(isOpen ? resources : []), ...rest];
  }, [rows, resources, isOpen]);
  const now = useNow();
  const span = useMemo(() => spanOf([...rows, ...resources], live ? now : (run.endedAt ?? now)), [rows, resources, live, now, run.endedAt]);

  if (span === null) {
    const loading = (withHistory ? all.isPending : own.isPending) || !tasks.complete;
    return loading ? (
      <LoadingBlock height={320} />
    ) : (
      <Empty title="Nothing has begun">The timeline appears once the run waits for a worker.</Empty>
    );
  }
  const rowId = selected === null ? null : (tasks.rows.find(({ id, name }) => id === selected || name === selected)?.id ?? null);
  return (
    <>
      {tasks.cut ? (
        <p className={style.note}>{`The first ${countText(tasks.rows.length)} task runs of ${countText(total)} are drawn.`}</p>
      ) : null}
      <TimelineChart
        rows={shown}
        span={span}
        now={live ? now : null}
        selected={rowId}
        onSelect={(id) => onSelect(id === rowId || id === 'run' ? null : id)}
        onToggleResources={() => setAsked(!isOpen)}
      />
    </>
  );
}
