/** Limits and rates: slots, holders, waiters. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { send } from '../../api/http.ts';
import { limitsQuery } from '../../api/list-queries.ts';
import { queryClient } from '../../api/query-client.ts';
import { usePermission } from '../../api/session.ts';
import type { Limit } from '../../api/wire-types.ts';
import { Action } from '../../parts/action.tsx';
import { Confirm } from '../../parts/confirm.tsx';
import { plural } from '../../parts/format.ts';
import { Empty, Failed, LoadingRows } from '../../parts/notices.tsx';
import { Page } from '../../parts/page.tsx';
import { LimitForm } from './limit-form.tsx';
import { LimitList } from './limit-list.tsx';

/** What is being changed. */
type Change = { readonly kind: 'add' } | { readonly kind: 'set' | 'delete'; readonly limit: Limit };

/** The page. */
export function LimitsPage() {
  const { data, error, refetch } = useQuery(limitsQuery);
  const may = usePermission('admin');
  const [change, setChange] = useState<Change | null>(null);
  const close = (): void => setChange(null);
  return (
    <Page
      title="Limits"
      actions={
        <Action disabledReason={may.why} onClick={() => setChange({ kind: 'add' })}>
          Add a limit
        </Action>
      }
    >
      {data === undefined ? (
        error === null ? (
          <LoadingRows rows={4} />
        ) : (
          <Failed what="The list of limits" error={error} retry={() => void refetch()} />
        )
      ) : data.length === 0 ? (
        <Empty title="No limits" command="limit set tag:db 4">
          A limit says how many tasks with a tag may run at the same time in the whole fleet, a rate how many may begin in a window of time.
          Those that flows and deployments declare on their own runs appear here too.
        </Empty>
      ) : (
        <LimitList
          limits={data}
          notAllowed={may.why}
          onSet={(limit) => setChange({ kind: 'set', limit })}
          onDelete={(limit) => setChange({ kind: 'delete', limit })}
        />
      )}
      {change?.kind === 'add' ? <LimitForm limit={null} onClose={close} /> : null}
      {change?.kind === 'set' ? <LimitForm limit={change.limit} onClose={close} /> : null}
      {change?.kind === 'delete' ? <DeleteLimit limit={change.limit} onClose={close} /> : null}
    </Page>
  );
}

/** Says what happens to the waiters. */
export function DeleteLimit({ limit, onClose }: { readonly limit: Limit; readonly onClose: () => void }) {
  const remove = async (): Promise<void> => {
    await send('DELETE', `/limits/${encodeURIComponent(limit.name)}?which=${limit.rate === undefined ? 'slots' : 'rate'}`);
    await queryClient.invalidateQueries({ queryKey: ['limits'] });
  };
  return (
    <Confirm
      opened
      onClose={onClose}
      title={`Delete the ${limit.rate === undefined ? 'limit' : 'rate'} ${limit.name}`}
      destructive
      onConfirm={remove}
    >
      <p>
        Nothing holds these tasks back any more.{' '}
        {limit.waiting === 0
          ? 'Nobody waits for it just now.'
          : `${plural(limit.waiting, 'one that waits starts', 'that wait start')} as soon as a worker is free.`}
      </p>
    </Confirm>
  );
}
