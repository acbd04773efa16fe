/** One alert: what was found, and each firing with what was sent, to whom, and what was answered. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { alertQuery } from '../../api/alert-queries.ts';
import { send } from '../../api/http.ts';
import { queryClient } from '../../api/query-client.ts';
import { usePermission } from '../../api/session.ts';
import { Action } from '../../parts/action.tsx';
import { Failed, LoadingRows } from '../../parts/notices.tsx';
import { Panel } from '../../parts/page.tsx';
import table from '../../parts/table.module.css';
import { Time } from '../../parts/time.tsx';
import { AlertBadge } from './alert-state.tsx';

export function AlertPanel({ id, onClose }: { readonly id: string; readonly onClose: () => void }) {
  const { data, error, refetch } = useQuery(alertQuery(id));
  const may = usePermission('operator');
  const [refused, setRefused] = useState<string | null>(null);
  const act = async (work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
      setRefused(null);
    } catch (cause) {
      setRefused(cause instanceof Error ? cause.message : String(cause));
    }
    await queryClient.invalidateQueries({ queryKey: ['alerts'] });
  };
  if (data === undefined)
    return error === null ? <LoadingRows rows={3} /> : <Failed what="This alert" error={error} retry={() => void refetch()} />;
  const { rule, group, state, summary, count, firstAt, resolvedAt, resolvedBy, firings } = data;
  const silence = { rule, group, for: '2h' };
  return (
    <Panel
      title={`${rule}${group === '' ? '' : ` · ${group}`}`}
      aside={
        <>
          {state === 'firing' ? (
            <>
              <Action size="compact-xs" disabledReason={may.why} onClick={() => void act(() => send('POST', `/alerts/${id}/resolve`, {}))}>
                Resolve
              </Action>{' '}
              <Action size="compact-xs" disabledReason={may.why} onClick={() => void act(() => send('POST', '/alert-silences', silence))}>
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
      {refused === null ? null : <p role="alert">{refused}</p>}
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
      <table className={table.table}>
        <thead>
          <tr>
            <th scope="col">Firing</th>
            <th scope="col">When</th>
            <th scope="col">To</th>
            <th scope="col">State</th>
            <th scope="col">Attempts</th>
            <th scope="col">Answer</th>
          </tr>
        </thead>
        <tbody>
          {firings.flatMap((firing) =>
            firing.deliveries.length === 0
              ? [
                  <tr key={firing.id}>
                    <td data-label="Firing">{firing.kind}</td>
                    <td data-label="When">
                      <Time at={firing.at} />
                    </td>
                    <td data-label="To" colSpan={4} className={table.soft}>
                      {firing.silenced ? 'silenced' : 'nobody'}
                    </td>
                  </tr>,
                ]
              : firing.deliveries.map((delivery) => (
                  <tr key={delivery.id}>
                    <td data-label="Firing">{firing.kind}</td>
                    <td data-label="When">
                      <Time at={delivery.sentAt ?? delivery.createdAt} />
                    </td>
                    <td data-label="To">
                      <code>{delivery.receiver}</code>
                    </td>
                    <td data-label="State">
                      <AlertBadge state={delivery.state} />
                    </td>
                    <td data-label="Attempts">{delivery.attempts}</td>
                    <td data-label="Answer" className={table.wide} title={delivery.answer ?? ''}>
                      {delivery.answer}
                    </td>
                  </tr>
                )),
          )}
        </tbody>
      </table>
    </Panel>
  );
}
