/** One run: its state, the reason, and actions; its graph, timeline, logs, tasks, values, artifacts and history. */
import { Tabs } from '@mantine/core';
import { lazy, Suspense, useEffect, useRef } from 'react';
import { shortId } from '../../../../src/model/ids.ts';
import { isTerminal } from '../../../../src/model/state.ts';
import { useSeesPayloads } from '../../api/session.ts';
import { Hidden } from '../../parts/hidden.tsx';
import { Failed, LoadingBlock } from '../../parts/notices.tsx';
import { Page } from '../../parts/page.tsx';
import { ArtifactsTab } from './artifacts-tab.tsx';
import { HistoryTab } from './history-tab.tsx';
import { LogsTab } from './logs-tab.tsx';
import { EmissionsTab } from './emissions-tab.tsx';
import { RejectsTab } from './rejects-tab.tsx';
import { mostTaskRuns } from './task-run-list.ts';
import { RunActions } from './run-actions.tsx';
import type { RunDetail } from './run-data.ts';
import { RunDecisions } from './run-decisions.tsx';
import { RunHeading, RunLine } from './run-heading.tsx';
import style from './run-page.module.css';
import { payloadTabs, type RunTab, runTabs, tabNames } from './run-search.ts';
import type { TabProps } from './tab-props.ts';
import { totalUsage } from '../../../../src/model/task-usage.ts';
import { TaskPanel } from './task-panel.tsx';
import { TasksTab } from './tasks-tab.tsx';
import { TimelineTab } from './timeline-tab.tsx';
import { useRun, useTaskGroups, useTaskRuns } from './use-run.ts';
import { useRunSearch } from './use-run-search.ts';
import { ValuesTab } from './values-tab.tsx';
import { WhyBanner } from './why-banner.tsx';

const GraphTab = lazy(() => import('./graph-tab.tsx').then((chunk) => ({ default: chunk.GraphTab })));

/** The page at `/runs/:id`. */
export function RunPage() {
  const { id } = useRunSearch();
  return <RunOf key={id} id={id} />;
}

function RunOf({ id }: { readonly id: string }) {
  const { data, error, refetch } = useRun(id);
  if (data === undefined) {
    return (
      <Page title="Run">
        {error === null ? <LoadingBlock height={360} /> : <Failed what={`Run ${shortId(id)}`} error={error} retry={() => void refetch()} />}
      </Page>
    );
  }
  return <LoadedRun detail={data} />;
}

function LoadedRun({ detail }: { readonly detail: RunDetail }) {
  const { run } = detail;
  const { search, set } = useRunSearch();
  const seesPayloads = useSeesPayloads();
  const shownTabs = runTabs.filter((tab) => seesPayloads || tab === search.tab || !payloadTabs.has(tab));
  const ended = isTerminal(run.state.type);
  const wanted = listingTabs.has(search.tab) || !isDrawnByTask(detail);
  const version = `${run.attempt} ${run.state.type === 'RUNNING' ? '' : run.state.name}`;
  const tasks = useTaskRuns(run.id, { version, ended, wanted });
  const byTask = useTaskGroups(run.id, { ended, wanted: !wanted && search.tab === 'graph' });
  const groups = wanted ? null : byTask;
  const selectTask = (task: string | null): void => set({ task: task ?? undefined });
  const strip = useRef<HTMLDivElement>(null);
  // On a phone the strip is wider than the screen: the open tab stays visible.
  useEffect(() => {
    strip.current?.querySelector(`[role="tab"][aria-selected="true"]`)?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [search.tab]);
  const withPanel = search.task !== undefined && (search.tab === 'graph' || search.tab === 'timeline' || search.tab === 'tasks');
  return (
    <Page title={`${run.flow} · ${run.name}`} heading={<RunHeading detail={detail} />} actions={<RunActions detail={detail} />}>
      <RunLine detail={detail} usage={totalUsage(wanted ? tasks.rows : (byTask.data?.items ?? []))} />
      <WhyBanner detail={detail} />
      <RunDecisions detail={detail} />
      <Tabs value={search.tab} onChange={(tab) => set({ tab: tab === 'graph' ? undefined : (tab ?? undefined) })} className={style.tabs}>
        <div className={style.tabScroll} ref={strip}>
          <Tabs.List>
            {shownTabs.map((tab) => (
              <Tabs.Tab key={tab} value={tab}>
                {tabNames[tab]}
              </Tabs.Tab>
            ))}
          </Tabs.List>
        </div>
        <Tabs.Panel value={search.tab} className={style.panel}>
          <div className={withPanel ? style.split : undefined}>
            <div className={style.body}>
              <Suspense fallback={<LoadingBlock height={420} />}>
                <TabBody
                  tab={search.tab}
                  detail={detail}
                  tasks={tasks}
                  groups={groups}
                  selected={search.task ?? null}
                  onSelect={selectTask}
                />
              </Suspense>
            </div>
            {withPanel ? (
              <TaskPanel detail={detail} rows={groups === null ? tasks.rows : null} selected={search.task ?? ''} onSelect={selectTask} />
            ) : null}
          </div>
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}

/** Tabs that list task runs individually, or need the name of each. */
const listingTabs: ReadonlySet<RunTab> = new Set(['timeline', 'logs', 'tasks', 'artifacts', 'streams', 'rejects']);
/** A static graph with more task runs is drawn without reading each: its cards are its tasks. */
const mostRead = 200;

/** Whether the graph of the run is drawn from its tasks instead of its task runs. */
function isDrawnByTask({ counts, flow }: RunDetail): boolean {
  const total = counts.reduce((sum, { count }) => sum + count, 0);
  return total > (flow?.kind === 'graph' ? mostRead : mostTaskRuns);
}

function TabBody({ tab, ...props }: TabProps & { readonly tab: RunTab }) {
  const seesPayloads = useSeesPayloads();
  if (!seesPayloads && payloadTabs.has(tab)) return <Hidden />;
  switch (tab) {
    case 'graph':
      return <GraphTab {...props} />;
    case 'timeline':
      return <TimelineTab {...props} />;
    case 'logs':
      return <LogsTab {...props} />;
    case 'tasks':
      return <TasksTab {...props} />;
    case 'values':
      return <ValuesTab {...props} />;
    case 'artifacts':
      return <ArtifactsTab {...props} />;
    case 'streams':
      return <EmissionsTab {...props} />;
    case 'rejects':
      return <RejectsTab {...props} />;
    case 'history':
      return <HistoryTab {...props} />;
  }
}
