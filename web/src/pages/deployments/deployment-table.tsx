/** Deployments in a table. */
import { Link } from '@tanstack/react-router';
import type { DeploymentView } from '../../../../src/client/deployments-client.ts';
import { startText } from '../../../../src/model/triggers/words.ts';
import { useNow } from '../../now.ts';
import { StateBadge } from '../../parts/state-badge.tsx';
import table from '../../parts/table.module.css';
import { tagsText } from '../../parts/tags.tsx';
import { Time } from '../../parts/time.tsx';
import { ScheduleWords } from './schedule-words.tsx';
import style from './deployment-page.module.css';

/** A tick that waits longer than this for a scheduler is late, ms. */
const overdueMs = 60_000;

interface DeploymentTableProps {
  readonly deployments: readonly DeploymentView[];
  readonly withFlow: boolean;
}

/** One row per deployment: flow, schedule, next tick, and whether it is paused. */
export function DeploymentTable({ deployments, withFlow }: DeploymentTableProps) {
  return (
    <table className={table.table}>
      <thead>
        <tr>
          <th>Deployment</th>
          {withFlow ? <th>Flow</th> : null}
          <th>When</th>
          <th>Next</th>
          <th>Tags</th>
        </tr>
      </thead>
      <tbody>
        {deployments.map((deployment) => (
          <tr key={deployment.id}>
            <td className={table.strong}>
              <Link to="/deployments/$name" params={{ name: deployment.name }}>
                {deployment.name}
              </Link>
            </td>
            {withFlow ? (
              <td>
                <Link to="/flows/$name" params={{ name: deployment.flow }}>
                  {deployment.flow}
                </Link>
              </td>
            ) : null}
            <td className={table.wide}>
              {deployment.schedules.length === 0 ? <span className={style.soft}>{startText(deployment.triggers) ?? 'by hand'}</span> : null}
              {deployment.schedules.slice(0, 3).map(({ id, schedule }, at) => (
                <span key={id}>
                  {at === 0 ? '' : ' · '}
                  <ScheduleWords schedule={schedule} />
                </span>
              ))}
              {deployment.schedules.length > 3 ? ` and ${deployment.schedules.length - 3} more` : null}
            </td>
            <td data-label="next">
              <NextTick deployment={deployment} />
            </td>
            <td className={table.soft} title={deployment.tags.join(', ')}>
              {tagsText(deployment.tags)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function NextTick({ deployment }: { readonly deployment: DeploymentView }) {
  const now = useNow(10_000);
  const at = nextOf(deployment);
  if (deployment.pausedAt !== null) {
    return (
      <>
        <StateBadge name="Suspended" message="It is paused" bare /> paused
      </>
    );
  }
  if (at === null || now - at < overdueMs) return <Time at={at} />;
  return (
    <>
      <StateBadge name="Late" message="No scheduler has made its run yet; is one at work?" bare /> due <Time at={at} />
    </>
  );
}

/** The next tick of the schedules that are not paused; null if there is none. */
export function nextOf({ schedules }: DeploymentView): number | null {
  const ticks = schedules.flatMap(({ pausedAt, nextTickAt }) => (pausedAt === null && nextTickAt !== null ? [nextTickAt] : []));
  return ticks.length === 0 ? null : Math.min(...ticks);
}
