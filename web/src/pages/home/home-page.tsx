/** Home: problems, running runs, upcoming ticks, workers. */
import { SegmentedControl } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { facetsQuery, overviewQuery } from '../../api/list-queries.ts';
import { useRefreshOnRuns } from '../../api/refresh.ts';
import type { HomeView } from '../../api/wire-types.ts';
import { RunsHistogram } from '../../histogram/runs-histogram.tsx';
import { Command } from '../../parts/command.tsx';
import { Empty, Failed, LoadingBlock } from '../../parts/notices.tsx';
import { Page } from '../../parts/page.tsx';
import { type Stretch, stretches } from '../runs/runs-search.ts';
import { AttentionPanel } from './attention-panel.tsx';
import { ComingUpPanel } from './coming-up-panel.tsx';
import { FleetPanel } from './fleet-panel.tsx';
import style from './home-page.module.css';
import { RunningPanel } from './running-panel.tsx';
import { SummaryLine } from './summary-line.tsx';

const choices = [
  { value: '1h', label: '1 h' },
  { value: '24h', label: '24 h' },
  { value: '7d', label: '7 d' },
  { value: '30d', label: '30 d' },
];

/** The first page. */
export function HomePage() {
  const { last = '24h' } = useSearch({ from: '/shell/' });
  const navigate = useNavigate();
  const { data, error, isPlaceholderData, refetch } = useQuery(overviewQuery(stretches[last]));
  useRefreshOnRuns([['overview']]);

  const stretch = (
    <SegmentedControl
      aria-label="Time range"
      data={choices}
      value={last}
      onChange={(value) => void navigate({ to: '/', search: value === '24h' ? {} : { last: value as Stretch }, replace: true })}
    />
  );
  return (
    <Page title="Home" actions={stretch}>
      {data === undefined ? (
        error === null ? (
          <HomeLoading />
        ) : (
          <Failed what="The overview" error={error} retry={() => void refetch()} />
        )
      ) : (
        <HomeContent home={data} stretch={last} stale={isPlaceholderData} />
      )}
    </Page>
  );
}

function HomeContent({ home, stretch, stale }: { readonly home: HomeView; readonly stretch: Stretch; readonly stale: boolean }) {
  const navigate = useNavigate();
  const { data: known } = useQuery(facetsQuery);
  const hasFlows = known === undefined || known.flows.length > 0;
  const hasWorker = home.workers.some(({ state }) => state === 'alive');
  const isNew = home.runs === 0 && home.upcoming.length === 0 && home.runningNow.length === 0;
  return (
    <>
      <SummaryLine home={home} stretch={stretch} />
      {isNew ? (
        <FirstSteps hasFlows={hasFlows} />
      ) : (
        <RunsHistogram
          buckets={home.histogram}
          fromAt={Date.parse(home.sinceAt)}
          untilAt={Date.parse(home.untilAt)}
          height={96}
          stale={stale}
          onChoose={(fromAt, untilAt) =>
            void navigate({ to: '/runs', search: { since: new Date(fromAt).toISOString(), until: new Date(untilAt).toISOString() } })
          }
        />
      )}
      <div className={style.columns}>
        <AttentionPanel items={home.attention} hasFlows={hasFlows} hasWorker={hasWorker} />
        <RunningPanel runs={home.runningNow} running={home.running} />
        <ComingUpPanel ticks={home.upcoming} />
        <FleetPanel workers={home.workers} queues={home.queues} />
      </div>
    </>
  );
}

function HomeLoading() {
  return (
    <>
      <LoadingBlock height={24} />
      <LoadingBlock height={114} />
      <div className={style.columns}>
        {['attention', 'running', 'coming', 'workers'].map((name) => (
          <LoadingBlock key={name} height={176} />
        ))}
      </div>
    </>
  );
}

/** Says what will be here and the one command that fills it: for a new project, or one that was quiet. */
export function FirstSteps({ hasFlows }: { readonly hasFlows: boolean }) {
  return hasFlows ? (
    <Empty title="No runs in this time range" command="runs submit hello">
      Here you see whether anything is wrong, what runs and what comes next. Submit a run, or choose a longer time range.
    </Empty>
  ) : (
    <Empty title="No flow is known yet" command="init">
      Make a project with a first flow, then start server, scheduler and worker with <Command>dev</Command>.
    </Empty>
  );
}
