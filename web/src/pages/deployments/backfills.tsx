/** The backfills of a deployment, with their progress. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { BackfillView, DeploymentView } from '../../../../src/client/deployments-client.ts';
import { backfillsQuery } from '../../api/deployment-queries.ts';
import { send } from '../../api/http.ts';
import { usePermission } from '../../api/session.ts';
import { StateBar } from '../../graph/state-bar.tsx';
import type { StateCounts } from '../../graph/state-counts.ts';
import { Action } from '../../parts/action.tsx';
import { Confirm } from '../../parts/confirm.tsx';
import { countText, plural } from '../../parts/format.ts';
import { Panel } from '../../parts/page.tsx';
import { ShortId } from '../../parts/short-id.tsx';
import { Time } from '../../parts/time.tsx';
import style from './deployment-page.module.css';

/** Nothing if there never was one. */
export function Backfills({ deployment }: { readonly deployment: DeploymentView }) {
  const { data = [] } = useQuery(backfillsQuery(deployment.name));
  if (data.length === 0) return null;
  return (
    <Panel title="Backfills" aside={data.length}>
      {data.map((backfill) => (
        <BackfillRow key={backfill.id} backfill={backfill} />
      ))}
    </Panel>
  );
}

function BackfillRow({ backfill }: { readonly backfill: BackfillView }) {
  const { id, deployment, fromAt, untilAt, total, maxParallel, createdAt, cancelRequestedAt, endedAt } = backfill;
  const { waiting, running, completed, failed, cancelled } = backfill;
  const client = useQueryClient();
  const may = usePermission('operator');
  const [asking, ask] = useState<'cancel' | 'resume' | null>(null);
  const counts: StateCounts = { Completed: completed, Failed: failed, Cancelled: cancelled, Running: running, Pending: waiting };
  const ended = completed + failed + cancelled;
  const left = total - completed;
  const act = async (what: 'cancel' | 'resume'): Promise<void> => {
    await send('POST', `/backfills/${encodeURIComponent(id)}/${what}`, {});
    await client.invalidateQueries({ queryKey: ['backfills', deployment] });
  };
  const word =
    endedAt === null ? (cancelRequestedAt === null ? 'under way' : 'being cancelled') : cancelRequestedAt === null ? 'done' : 'cancelled';
  return (
    <div className={style.backfill}>
      <ShortId id={id} />
      <span>
        <Time at={fromAt} as="absolute" /> to <Time at={untilAt} as="absolute" />
      </span>
      <span className={style.progress}>
        <StateBar counts={counts} />
      </span>
      <span>
        {countText(ended)} of {plural(total, 'run')}, {word}
        {failed > 0 ? `, ${countText(failed)} failed` : ''}
      </span>
      <span className={style.soft}>
        {maxParallel} at once · started <Time at={createdAt} />
      </span>
      <Link className={style.link} to="/runs" search={{ backfill: id, last: 'all' }}>
        Runs
      </Link>
      {endedAt === null && cancelRequestedAt === null ? (
        <Action size="compact-xs" disabledReason={may.why} onClick={() => ask('cancel')}>
          Cancel
        </Action>
      ) : left > 0 ? (
        <Action size="compact-xs" disabledReason={may.why} onClick={() => ask('resume')}>
          Resume
        </Action>
      ) : null}
      <Confirm
        opened={asking === 'cancel'}
        onClose={() => ask(null)}
        title="Cancel this backfill"
        destructive
        onConfirm={() => act('cancel')}
      >
        <p>{`${plural(waiting, 'run')} that have not begun are not made, and ${plural(running, 'run')} under way are cancelled. It can be resumed.`}</p>
      </Confirm>
      <Confirm opened={asking === 'resume'} onClose={() => ask(null)} title="Resume this backfill" onConfirm={() => act('resume')}>
        <p>{`${plural(left, 'run')} that did not complete run again or for the first time.`}</p>
      </Confirm>
    </div>
  );
}
