/** Alerts, last found first. */
import { Anchor, SegmentedControl } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Alert } from '../../../../src/model/alerts/alert.ts';
import { alertsQuery } from '../../api/alert-queries.ts';
import { Loaded } from '../../parts/loaded.tsx';
import { MoreButton } from '../../parts/more-button.tsx';
import { Empty } from '../../parts/notices.tsx';
import { Panel } from '../../parts/page.tsx';
import { TableHead } from '../../parts/table-head.tsx';
import table from '../../parts/table.module.css';
import { Time } from '../../parts/time.tsx';
import style from './alerts.module.css';
import { AlertBadge } from './alert-state.tsx';

interface AlertsTabProps {
  readonly showsAll: boolean;
  readonly onShow: (all: boolean) => void;
  readonly onOpen: (id: string) => void;
}

export function AlertsTab({ showsAll, onShow, onOpen }: AlertsTabProps) {
  const query = useInfiniteQuery(alertsQuery(showsAll ? 'all' : 'firing'));
  const alerts = query.data?.pages.flatMap((page) => page.items);
  return (
    <Panel title={showsAll ? 'All alerts' : 'Firing'} aside={<Which showsAll={showsAll} onShow={onShow} few="Firing" />}>
      <Loaded query={{ data: alerts, error: query.error, refetch: query.refetch }} what="The alerts" rows={6}>
        {(all) =>
          all.length === 0 ? (
            <Empty title={showsAll ? 'No alerts yet' : 'Nothing fires'} command="alerts add failures --on failed --email you@example.com">
              A rule says what to watch for, and whom to notify.
            </Empty>
          ) : (
            <>
              <table className={table.table}>
                <TableHead columns={['State', 'Rule', 'About', 'Found', 'Times', 'Last']} />
                <tbody>
                  {all.map((alert) => (
                    <AlertRow key={alert.id} alert={alert} onOpen={() => onOpen(alert.id)} />
                  ))}
                </tbody>
              </table>
              <MoreButton query={query} />
            </>
          )
        }
      </Loaded>
    </Panel>
  );
}

function AlertRow({ alert, onOpen }: { readonly alert: Alert; readonly onOpen: () => void }) {
  const { state, rule, group, summary, count, lastAt, runId } = alert;
  return (
    <tr>
      <td data-label="State">
        <AlertBadge state={state} />
      </td>
      <td data-label="Rule">
        <Anchor component="button" type="button" size="sm" className={style.name ?? ''} onClick={onOpen}>
          {rule}
        </Anchor>
      </td>
      <td data-label="About">{group}</td>
      <td data-label="Found" className={table.wide} title={summary}>
        {runId === null ? (
          summary
        ) : (
          <Link to="/runs/$id" params={{ id: runId }}>
            {summary}
          </Link>
        )}
      </td>
      <td data-label="Times">{count}</td>
      <td data-label="Last">
        <Time at={lastAt} />
      </td>
    </tr>
  );
}

/** Choice whether ended alerts are shown as well. */
export function Which({
  showsAll,
  onShow,
  few,
}: {
  readonly showsAll: boolean;
  readonly onShow: (all: boolean) => void;
  readonly few: string;
}) {
  return (
    <SegmentedControl
      size="xs"
      aria-label="Which are shown"
      value={showsAll ? 'all' : 'few'}
      onChange={(value) => onShow(value === 'all')}
      data={[
        { value: 'few', label: few },
        { value: 'all', label: 'All' },
      ]}
    />
  );
}
