/** One alert: the finding, and each firing with its deliveries, receivers and answers. */
import { useQuery } from '@tanstack/react-query';
import type { AlertView } from '../../../../src/client/alerts-client.ts';
import { alertQuery } from '../../api/alert-queries.ts';
import { usePermission } from '../../api/session.ts';
import { Action } from '../../parts/action.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Refused } from '../../parts/notices.tsx';
import { Panel } from '../../parts/page.tsx';
import table from '../../parts/table.module.css';
import { Time } from '../../parts/time.tsx';
import { AlertBadge } from './alert-state.tsx';
import { FiringsTable } from './firings-table.tsx';
import { useAct } from './use-act.ts';

interface AlertPanelProps {
  readonly id: string;
  readonly onClose: () => void;
}

export function AlertPanel({ id, onClose }: AlertPanelProps) {
  const query = useQuery(alertQuery(id));
  return (
    <Loaded query={query} what="This alert" rows={3}>
      {(alert) => <AlertDetails alert={alert} onClose={onClose} />}
    </Loaded>
  );
}

function AlertDetails({ alert, onClose }: { readonly alert: AlertView; readonly onClose: () => void }) {
  const may = usePermission('operator');
  const { refused, act } = useAct('alerts');
  const { rule, group, state, summary, count, firstAt, resolvedAt, resolvedBy, firings } = alert;
  const silence = { rule, group, for: '2h' };
  return (
    <Panel
      title={`${rule}${group === '' ? '' : ` · ${group}`}`}
      aside={
        <>
          {state === 'firing' ? (
            <>
              <Action size="compact-xs" disabledReason={may.why} onClick={() => void act('POST', `/alerts/${alert.id}/resolve`)}>
                Resolve
              </Action>{' '}
              <Action size="compact-xs" disabledReason={may.why} onClick={() => void act('POST', '/alert-silences', silence)}>
                Silence for 2 h
              </Action>{' '}
            </>
          ) : null}
          <Action size="compact-xs" onClick={onClose}>
            Close
          </Action>
        </>
      }
    >
      <Refused text={refused} />
      <p>
        <AlertBadge state={state} /> {summary}
      </p>
      <p className={table.soft}>
        {count} {count === 1 ? 'time' : 'times'} since <Time at={firstAt} />
        {resolvedAt === null ? null : (
          <>
            {', over '}
            <Time at={resolvedAt} />
            {resolvedBy === null ? null : `, by ${resolvedBy}`}
          </>
        )}
      </p>
      <FiringsTable firings={firings} />
    </Panel>
  );
}
