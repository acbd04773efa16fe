/** The head of the run page: which run, what state, how long, who has it, and where it comes from. */
import { Link } from '@tanstack/react-router';
import { shortId } from '../../../../src/model/ids.ts';
import { runTimes } from '../../../../src/model/run-times.ts';
import { ShortId } from '../../parts/short-id.tsx';
import { StateBadge } from '../../parts/state-badge.tsx';
import { Duration, Time } from '../../parts/time.tsx';
import type { RunDetail, RunFacts } from './run-data.ts';
import style from './run-page.module.css';
import { WorkerName } from './worker-name.tsx';

/** Flow and name, state, and how long it has been going on. */
export function RunHeading({ run }: { readonly run: RunFacts }) {
  return (
    <div className={style.heading}>
      <h1>
        <Link to="/flows/$name" params={{ name: run.flow }} className={style.flow}>
          {run.flow}
        </Link>{' '}
        {run.name}
      </h1>
      <StateBadge name={run.state.name} message={run.state.message} />
      <RunDuration run={run} />
    </div>
  );
}

/** How long it was executed, and apart from that how long it waited; of one that goes on it counts; a dash before the start. */
export function RunDuration({ run }: { readonly run: RunFacts }) {
  const { startedAt, endedAt } = run;
  const times = runTimes(run, endedAt ?? startedAt ?? 0);
  if (times === null) return <Duration />;
  if (endedAt === null && run.state.type === 'RUNNING')
    return <Duration since={(run.resumedAt ?? startedAt ?? 0) - (run.executedMs ?? 0)} />;
  return (
    <>
      <Duration ms={times.executingMs} />
      {times.waitingMs < 1_000 ? null : (
        <span className={style.waited}>
          and waited <Duration ms={times.waitingMs} />
        </span>
      )}
    </>
  );
}

/** The facts below the head. */
export function RunLine({ detail: { run } }: { readonly detail: RunDetail }) {
  return (
    <div className={style.line}>
      <ShortId id={run.id} />
      <Pair name="attempt">{run.attempt}</Pair>
      {run.owner === null ? null : (
        <Pair name="worker">
          <WorkerName id={run.owner.id} />
        </Pair>
      )}
      {run.queue === 'default' ? null : <Pair name="queue">{run.queue}</Pair>}
      <Pair name="created">
        <Time at={run.createdAt} />
      </Pair>
      {run.scheduledFor === null ? null : (
        <Pair name="for">
          <Time at={run.scheduledFor} as="absolute" />
        </Pair>
      )}
      {run.recoveries === 0 ? null : <Pair name="recovered">{run.recoveries === 1 ? 'once' : `${run.recoveries} times`}</Pair>}
      {run.deployment === null ? null : (
        <Pair name="deployment">
          <Link to="/deployments/$name" params={{ name: run.deployment }}>
            {run.deployment}
          </Link>
        </Pair>
      )}
      {run.parentRunId === null ? null : (
        <Pair name="started by">
          <Link to="/runs/$id" params={{ id: run.parentRunId }} search={run.parentTaskRunId === null ? {} : { task: run.parentTaskRunId }}>
            run {shortId(run.parentRunId)}
          </Link>
        </Pair>
      )}
      {[...new Set(run.tags)].map((tag) => (
        <span key={tag} className={style.tag}>
          {tag}
        </span>
      ))}
    </div>
  );
}

function Pair({ name, children }: { readonly name: string; readonly children: React.ReactNode }) {
  return (
    <span className={style.pair}>
      <span>{name}</span>
      <span>{children}</span>
    </span>
  );
}
