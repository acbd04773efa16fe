/** The schedules of a deployment, each with its next ticks and its own switch. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { DeploymentView } from '../../../../src/client/deployments-client.ts';
import type { DeploymentSchedule } from '../../../../src/model/deployment.ts';
import { deploymentPath, previewQuery } from '../../api/deployment-queries.ts';
import { ApiError, send } from '../../api/http.ts';
import { usePermission } from '../../api/session.ts';
import { Action } from '../../parts/action.tsx';
import { durationText } from '../../parts/format.ts';
import { Empty, Failed, LoadingBlock } from '../../parts/notices.tsx';
import { Panel } from '../../parts/page.tsx';
import { Time } from '../../parts/time.tsx';
import { scheduleSentence } from '../../schedule/sentence.ts';
import { TicksView } from '../../schedule/ticks-view.tsx';
import { previewedTicks, writtenText } from './schedule-words.tsx';
import style from './deployment-page.module.css';

/** The panel; a deployment without a schedule says how to give it one. */
export function Schedules({ deployment }: { readonly deployment: DeploymentView }) {
  const { schedules, name, flow } = deployment;
  return (
    <Panel title={schedules.length > 1 ? 'Schedules' : 'Schedule'} aside={schedules.length > 1 ? schedules.length : undefined}>
      {schedules.length === 0 ? (
        <Empty title="No schedule" command={`deploy ${flow} --name ${name} --cron "0 9 * * *"`}>
          {deployment.triggers === undefined
            ? 'It is run by hand, through the API, or by another flow.'
            : 'It is run by its triggers, by hand, through the API, or by another flow.'}
        </Empty>
      ) : (
        schedules.map((schedule) => <ScheduleBlock key={schedule.id} deployment={deployment} schedule={schedule} />)
      )}
    </Panel>
  );
}

function ScheduleBlock({ deployment, schedule }: { readonly deployment: DeploymentView; readonly schedule: DeploymentSchedule }) {
  const client = useQueryClient();
  const may = usePermission('operator');
  const [failure, setFailure] = useState<string | null>(null);
  const { data, error, refetch } = useQuery(previewQuery(schedule.schedule, previewedTicks));
  const paused = schedule.pausedAt !== null;
  const change = async (): Promise<void> => {
    setFailure(null);
    try {
      await send('POST', `${deploymentPath(deployment.name)}/${paused ? 'resume' : 'pause'}`, { schedule: schedule.slug });
      await client.invalidateQueries({ queryKey: ['deployments'] });
    } catch (refusal) {
      setFailure(refusal instanceof ApiError ? `${refusal.message} (${refusal.code})` : String(refusal));
    }
  };
  return (
    <section className={style.schedule} aria-label={`Schedule ${schedule.slug}`}>
      <div className={style.scheduleHead}>
        <strong>{data === undefined ? schedule.slug : scheduleSentence(data.words)}</strong>
        <code>{writtenText(schedule.schedule)}</code>
        <span className={style.soft}>
          {schedule.slug} · {schedule.schedule.timezone}
          {schedule.jitterMs === 0 ? '' : ` · up to ${durationText(schedule.jitterMs)} later`}
          {schedule.params === null ? '' : ' · own parameters'}
        </span>
        <span className={style.grow} />
        {paused ? (
          <span className={style.paused}>
            paused <Time at={schedule.pausedAt} />
          </span>
        ) : deployment.pausedAt !== null ? (
          <span className={style.paused}>rests with the deployment</span>
        ) : null}
        <Action size="compact-xs" disabledReason={may.why} onClick={() => void change()}>
          {paused ? `Resume ${schedule.slug}` : `Pause ${schedule.slug}`}
        </Action>
      </div>
      {schedule.fault === undefined ? null : (
        <p role="alert" className={style.failure}>
          Set aside: {schedule.fault} It ticks again once it is deployed or resumed.
        </p>
      )}
      {failure === null ? null : (
        <p role="alert" className={style.failure}>
          {failure}
        </p>
      )}
      {data !== undefined ? (
        <TicksView ticks={data.ticks} zone={schedule.schedule.timezone} warnings={data.warnings} />
      ) : error === null ? (
        <LoadingBlock height={220} />
      ) : (
        <Failed what="The next ticks" error={error} retry={() => void refetch()} />
      )}
    </section>
  );
}
