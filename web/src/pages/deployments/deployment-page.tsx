/** One deployment: what it runs and when, its results, and its actions. */
import { useQueries, useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import superjson from 'superjson';
import type { DeploymentView } from '../../../../src/client/deployments-client.ts';
import { deploymentQuery, previewQuery } from '../../api/deployment-queries.ts';
import { daysQuery } from '../../api/flow-queries.ts';
import { useSeesPayloads } from '../../api/session.ts';
import { Hidden } from '../../parts/hidden.tsx';
import { Failed, LoadingBlock } from '../../parts/notices.tsx';
import { Page, Panel } from '../../parts/page.tsx';
import { StateBadge } from '../../parts/state-badge.tsx';
import { durationText } from '../../parts/format.ts';
import { Time } from '../../parts/time.tsx';
import { Tags } from '../../parts/tags.tsx';
import { DurationView } from '../../schedule/duration-view.tsx';
import { deploymentSentence } from '../../schedule/sentence.ts';
import { YearView } from '../../schedule/year-view.tsx';
import { ValueView } from '../../values/value-view.tsx';
import { LastRuns } from '../flows/last-runs.tsx';
import { Backfills } from './backfills.tsx';
import { DeploymentActions } from './deployment-actions.tsx';
import { Schedules } from './schedules.tsx';
import { Triggers } from './triggers.tsx';
import { Versions } from './versions.tsx';
import style from './deployment-page.module.css';

/** The page at `/deployments/:name`. */
export function DeploymentPage() {
  const { name } = useParams({ from: '/shell/deployments/$name' });
  const { data, error, refetch } = useQuery(deploymentQuery(name));
  if (data === undefined) {
    return (
      <Page title={name}>
        {error === null ? <LoadingBlock height={360} /> : <Failed what={`Deployment ${name}`} error={error} retry={() => void refetch()} />}
      </Page>
    );
  }
  return <LoadedDeployment key={name} deployment={data} />;
}

function LoadedDeployment({ deployment }: { readonly deployment: DeploymentView }) {
  const { name, flow, params, pausedAt, schedules, overlap } = deployment;
  const seesPayloads = useSeesPayloads();
  const words = useQueries({
    queries: schedules.map(({ schedule }) => ({
      ...previewQuery(schedule, 1),
      refetchInterval: false as const,
      staleTime: Number.POSITIVE_INFINITY,
    })),
  });
  const days = useQuery(daysQuery('deployments', name));
  const said = words.flatMap(({ data }) => data?.words ?? []);
  return (
    <Page
      title={name}
      heading={
        <div className={style.heading}>
          <h1>{name}</h1>
          {pausedAt === null ? null : (
            <span className={style.paused}>
              <StateBadge name="Suspended" message="It is paused" bare /> Paused since <Time at={pausedAt} />
            </span>
          )}
        </div>
      }
      actions={<DeploymentActions deployment={deployment} />}
    >
      <div className={style.intro}>
        <p className={style.sentence}>
          Runs{' '}
          <Link to="/flows/$name" params={{ name: flow }}>
            {flow}
          </Link>
          . {said.length === schedules.length ? deploymentSentence(said, overlap) : null}
        </p>
        {deployment.description === null ? null : <p>{deployment.description}</p>}
        <Facts deployment={deployment} />
      </div>
      <Schedules deployment={deployment} />
      <Triggers deployment={deployment} />
      <div className={style.columns}>
        <Panel title="The last year">
          <YearView days={days.data} />
        </Panel>
        <Panel title="Duration over time">
          <DurationView days={days.data} />
        </Panel>
      </div>
      <Panel title="Last runs">
        <LastRuns query={{ deployment: name }} />
      </Panel>
      <Backfills deployment={deployment} />
      <div className={style.columns}>
        <Panel title="Parameters">
          <div className={style.padded}>{seesPayloads ? <ValueView value={readParams(params)} label="Parameters" /> : <Hidden />}</div>
        </Panel>
        <Versions name={name} current={deployment.version} />
      </div>
    </Page>
  );
}

function Facts({ deployment }: { readonly deployment: DeploymentView }) {
  const { version, queue, priority, concurrency, rateLimit, slots, fairness, catchup, retentionMs, tags, origin, updatedAt } = deployment;
  return (
    <p className={style.line}>
      <span>version {version}</span>
      <span>queue {queue}</span>
      {priority === 0 ? null : <span>priority {priority}</span>}
      {fairness === undefined ? null : <span>turns by {fairness}</span>}
      {slots === undefined || slots === 1 ? null : <span>{slots} places of a worker a run</span>}
      {rateLimit == null ? null : (
        <span>
          at most {rateLimit.limit} begin in {durationText(rateLimit.perMs)}
          {rateLimit.key === null ? '' : ` for each ${rateLimit.key}`}
        </span>
      )}
      {concurrency === null ? null : (
        <span>
          at most {concurrency.limit} at once{concurrency.key === null ? '' : ` for each ${concurrency.key}`}, others{' '}
          {{ queue: 'wait', skip: 'are skipped', 'cancel-running': 'cancel the oldest' }[concurrency.onConflict]}
        </span>
      )}
      <span>
        {{ none: 'missed ticks are skipped', latest: 'catches up the latest missed tick', all: 'catches up all missed ticks' }[catchup]}
      </span>
      {retentionMs === null ? null : <span>runs are kept {Math.round(retentionMs / 86_400_000)} days</span>}
      <span>{{ config: 'from the configuration file', command: 'deployed by command', code: 'deployed by a program' }[origin]}</span>
      <span>
        changed <Time at={updatedAt} />
      </span>
      <Tags tags={tags} />
    </p>
  );
}

/** Stored parameters as a value; text that cannot be parsed stays text. */
function readParams(text: string): unknown {
  try {
    return superjson.parse(text);
  } catch {
    return text;
  }
}
