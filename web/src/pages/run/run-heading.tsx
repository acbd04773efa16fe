/** The head of the run page: run, state, duration, owner, and origin. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { idChars, isIdPart, shortId } from '../../../../src/model/ids.ts';
import type { RecordedUsage } from '../../../../src/model/task-usage.ts';
import { plural } from '../../parts/format.ts';
import { RunDuration } from '../../parts/run-duration.tsx';
import { ShortId } from '../../parts/short-id.tsx';
import { StateBadge } from '../../parts/state-badge.tsx';
import { Tags } from '../../parts/tags.tsx';
import { Duration, Time } from '../../parts/time.tsx';
import { OutwardLink } from '../../values/outward-link.tsx';
import { type RunDetail, runNameQuery } from './run-data.ts';
import { ReportedBy } from './reported-by.tsx';
import style from './run-page.module.css';
import { Used } from './used.tsx';
import { WorkerName } from './worker-name.tsx';

/** Flow and name, state, and duration. */
export function RunHeading({ detail: { run, times } }: { readonly detail: RunDetail }) {
  const suspendedMs = times?.suspendedMs ?? 0;
  return (
    <div className={style.heading}>
      <h1>
        <Link to="/flows/$name" params={{ name: run.flow }} className={style.flow}>
          {run.flow}
        </Link>{' '}
        {run.name}
      </h1>
      <StateBadge name={run.state.name} message={run.state.message} />
      <RunDuration run={run} waiting />
      {suspendedMs < 1_000 ? null : (
        <span>
          of it suspended <Duration ms={suspendedMs} />
        </span>
      )}
    </div>
  );
}

/** The facts below the head. */
export function RunLine({ detail: { run, submitted, trace, pin }, usage }: { readonly detail: RunDetail; readonly usage: RecordedUsage }) {
  const { callerRunId, traceparent, refreshCache, expiresAt, debounceKey, trigger } = submitted ?? {};
  return (
    <div className={style.line}>
      <ShortId id={run.id} />
      <Pair name="attempt">{run.attempt}</Pair>
      <Pair name={pin === null ? 'version' : 'pinned to version'}>
        <code>{run.flowVersion}</code>
        {pin === null || run.endedAt !== null
          ? null
          : pin.workers === 0
            ? ', which no living worker has'
            : ` (${plural(pin.workers, 'worker')})`}
      </Pair>
      {run.owner?.reporter === undefined ? null : (
        <Pair name="ran elsewhere">
          <ReportedBy run={run} />
        </Pair>
      )}
      {run.owner === null || run.owner.reporter !== undefined ? null : (
        <Pair name="worker">
          <WorkerName id={run.owner.id} />
        </Pair>
      )}
      {run.queue === 'default' ? null : <Pair name="queue">{run.queue}</Pair>}
      {run.fairKey == null ? null : <Pair name="turns by">{run.fairKey}</Pair>}
      {run.slots == null ? null : <Pair name="places of a worker">{run.slots}</Pair>}
      <Pair name="created">
        <Time at={run.createdAt} />
      </Pair>
      {run.scheduledFor === null ? null : (
        <Pair name="for">
          <Time at={run.scheduledFor} as="absolute" />
        </Pair>
      )}
      {expiresAt === undefined || run.startedAt !== null || run.endedAt !== null ? null : (
        <Pair name="expires">
          <Time at={expiresAt} />
        </Pair>
      )}
      {debounceKey === undefined ? null : <Pair name="debounced by">{debounceKey}</Pair>}
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
            <RunName id={run.parentRunId} />
          </Link>
        </Pair>
      )}
      {trigger === undefined ? null : (
        <Pair name="started by">
          {trigger.cause} <Caller id={trigger.causeId} />
          {trigger.count > 1 ? `, the last of ${trigger.count}` : ''}
        </Pair>
      )}
      {callerRunId === undefined || callerRunId === trigger?.causeId || callerRunId === run.parentRunId ? null : (
        <Pair name="submitted by">
          <Caller id={callerRunId} />
        </Pair>
      )}
      {traceparent === undefined && trace.url === null ? null : (
        <Pair name="trace">
          <ShortId id={trace.id} />
          {trace.url === null ? null : (
            <>
              {' '}
              <OutwardLink href={trace.url}>open</OutwardLink>
            </>
          )}
        </Pair>
      )}
      {usage.cpuMs == null && usage.peakBytes == null ? null : (
        <Pair name="used">
          <Used usage={usage} />
        </Pair>
      )}
      {refreshCache === undefined ? null : <span>makes cached values anew</span>}
      <Tags tags={run.tags} />
    </div>
  );
}

/** A run here, or the name of a program elsewhere. */
function Caller({ id }: { readonly id: string }) {
  if (id.length !== idChars || !isIdPart(id)) return <>{id}</>;
  return (
    <Link to="/runs/$id" params={{ id }}>
      <RunName id={id} />
    </Link>
  );
}

/** Flow, name and id; only the id while the run is being fetched, or if it was deleted. */
function RunName({ id }: { readonly id: string }) {
  const { data } = useQuery(runNameQuery(id));
  return (
    <>
      {data === undefined || data === null ? 'run' : `${data.flow} ${data.name}`} <code>{shortId(id)}</code>
    </>
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
