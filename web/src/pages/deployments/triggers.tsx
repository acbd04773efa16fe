/** The triggers of a deployment: their sources, what their windows wait for, and their firings. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { DeploymentView } from '../../../../src/client/deployments-client.ts';
import type { TriggerFiring, TriggerWait } from '../../../../src/model/triggers/trigger.ts';
import { shortId } from '../../../../src/model/ids.ts';
import { triggerText } from '../../../../src/model/triggers/words.ts';
import { triggersQuery } from '../../api/event-queries.ts';
import { Failed, LoadingBlock } from '../../parts/notices.tsx';
import { Panel } from '../../parts/page.tsx';
import { StateBadge } from '../../parts/state-badge.tsx';
import table from '../../parts/table.module.css';
import { Time } from '../../parts/time.tsx';
import style from './deployment-page.module.css';

/** Nothing if there are none. */
export function Triggers({ deployment }: { readonly deployment: DeploymentView }) {
  const has = deployment.triggers !== undefined;
  const { data, error, refetch } = useQuery({ ...triggersQuery(deployment.name), enabled: has });
  if (!has) return null;
  return (
    <Panel title="Triggers" aside={deployment.triggers?.length}>
      {data === undefined ? (
        error === null ? (
          <LoadingBlock height={80} />
        ) : (
          <Failed what="The triggers" error={error} retry={() => void refetch()} />
        )
      ) : (
        <>
          {deployment.triggers?.map(({ slug, rule }) => (
            <section key={slug} className={style.schedule} aria-label={`Trigger ${slug}`}>
              <div className={style.scheduleHead}>
                <strong>{triggerText(rule)}</strong>
                <span className={style.soft}>{slug}</span>
              </div>
              {data.waits
                .filter((wait) => wait.slug === slug)
                .map((wait) => (
                  <Wait key={wait.group} wait={wait} />
                ))}
            </section>
          ))}
          <Firings firings={data.firings} />
        </>
      )}
    </Panel>
  );
}

function Wait({ wait: { seen, missing, count, group, firstAt, dueAt } }: { readonly wait: TriggerWait }) {
  const whose = group === '' ? '' : ` for ${group}`;
  return (
    <p className={style.soft}>
      {missing.length === 0
        ? `Has seen ${count} of ${seen.join(', ')}${whose}`
        : `Has ${seen.join(' and ')}${whose}, waits for ${missing.join(' and ')}`}{' '}
      since <Time at={firstAt} />, until <Time at={dueAt} />.
    </p>
  );
}

const looks = { started: 'Completed', refused: 'Failed', failed: 'Failed', expired: 'Late' } as const;

function Firings({ firings }: { readonly firings: readonly TriggerFiring[] }) {
  if (firings.length === 0) return <p className={style.soft}>None of them has fired yet.</p>;
  return (
    <table className={table.table}>
      <thead>
        <tr>
          <th scope="col">Fired</th>
          <th scope="col">For</th>
          <th scope="col">Outcome</th>
          <th scope="col">Run</th>
        </tr>
      </thead>
      <tbody>
        {firings.map(({ id, at, cause, causeId, count, outcome, message, runId }) => (
          <tr key={id}>
            <td data-label="Fired">
              <Time at={at} />
            </td>
            <td data-label="For">
              {cause} <code>{causeId.length === 36 ? shortId(causeId) : causeId}</code>
              {count > 1 ? `, the last of ${count}` : ''}
            </td>
            <td data-label="Outcome">
              <StateBadge name={looks[outcome]} message={message} bare /> {outcome}
              {message === null ? null : <span className={style.soft}> {message}</span>}
            </td>
            <td data-label="Run">
              {runId === null ? null : (
                <Link to="/runs/$id" params={{ id: runId }} className={style.link}>
                  {shortId(runId)}
                </Link>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
