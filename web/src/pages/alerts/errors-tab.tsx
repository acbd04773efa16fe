/** Errors that runs ended with, grouped. */
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ErrorGroup, ErrorState } from '../../../../src/model/error-group.ts';
import { errorsQuery } from '../../api/alert-queries.ts';
import { usePermission } from '../../api/session.ts';
import { Action } from '../../parts/action.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { MoreButton } from '../../parts/more-button.tsx';
import { Empty, Refused } from '../../parts/notices.tsx';
import { Panel } from '../../parts/page.tsx';
import { TableHead } from '../../parts/table-head.tsx';
import table from '../../parts/table.module.css';
import { Time } from '../../parts/time.tsx';
import { Which } from './alerts-tab.tsx';
import { useAct } from './use-act.ts';

export function ErrorsTab({ showsAll, onShow }: { readonly showsAll: boolean; readonly onShow: (all: boolean) => void }) {
  const query = useInfiniteQuery(errorsQuery(showsAll ? 'all' : 'open'));
  const errors = query.data?.pages.flatMap((page) => page.items);
  const may = usePermission('operator');
  const { refused, act } = useAct('errors');
  return (
    <Panel title={showsAll ? 'All errors' : 'Open errors'} aside={<Which showsAll={showsAll} onShow={onShow} few="Open" />}>
      <Refused text={refused} />
      <Loaded query={{ data: errors, error: query.error, refetch: query.refetch }} what="The errors" rows={6}>
        {(all) =>
          all.length === 0 ? (
            <Empty title={showsAll ? 'No run has ended with an error' : 'No open errors'}>
              Runs that failed alike stand here as one: the same class, place and message, whatever values it holds.
            </Empty>
          ) : (
            <>
              <table className={table.table}>
                <TableHead columns={['Error', 'Flow', 'Runs', 'First', 'Last', ...(showsAll ? ['State'] : [])]} hasDeeds />
                <tbody>
                  {all.map((error) => (
                    <ErrorRow
                      key={`${error.key} ${error.flow}`}
                      error={error}
                      showsState={showsAll}
                      notAllowed={may.why}
                      onMark={(state) => void act('POST', `/errors/${error.key}/mark`, { state, flow: error.flow })}
                    />
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

interface ErrorRowProps {
  readonly error: ErrorGroup;
  readonly showsState: boolean;
  readonly notAllowed: string | null;
  readonly onMark: (state: ErrorState) => void;
}

function ErrorRow({ error, showsState, notAllowed, onMark }: ErrorRowProps) {
  const { name, message, task, frame, flow, count, firstAt, lastAt, lastRunId, state, isReopened } = error;
  const button = (label: string, to: ErrorState) => (
    <Action key={to} size="compact-xs" disabledReason={notAllowed} onClick={() => onMark(to)}>
      {label}
    </Action>
  );
  return (
    <tr>
      <td data-label="Error" className={table.wide} title={message}>
        <Link to="/runs/$id" params={{ id: lastRunId }}>
          <strong>{name}</strong>
          {task === null ? '' : ` in ${task}`}: {message}
        </Link>{' '}
        {frame === null ? null : <code>{frame}</code>}
      </td>
      <td data-label="Flow">{flow}</td>
      <td data-label="Runs">{count}</td>
      <td data-label="First">
        <Time at={firstAt} />
      </td>
      <td data-label="Last">
        <Time at={lastAt} /> {isReopened ? <span className={table.soft}>came again</span> : null}
      </td>
      {showsState ? <td data-label="State">{state}</td> : null}
      <td className={table.deeds}>
        {state === 'open' ? [button('Resolve', 'resolved'), button('Ignore', 'ignored')] : button('Open again', 'open')}
      </td>
    </tr>
  );
}
