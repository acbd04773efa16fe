/** One flow: its graph without a run, figures of it and its tasks, its deployments, and its last runs. */
import { Select } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import type { FlowFigures } from '../../../../src/client/fleet-client.ts';
import type { StoredFlow } from '../../../../src/store/store.ts';
import { deploymentsQuery } from '../../api/deployment-queries.ts';
import { daysQuery, flowQuery, type FlowView } from '../../api/flow-queries.ts';
import { send } from '../../api/http.ts';
import { usePermission } from '../../api/session.ts';
import { RunFormDialog } from '../../form/run-form-dialog.tsx';
import { Action } from '../../parts/action.tsx';
import { Empty, Failed, LoadingBlock } from '../../parts/notices.tsx';
import { Page, Panel } from '../../parts/page.tsx';
import { Tags } from '../../parts/tags.tsx';
import { Time } from '../../parts/time.tsx';
import { DurationView } from '../../schedule/duration-view.tsx';
import { YearView } from '../../schedule/year-view.tsx';
import { oneOf } from '../../search.ts';
import { DeploymentTable } from '../deployments/deployment-table.tsx';
import { FigureLine, TaskFigures } from './figures.tsx';
import style from './flow-page.module.css';
import { LastRuns } from './last-runs.tsx';
import { TaskWorkers } from './task-workers.tsx';

const stretches = { '1': 'last 24 h', '7': 'last 7 days', '30': 'last 30 days', '365': 'last year' } as const;

/** The page at `/flows/:name`. */
export function FlowPage() {
  const { name } = useParams({ from: '/shell/flows/$name' });
  const raw = useSearch({ from: '/shell/flows/$name' });
  const days = oneOf(raw, 'days', ['1', '7', '30', '365']) ?? '30';
  const { data, error, refetch } = useQuery(flowQuery(name, Number(days)));
  if (data === undefined) {
    return (
      <Page title={name}>
        {error === null ? <LoadingBlock height={360} /> : <Failed what={`Flow ${name}`} error={error} retry={() => void refetch()} />}
      </Page>
    );
  }
  return <LoadedFlow view={data} days={days} />;
}

function LoadedFlow({ view: { flow, figures }, days }: { readonly view: FlowView; readonly days: keyof typeof stretches }) {
  const navigate = useNavigate({ from: '/flows/$name' });
  const may = usePermission('operator');
  const [running, setRunning] = useState(false);
  const year = useQuery(daysQuery('flows', flow.name));
  const [file] = (flow.source ?? '').split('#');
  return (
    <Page
      title={flow.name}
      actions={
        <Action variant="filled" disabledReason={may.why} onClick={() => setRunning(true)}>
          Run
        </Action>
      }
    >
      <div className={style.intro}>
        {flow.description === null ? null : <p>{flow.description}</p>}
        <p className={style.line}>
          <span>{flow.kind === 'code' ? 'code flow' : 'static graph'}</span>
          <span>
            version <code>{flow.version}</code>
          </span>
          {file === undefined || file === '' ? null : <code>{file}</code>}
          <span>
            changed <Time at={flow.updatedAt} />
          </span>
          <Tags tags={flow.tags} />
        </p>
      </div>
      <div className={style.figures}>
        <FigureLine figures={figures} flow={flow.name} />
        <Select
          aria-label="Figures over"
          data={Object.entries(stretches).map(([value, label]) => ({ value, label }))}
          value={days}
          allowDeselect={false}
          onChange={(value) => void navigate({ search: value === '30' || value === null ? {} : { days: value }, replace: true })}
        />
      </div>
      <FlowGraph flow={flow} figures={figures} />
      {figures.tasks.length === 0 ? null : (
        <Panel title="Tasks" aside="slowest first">
          <TaskFigures tasks={figures.tasks} />
        </Panel>
      )}
      <TaskWorkers flow={flow.name} days={Number(days)} />
      <div className={style.columns}>
        <Panel title="Duration over time">
          <DurationView days={year.data} />
        </Panel>
        <Panel title="The last year">
          <YearView days={year.data} />
        </Panel>
      </div>
      <DeploymentsOf flow={flow.name} />
      <Panel title="Last runs">
        <LastRuns query={{ flow: flow.name }} />
      </Panel>
      {running ? (
        <RunFormDialog
          title={`Run ${flow.name}`}
          schema={flow.paramsSchema}
          onClose={() => setRunning(false)}
          start={(params, options) => send<{ readonly id: string }>('POST', '/runs', { flow: flow.name, params, ...options })}
        />
      ) : null}
    </Page>
  );
}

/** Deployments of a flow; nothing if there are none. */
export function DeploymentsOf({ flow }: { readonly flow: string }) {
  const { data } = useInfiniteQuery(deploymentsQuery({ flow }));
  const items = data?.pages.flatMap((page) => page.items) ?? [];
  if (items.length === 0) return null;
  return (
    <Panel title="Deployments" aside={items.length}>
      <DeploymentTable deployments={items} withFlow={false} />
    </Panel>
  );
}

const StaticGraph = lazy(() => import('../../graph/static-graph.tsx').then((chunk) => ({ default: chunk.StaticGraph })));

/** The graph; a code flow has none before it runs, so its tasks are listed. */
export function FlowGraph({ flow, figures }: { readonly flow: StoredFlow; readonly figures: FlowFigures }) {
  if (flow.kind === 'code') {
    return (
      <Empty title="A graph of its own for each run">
        This flow is written as code: which tasks run, and in what order, is decided while it runs. The graph stands on the page of each
        run.
      </Empty>
    );
  }
  return (
    <Suspense fallback={<LoadingBlock height={320} />}>
      <StaticGraph flow={flow.name} graph={flow.graph} tasks={figures.tasks} />
    </Suspense>
  );
}
