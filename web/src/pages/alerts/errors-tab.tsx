/** Errors that runs have ended with, by what they are. */
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ErrorGroup, ErrorState } from '../../../../src/model/error-group.ts';
import { errorsQuery } from '../../api/alert-queries.ts';
import { send } from '../../api/http.ts';
import { queryClient } from '../../api/query-client.ts';
import { usePermission } from '../../api/session.ts';
import { Action } from '../../parts/action.tsx';
import { MoreButton } from '../../parts/more-button.tsx';
import { Empty, Failed, LoadingRows } from '../../parts/notices.tsx';
import { Panel } from '../../parts/page.tsx';
import table from '../../parts/table.module.css';
import { Time } from '../../parts/time.tsx';
import { Which } from './alerts-tab.tsx';

export function ErrorsTab({ showsAll, onShow }: { readonly showsAll: boolean; readonly onShow: (all: boolean) => void }) {
  const query = useInfiniteQuery(errorsQuery(showsAll ? 'all' : 'open'));
  const errors = query.data?.pages.flatMap((page) => page.items);
  const may = usePermission('operator');
  const mark = async ({ key, flow }: ErrorGroup, state: ErrorState): Promise<void> => {
    await send('POST', `/errors/${key}/mark`, { state, flow });
    await queryClient.invalidateQueries({ queryKey: ['errors'] });
  };
  return (
    <Panel title={showsAll ? 'All errors' : 'Open errors'} aside={<Which showsAll={showsAll} onShow={onShow} few="Open" />}>
      {errors === undefined ? (
        query.error === null ? (
          <LoadingRows rows={6} />
        ) : (
          <Failed what="The errors" error={query.error} retry={() => void query.refetch()} />
        )
      ) : errors.length === 0 ? (
        <Empty title={showsAll ? 'No run has ended with an error' : 'No open errors'}>
          Runs that failed alike stand here as one: the same class, place and message, whatever values it holds.
        </Empty>
      ) : (
        <>
          <table className={table.table}>
            <thead>
              <tr>
                <th scope="col">Error</th>
                <th scope="col">Flow</th>
                <th scope="col">Runs</th>
                <th scope="col">First</th>
                <th scope="col">Last</th>
                {showsAll ? <th scope="col">State</th> : null}
                <th scope="col" aria-label="Actions" />
              </tr>
            </thead>
            <tbody>
              {errors.map((error) => (
                <ErrorRow
                  key={`${error.key} ${error.flow}`}
                  error={error}
                  showsState={showsAll}
                  notAllowed={may.why}
                  onMark={(state) => void mark(error, state)}
                />
              ))}
            </tbody>
          </table>
          <MoreButton query={query} />
        </>
      )}
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
